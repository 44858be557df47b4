// SPDX-License-Identifier: Apache-2.0
// The mounts that are not the container's own.
#include <algorithm>

#include "davit/criu/translation.hpp"

namespace davit::criu {
namespace {

constexpr std::string_view kNull = "/dev/null";

/// One line of /proc/PID/mountinfo.
struct Line {
  std::string root;
  std::string mount_point;
  std::string type;
};

/// proc(5): blanks and backslashes are written as three octal digits.
std::string unescaped(std::string_view word) {
  std::string result;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto digit = [&](std::size_t at) { return word[i + at] >= '0' && word[i + at] <= '7'; };
    if (word[i] == '\\' && i + 3 < word.size() && digit(1) && digit(2) && digit(3)) {
      result.push_back(
          static_cast<char>((word[i + 1] - '0') * 64 + (word[i + 2] - '0') * 8 + (word[i + 3] - '0')));
      i += 3;
    } else {
      result.push_back(word[i]);
    }
  }
  return result;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::vector<Line> parse(std::string_view text) {
  constexpr std::size_t kRoot = 3;
  constexpr std::size_t kMountPoint = 4;
  std::vector<Line> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string_view> words = words_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() <= kMountPoint || dash == words.end() || dash + 1 == words.end()) continue;
    lines.push_back({unescaped(words[kRoot]), unescaped(words[kMountPoint]), std::string(*(dash + 1))});
  }
  return lines;
}

const Line* find(const std::vector<Line>& lines, const std::string& mount_point) {
  // The last one is on top.
  const auto found = std::find_if(lines.rbegin(), lines.rend(),
                                  [&](const Line& line) { return line.mount_point == mount_point; });
  return found == lines.rend() ? nullptr : &*found;
}

bool sees_hosts_cgroups(const spec::Config& config) {
  const spec::Namespace* own = config.linux.find_namespace(spec::NamespaceType::cgroup);
  return own == nullptr || !own->path.empty();
}

std::string tidy(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part == "..")
      result.resize(result.empty() ? 0 : result.rfind('/'));
    else if (!part.empty() && part != ".")
      result.append("/").append(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return result.empty() ? "/" : result;
}

}  // namespace

bool is_bind(const spec::Mount& mount) {
  return mount.type == "bind" ||
         std::any_of(mount.options.begin(), mount.options.end(),
                     [](const auto& word) { return word == "bind" || word == "rbind"; });
}

std::string destination_of(const spec::Mount& mount) {
  return tidy(mount.destination);
}

std::vector<ExternalMount> dumped_mounts(
    const spec::Config& config, std::string_view mountinfo,
    const std::function<std::optional<std::string>(const std::string& destination)>& resolve) {
  const std::vector<Line> lines = parse(mountinfo);
  std::vector<ExternalMount> result;
  const auto add = [&](const std::string& key, const std::string& value) {
    const bool is_known = std::any_of(result.begin(), result.end(),
                                      [&](const ExternalMount& known) { return known.key == key; });
    if (!is_known) result.push_back({key, value});
  };
  for (const spec::Mount& mount : config.mounts) {
    const std::string destination = destination_of(mount);
    if (!is_bind(mount) || destination == "/") continue;
    if (find(lines, destination) != nullptr)
      add(destination, destination);
    else if (const auto real = resolve(destination))
      add(*real, destination);
  }
  for (const spec::Device& device : config.linux.devices)
    if (find(lines, tidy(device.path)) != nullptr) add(tidy(device.path), tidy(device.path));
  // A masked directory has a filesystem of the container's own on it.
  for (const spec::ListedPath& masked : config.linux.masked_paths) {
    const Line* line = find(lines, tidy(masked.path));
    if (line != nullptr && line->root.ends_with("/null")) add(line->mount_point, std::string(kNull));
  }
  if (sees_hosts_cgroups(config))
    for (const Line& line : lines)
      if (line.type == "cgroup" || line.type == "cgroup2") add(line.mount_point, line.mount_point);
  return result;
}

std::vector<ExternalMount> restored_mounts(const spec::Config& config, const std::string& bundle,
                                           const std::vector<CgroupSource>& cgroups) {
  std::vector<ExternalMount> result;
  for (const spec::Mount& mount : config.mounts) {
    const std::string destination = destination_of(mount);
    if (is_bind(mount) && destination != "/")
      result.push_back(
          {destination, mount.source.starts_with('/') ? mount.source : bundle + "/" + mount.source});
    const bool is_cgroup = mount.type == "cgroup" || mount.type == "cgroup2";
    if (!is_cgroup || !sees_hosts_cgroups(config)) continue;
    for (const CgroupSource& source : cgroups)
      result.push_back({source.name.empty() ? destination : destination + "/" + source.name, source.path});
  }
  for (const spec::Device& device : config.linux.devices)
    result.push_back({tidy(device.path), tidy(device.path)});
  if (!config.linux.masked_paths.empty()) result.push_back({std::string(kNull), std::string(kNull)});
  return result;
}

}  // namespace davit::criu
