// SPDX-License-Identifier: Apache-2.0
#include "features/cgroup/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "davit/base/fields.hpp"
#include "davit/sys/file.hpp"

namespace davit::cgroup {

const Directory* unified(const Place& place) {
  for (const Directory& directory : place.directories)
    if (directory.controllers.empty()) return &directory;
  return nullptr;
}

const Directory* find_directory(const Place& place, std::string_view controller) {
  for (const Directory& directory : place.directories)
    if (std::find(directory.controllers.begin(), directory.controllers.end(), controller) !=
        directory.controllers.end())
      return &directory;
  return unified(place);
}

Result<std::string> read_value(const std::string& path) {
  sys::SpentFds spent;
  return read_value(path, spent);
}

Result<std::string> read_value(const std::string& path, sys::SpentFds& spent) {
  sys::UniqueFd file = TRY(sys::open(path, O_RDONLY));
  std::string value(4096, '\0');
  const ssize_t size = ::read(file.number(), value.data(), value.size());
  spent.add(std::move(file));
  if (size < 0) return system_error(errno, "read " + path);
  value.resize(static_cast<std::size_t>(size));
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

std::uint64_t keyed_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      std::uint64_t value = 0;
      std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
      return value;
    }
  }
  return 0;
}

bool unprivileged() {
  return ::geteuid() != 0 || host::in_user_namespace();
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::vector<std::string> subtree(const std::string& path) {
  std::vector<std::string> found{path};
  for (std::size_t next = 0; next < found.size(); ++next) {
    DIR* directory = ::opendir(found[next].c_str());
    if (directory == nullptr) {
      if (next == 0 && errno == ENOENT) return {};
      continue;
    }
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..")
        found.push_back(found[next] + "/" + std::string(name));
    }
    ::closedir(directory);
  }
  return found;
}

Result<std::vector<pid_t>> members(const std::string& path) {
  std::vector<pid_t> pids;
  for (const std::string& group : subtree(path)) {
    auto text = sys::read_file(group + "/cgroup.procs", 64 << 20);
    if (!text.ok()) {
      const int errno_value = text.error().errno_value;
      // Gone meanwhile, or a threaded cgroup, whose processes are listed above it.
      if (errno_value == ENOENT || errno_value == ENODEV || errno_value == EOPNOTSUPP) continue;
      return text.error();
    }
    const char* at = text->data();
    const char* const end = at + text->size();
    while (at < end) {
      pid_t pid = 0;
      const auto parsed = std::from_chars(at, end, pid);
      if (parsed.ec != std::errc()) break;
      if (pid > 0) pids.push_back(pid);  // 0: a process that is not visible in our pid namespace
      at = parsed.ptr + 1;
    }
  }
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

bool clean_path(std::string_view path, std::string& cleaned) {
  cleaned.clear();
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (cleaned.empty()) return false;
      cleaned.resize(cleaned.rfind('/'));
      continue;
    }
    cleaned.append("/").append(part);
  }
  return true;
}

}  // namespace davit::cgroup
