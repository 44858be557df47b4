// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "davit/base/path.hpp"
#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

Error bad_path(const std::string& below) {
  return make_error(Code::invalid_argument, "bad sub cgroup path: " + below);
}

/// The path of one `[controller,...:]path`, cleaned.
Result<std::string> inner_path(const std::string& below) {
  const std::size_t colon = below.find(':');
  std::string inner;
  // Not only what leads out, but any "..": nobody needs it, and the payload could move what it passes
  // through.
  const std::string wrapped = "/" + below.substr(colon == std::string::npos ? 0 : colon + 1) + "/";
  if (wrapped.find("/../") != std::string::npos || !clean_path(wrapped, inner)) return bad_path(below);
  return inner;
}

/// `controller,...:path` for the directories of these controllers.
Result<void> set_targets(const Place& place, const std::string& below, std::vector<std::string>& paths) {
  const std::string inner = TRY(inner_path(below));
  const std::size_t colon = below.find(':');
  for (std::size_t begin = 0; begin <= colon;) {
    const std::size_t end = std::min(below.find(',', begin), colon);
    const std::string controller = below.substr(begin, end - begin);
    const Directory* directory = find_directory(place, controller);
    if (directory == nullptr || directory->controllers.empty())
      return make_error(Code::invalid_argument, "unknown controller " + controller + " in: " + below);
    std::string& path = paths[static_cast<std::size_t>(directory - place.directories.data())];
    // Controllers of one hierarchy share their directories, so they may be named twice, but to one end.
    if (!path.empty() && path != inner)
      return make_error(Code::invalid_argument, "bad sub cgroup path: " + below + ": " + controller +
                                                    " goes to " + path + " already");
    path = inner;
    begin = end + 1;
  }
  return {};
}

/// The path to go to below every directory of the place.
Result<std::vector<std::string>> targets(const Place& place, const std::vector<std::string>& below) {
  std::vector<std::string> paths(place.directories.size());
  for (const std::string& one : below) {
    if (one.find(':') == std::string::npos) {
      // It is meant for all, so nothing can stand beside it.
      if (below.size() > 1) return bad_path(one + " (missing <controller>: prefix)");
      paths.assign(paths.size(), TRY(inner_path(one)));
    } else {
      if (place.mode == host::CgroupMode::v2) return bad_path(one);
      TRY(set_targets(place, one, paths));
    }
  }
  return paths;
}

/// What /proc/PID/cgroup says for the hierarchy of a directory: "/a/b", as seen from our cgroup namespace.
Result<std::string> current_path(const Directory& directory, pid_t pid) {
  const std::string text = TRY(sys::read_record("/proc/" + std::to_string(pid) + "/cgroup"));
  std::string controllers;
  for (const std::string& controller : directory.controllers)
    controllers += (controllers.empty() ? "" : ",") + controller;
  // proc(5) would say "12:cpu,cpuacct:/a/b", and "0::/a/b" for v2.
  const std::string mark = ":" + controllers + ":";
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t colon = text.find(':', begin);
    if (colon < end && text.compare(colon, mark.size(), mark) == 0)
      return text.substr(colon + mark.size(), end - colon - mark.size());
    begin = end + 1;
  }
  return make_error(Code::wrong_state,
                    "the container's init is in no cgroup of the hierarchy of " + directory.path);
}

/// Where init has gone outside of the container's own cgroup: believed if it is there.
Result<std::string> elsewhere(const Directory& directory, const std::string& found, pid_t pid) {
  std::string clean;
  if (clean_path(found, clean)) {
    const std::string path = directory.mount_point + clean;
    const auto processes = read_value(path + "/cgroup.procs");
    const std::string line = "\n" + std::to_string(pid) + "\n";
    if (processes.ok() && ("\n" + *processes + "\n").find(line) != std::string::npos) return path;
  }
  return make_error(Code::wrong_state,
                    "the container's init is in " + found + ", outside of " + directory.path);
}

/// Where init is now. Payloads move: systemd into a child, as a cgroup whose children have controllers takes
/// no processes, build daemons anywhere. A process in the container's own cgroup would be in their way.
Result<std::string> current_of(const Directory& directory, pid_t pid) {
  auto found = current_path(directory, pid);
  // It is so deep that not even the kernel says where, and so below the container's own.
  if (!found.ok() && found.error().errno_value == ENAMETOOLONG) return directory.path;
  if (!found.ok()) return found.error();
  const std::string own =
      directory.path.substr(std::min(directory.mount_point.size(), directory.path.size()));
  if (*found == own || is_below(*found, own)) return directory.path + found->substr(own.size());
  auto outside = elsewhere(directory, *found, pid);
  if (outside.ok()) return outside;
  const auto part = part_below(own, *found);
  std::string below;
  return part && clean_path(*part, below) ? directory.path + below : std::move(outside);
}

Result<sys::UniqueFd> open_v2(const Directory& directory, const std::string& below, pid_t init_pid) {
  const std::string path =
      below.empty() && init_pid > 0 ? TRY(current_of(directory, init_pid)) : directory.path + below;
  auto opened = sys::open(path, O_RDONLY | O_DIRECTORY);
  const bool is_too_deep = !opened.ok() && opened.error().errno_value == ENAMETOOLONG;
  return is_too_deep ? sys::open(directory.path, O_RDONLY | O_DIRECTORY) : std::move(opened);
}

/// A cgroup of v1 may be joined whatever is below it: only where it is gone, init's counts.
Result<sys::UniqueFd> open_v1(const Directory& directory, const std::string& below, pid_t init_pid) {
  auto opened = sys::open(directory.path + below + "/tasks", O_WRONLY);
  const bool is_gone = !opened.ok() && opened.error().errno_value == ENOENT && below.empty();
  if (!is_gone || init_pid <= 0) return opened;
  const auto current = current_of(directory, init_pid);
  return current.ok() ? sys::open(*current + "/tasks", O_WRONLY) : std::move(opened);
}

bool may_fill(sys::FdRef directory) {
  return ::faccessat(directory.number(), "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

}  // namespace

Result<Entrance> enter(const Place& place, const std::vector<std::string>& below, pid_t init_pid) {
  Entrance entrance;
  if (place.directories.empty()) {
    if (!below.empty()) return make_error(Code::wrong_state, "the container has no cgroup to go below");
    return entrance;
  }
  const std::vector<std::string> paths = TRY(targets(place, below));
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Directory& directory = place.directories[i];
    const bool v2 = directory.controllers.empty();
    const std::string inner = v2 && !paths[i].empty() ? place.unit.subgroup + paths[i] : paths[i];
    auto opened = v2 ? open_v2(directory, inner, init_pid) : open_v1(directory, inner, init_pid);
    // A rootless container may have been made without cgroups: then there is none to join either, and whose
    // cgroup its init is in need not be the user's.
    const bool none = below.empty() && unprivileged() && !exists(directory.path);
    if (none && !(opened.ok() && (!v2 || may_fill(*opened)))) continue;
    if (!opened.ok()) return opened.error();
    if (v2)
      entrance.v2_directory = std::move(opened).value();
    else
      entrance.task_files.push_back(std::move(opened).value());
  }
  entrance.from_outside = is_shut(place);
  return entrance;
}

Result<void> attach(const Place& place, const Entrance& entrance, pid_t pid) {
  if (entrance.from_outside) return attach_to_unit(place, pid);
  const std::string number = std::to_string(pid);
  for (const sys::UniqueFd& tasks : entrance.task_files) TRY(sys::write_all(tasks, number));
  if (entrance.v2_directory.valid()) TRY(sys::write_file_at(entrance.v2_directory, "cgroup.procs", number));
  return {};
}

}  // namespace davit::cgroup
