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

bool is_absent(const Error& error) {
  return error.errno_value == ENOENT || error.errno_value == ENODEV;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

namespace {

using Arrive = std::function<Result<void>(sys::FdRef group)>;
using Leave = std::function<Result<void>(sys::FdRef parent, const std::string& name)>;

/// The names of the cgroups right below one.
Result<std::vector<std::string>> children_of(sys::FdRef group) {
  sys::UniqueFd again = TRY(sys::open_at(group, ".", O_RDONLY | O_DIRECTORY));
  DIR* directory = ::fdopendir(again.number());
  if (directory == nullptr) return system_error(errno, "list a cgroup");
  (void)again.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  return names;
}

/// The way through a tree; each step down has one back.
class Way {
 public:
  Way(sys::UniqueFd top, const Arrive& arrive, const Leave& leave)
      : here_(std::move(top)), arrive_(arrive), leave_(leave) {}

  Result<void> go() {
    TRY(look_around());
    while (!levels_.empty()) TRY(levels_.back().below.empty() ? up() : down());
    return {};
  }

 private:
  struct Level {
    std::string name;
    std::vector<std::string> below;  ///< still to be gone to
  };

  Result<void> look_around(std::string name = {}) {
    TRY(arrive_(here_));
    levels_.push_back({std::move(name), TRY(children_of(here_))});
    return {};
  }
  Result<void> down() {
    std::string name = std::move(levels_.back().below.back());
    levels_.back().below.pop_back();
    auto next = sys::open_at(here_, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!next.ok()) return is_absent(next.error()) ? Result<void>() : next.error();
    here_ = std::move(*next);
    return look_around(std::move(name));
  }
  Result<void> up() {
    const Level left = std::move(levels_.back());
    levels_.pop_back();
    if (levels_.empty()) return {};
    here_ = TRY(sys::open_at(here_, "..", O_RDONLY | O_DIRECTORY));
    return leave_(here_, left.name);
  }

  sys::UniqueFd here_;
  const Arrive& arrive_;
  const Leave& leave_;
  std::vector<Level> levels_;
};

Result<void> walk(const std::string& path, const Arrive& arrive, const Leave& leave) {
  auto top = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (!top.ok()) return is_absent(top.error()) ? Result<void>() : top.error();
  return Way(std::move(*top), arrive, leave).go();
}

Result<void> remove_group(sys::FdRef parent, const std::string& name) {
  auto removed = sys::unlink_at(parent, name, AT_REMOVEDIR);
  if (removed.ok() || is_absent(removed.error()) || removed.error().errno_value == EBUSY) return {};
  return removed;
}

void add_pids(std::string_view text, std::vector<pid_t>& pids) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    if (parsed.ec != std::errc()) break;
    if (pid > 0) pids.push_back(pid);  // 0: a process that is not visible in our pid namespace
    at = parsed.ptr + 1;
  }
}

}  // namespace

Result<void> walk(const std::string& path, const Arrive& arrive) {
  return walk(path, arrive, [](sys::FdRef, const std::string&) { return Result<void>(); });
}

Result<void> remove_empty(const std::string& path) {
  TRY(walk(
      path, [](sys::FdRef) { return Result<void>(); }, remove_group));
  return remove_group(sys::current_directory(), path);
}

Result<std::vector<pid_t>> members(const std::string& path) {
  std::vector<pid_t> pids;
  TRY(walk(path, [&pids](sys::FdRef group) -> Result<void> {
    const auto text = sys::read_file_at(group, "cgroup.procs", 64 << 20);
    if (text.ok()) return add_pids(*text, pids), Result<void>();
    // Gone meanwhile, or a threaded cgroup, whose processes are listed above it.
    const bool has_none = is_absent(text.error()) || text.error().errno_value == EOPNOTSUPP;
    return has_none ? Result<void>() : text.error();
  }));
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

std::optional<std::string> part_below(std::string_view own, std::string_view found) {
  const auto after = [&](std::size_t begin, std::string_view name) -> std::optional<std::string> {
    const std::string_view rest = found.substr(begin + name.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;
    return std::string(rest);
  };
  if (own.empty()) return std::nullopt;
  // /proc may count from a root further down.
  for (std::string_view name = own; !name.empty();) {
    if (found.starts_with(name))
      if (auto rest = after(0, name)) return rest;
    name.remove_prefix(std::min(name.find('/', 1), name.size()));
  }
  // Or the mount does.
  for (std::size_t at = found.find(own); at != std::string_view::npos; at = found.find(own, at + 1))
    if (auto rest = after(at, own)) return rest;
  return std::nullopt;
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
