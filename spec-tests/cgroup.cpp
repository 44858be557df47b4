// SPDX-License-Identifier: Apache-2.0
#include "cgroup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "support/files.hpp"
#include "support/sandbox.hpp"
#include "support/view.hpp"

namespace spec_tests {
namespace {

using support::split;

/// The line "N:controllers:PATH" of /proc/PID/cgroup; v2 has no controllers.
std::string path_in(pid_t pid, const std::string& controller) {
  for (const auto& line : split(support::read_file("/proc/" + std::to_string(pid) + "/cgroup"), '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    if (controller.empty() ? fields[1].empty() : false) return fields[2];
    for (const auto& name : split(fields[1], ','))
      if (!controller.empty() && name == controller) return fields[2];
  }
  return "";
}

std::string below(const std::string& mount, const std::string& path, const std::string& file) {
  return mount + (path == "/" ? "" : path) + "/" + file;
}

}  // namespace

bool on_v2(const std::string& controller) {
  return support::has_v2(controller) && !support::has_v1(controller);
}

bool host_has(const CgroupFile& file) {
  const bool v2 = on_v2(file.controller);
  if (!v2 && !support::has_v1(file.controller)) return false;
  const std::string& name = v2 ? file.v2 : file.v1;
  if (name.empty()) return false;
  const std::string mount = v2 ? support::v2_mount() : support::v1_mount(file.controller);
  const std::string child = mount + "/" + support::Sandbox::get().new_id();
  if (v2) support::put(mount + "/cgroup.subtree_control", "+" + file.controller);
  if (mkdir(child.c_str(), 0755) != 0) return false;
  const bool there = support::exists(child + "/" + name);
  rmdir(child.c_str());
  return there;
}

std::string path_of(pid_t pid, const CgroupFile& file) {
  if (on_v2(file.controller)) {
    if (file.v2.empty()) return "";
    return below(support::v2_mount(), path_in(pid, ""), file.v2);
  }
  if (!support::has_v1(file.controller) || file.v1.empty()) return "";
  return below(support::v1_mount(file.controller), path_in(pid, file.controller), file.v1);
}

std::string value_of(pid_t pid, const CgroupFile& file) {
  return support::trim(support::read_file(path_of(pid, file)));
}

}  // namespace spec_tests
