// SPDX-License-Identifier: Apache-2.0
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

/// This process's cgroup below the mount point of the hierarchy: "" or "/a/b".
Result<std::string> own_below_mount(const host::Hierarchy& hierarchy) {
  std::string own;
  std::string root;
  // The caller is in a cgroup namespace newer than the mounts ("/.." leads out of it): where it is in them
  // cannot be told, so that paths count from their top.
  if (hierarchy.mount_root.starts_with("/..")) return own;
  if (!clean_path(hierarchy.own_path, own) || !clean_path(hierarchy.mount_root, root))
    return make_error(Code::unsupported, "this process's own cgroup " + hierarchy.own_path +
                                             " is outside of what is mounted on " + hierarchy.mount_point);
  // Without a cgroup namespace of its own a container sees paths of the host, of which it has only a part.
  if (!root.empty() && (own == root || own.starts_with(root + "/"))) own.erase(0, root.size());
  return own;
}

/// The start of a path that does not say from where it counts. On v2 that is beside our own cgroup and not
/// below it, as a cgroup with processes in it cannot have controllers enabled for its children.
Result<std::string> start(const host::Hierarchy& hierarchy, host::CgroupMode mode) {
  std::string own = TRY(own_below_mount(hierarchy));
  if (mode == host::CgroupMode::v2 && !own.empty()) own.resize(own.rfind('/'));
  return own;
}

}  // namespace

Result<Place> choose(const spec::Config& config, const std::string& id, const host::CgroupLayout& layout,
                     Manager manager) {
  if (manager == Manager::systemd) return choose_unit(config, id, layout);
  Place place;
  place.manager = manager;
  place.mode = layout.mode;
  if (manager == Manager::disabled) return place;
  const std::string& wanted = config.linux.cgroups_path;
  const auto invalid = [&](std::string_view why) {
    return spec::at(config.linux.position, "cgroupsPath", make_error(Code::invalid_config, why));
  };
  std::string inner;
  if (!clean_path(wanted.empty() ? id : wanted, inner)) return invalid("leads above the cgroup mount point");
  if (inner.empty()) return invalid("names the root of the hierarchy, which cannot be a container's cgroup");
  const bool absolute = wanted.starts_with('/');
  host::CgroupLayout own = layout;
  if (!absolute) TRY(host::load_own_paths(own));
  for (const host::Hierarchy& hierarchy : own.hierarchies) {
    std::string path = hierarchy.mount_point;
    if (!absolute) path += TRY(start(hierarchy, layout.mode));
    place.directories.push_back({hierarchy.controllers, path + inner, hierarchy.mount_point});
  }
  return place;
}

}  // namespace davit::cgroup
