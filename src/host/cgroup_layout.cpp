// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_layout.hpp"

#include <linux/magic.h>

#include <algorithm>
#include <array>

#include "davit/base/fields.hpp"
#include "davit/host/mountinfo.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/mount.hpp"

namespace davit::host {
namespace {

constexpr const char* kCgroupRoot = "/sys/fs/cgroup";
/// Mount options of a v1 superblock that are no controllers.
constexpr std::array<std::string_view, 8> kNotControllers = {
    "rw", "ro", "xattr", "clone_children", "noprefix", "none", "cpuset_v2_mode", "favordynmods"};

std::vector<std::string> controllers_in(std::string_view super_options) {
  std::vector<std::string> controllers;
  while (!super_options.empty()) {
    const std::string_view option = next_field(super_options, ',');
    const bool known =
        std::find(kNotControllers.begin(), kNotControllers.end(), option) != kNotControllers.end();
    if (option.empty() || known || option.starts_with("release_agent=")) continue;
    controllers.emplace_back(option);
  }
  return controllers;
}

bool is_cgroup(std::string_view type) {
  return type == "cgroup" || type == "cgroup2";
}

}  // namespace

CgroupLayout parse_mountinfo(std::string_view text) {
  CgroupLayout layout;
  Hierarchy unified;
  each_mount(text, is_cgroup, [&](MountInfo mount) {
    Hierarchy found;
    found.mount_root = std::move(mount.root);
    found.mount_point = std::move(mount.mount_point);
    if (mount.type == "cgroup2") {
      if (unified.mount_point.empty() || found.mount_root.size() < unified.mount_root.size())
        unified = std::move(found);
      return;
    }
    found.controllers = controllers_in(mount.options);
    // A v1 mount whose controllers were all taken away again tells nothing.
    if (found.controllers.empty()) return;
    const auto same = std::find_if(layout.hierarchies.begin(), layout.hierarchies.end(),
                                   [&](const auto& other) { return other.controllers == found.controllers; });
    if (same == layout.hierarchies.end())
      layout.hierarchies.push_back(std::move(found));
    else if (found.mount_root.size() < same->mount_root.size())
      *same = std::move(found);
  });
  const bool v1 = !layout.hierarchies.empty();
  const bool v2 = !unified.mount_point.empty();
  if (v2) layout.hierarchies.push_back(std::move(unified));
  layout.mode = v1 ? (v2 ? CgroupMode::hybrid : CgroupMode::v1) : CgroupMode::v2;
  return layout;
}

Result<void> parse_own_paths(std::string_view text, CgroupLayout& layout) {
  while (!text.empty()) {
    std::string_view line = next_field(text, '\n');
    next_field(line, ':');  // hierarchy id
    std::string_view names = next_field(line, ':');
    std::vector<std::string> controllers;
    while (!names.empty()) controllers.emplace_back(next_field(names, ','));
    for (Hierarchy& hierarchy : layout.hierarchies)
      // The two files may list co-mounted controllers in different orders.
      if (hierarchy.controllers.empty() ? controllers.empty()
                                        : std::find(controllers.begin(), controllers.end(),
                                                    hierarchy.controllers.front()) != controllers.end())
        hierarchy.own_path = std::string(line);
  }
  for (const Hierarchy& hierarchy : layout.hierarchies)
    if (hierarchy.own_path.empty())
      return make_error(Code::internal, "/proc/self/cgroup does not mention " + hierarchy.mount_point);
  return {};
}

Result<CgroupLayout> probe_cgroup_layout() {
  auto type = sys::filesystem_type(kCgroupRoot);
  if (type.ok() && *type == CGROUP2_SUPER_MAGIC) {
    CgroupLayout layout;
    layout.mode = CgroupMode::v2;
    layout.hierarchies.push_back({{}, kCgroupRoot, "/", {}});
    return layout;
  }
  return parse_mountinfo(TRY(sys::read_records("/proc/self/mountinfo", 64 << 20)));
}

Result<void> load_paths_of(pid_t pid, CgroupLayout& layout) {
  return parse_own_paths(TRY(sys::read_record("/proc/" + std::to_string(pid) + "/cgroup")), layout);
}

Result<void> load_own_paths(CgroupLayout& layout) {
  bool loaded = true;
  for (const Hierarchy& hierarchy : layout.hierarchies) loaded = loaded && !hierarchy.own_path.empty();
  if (loaded) return {};
  TRY(parse_own_paths(TRY(sys::read_record("/proc/self/cgroup")), layout));
  if (layout.mode != CgroupMode::v2 || layout.hierarchies.empty()) return {};
  // In a container without a cgroup namespace the mount shows only a part of the hierarchy.
  Hierarchy& unified = layout.hierarchies.front();
  if (unified.own_path == "/") return {};
  if (sys::stat_at(sys::current_directory(), unified.mount_point + unified.own_path).ok()) return {};
  const CgroupLayout mounted = parse_mountinfo(TRY(sys::read_records("/proc/self/mountinfo", 64 << 20)));
  for (const Hierarchy& other : mounted.hierarchies)
    if (other.mount_point == unified.mount_point) unified.mount_root = other.mount_root;
  return {};
}

}  // namespace davit::host
