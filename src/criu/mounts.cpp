// SPDX-License-Identifier: Apache-2.0
// The mounts that are not the container's own.
#include <algorithm>

#include "davit/base/path.hpp"
#include "davit/criu/translation.hpp"
#include "davit/host/mountinfo.hpp"

namespace davit::criu {
namespace {

constexpr std::string_view kNull = "/dev/null";

std::vector<host::MountInfo> all_of(std::string_view mountinfo) {
  std::vector<host::MountInfo> mounts;
  host::each_mount(
      mountinfo, [](std::string_view) { return true; },
      [&](host::MountInfo mount) { mounts.push_back(std::move(mount)); });
  return mounts;
}

const host::MountInfo* find(const std::vector<host::MountInfo>& mounts, const std::string& mount_point) {
  // The last one is on top.
  const auto found = std::find_if(mounts.rbegin(), mounts.rend(), [&](const host::MountInfo& mount) {
    return mount.mount_point == mount_point;
  });
  return found == mounts.rend() ? nullptr : &*found;
}

bool sees_hosts_cgroups(const spec::Config& config) {
  const spec::Namespace* own = config.linux.find_namespace(spec::NamespaceType::cgroup);
  return own == nullptr || !own->path.empty();
}

}  // namespace

bool is_bind(const spec::Mount& mount) {
  return mount.type == "bind" ||
         std::any_of(mount.options.begin(), mount.options.end(),
                     [](const auto& word) { return word == "bind" || word == "rbind"; });
}

std::string destination_of(const spec::Mount& mount) {
  return clean_path(mount.destination);
}

std::vector<ExternalMount> dumped_mounts(
    const spec::Config& config, std::string_view mountinfo,
    const std::function<std::optional<std::string>(const std::string& destination)>& resolve) {
  const std::vector<host::MountInfo> mounts = all_of(mountinfo);
  std::vector<ExternalMount> result;
  const auto add = [&](const std::string& key, const std::string& value) {
    const bool is_known = std::any_of(result.begin(), result.end(),
                                      [&](const ExternalMount& known) { return known.key == key; });
    if (!is_known) result.push_back({key, value});
  };
  for (const spec::Mount& mount : config.mounts) {
    const std::string destination = destination_of(mount);
    if (!is_bind(mount) || destination == "/") continue;
    if (find(mounts, destination) != nullptr)
      add(destination, destination);
    else if (const auto real = resolve(destination))
      add(*real, destination);
  }
  for (const spec::Device& device : config.linux.devices)
    if (find(mounts, clean_path(device.path)) != nullptr)
      add(clean_path(device.path), clean_path(device.path));
  // A masked directory has a filesystem of the container's own on it.
  for (const spec::ListedPath& masked : config.linux.masked_paths) {
    const host::MountInfo* found = find(mounts, clean_path(masked.path));
    if (found != nullptr && found->root.ends_with("/null")) add(found->mount_point, std::string(kNull));
  }
  if (sees_hosts_cgroups(config))
    for (const host::MountInfo& mount : mounts)
      if (mount.type == "cgroup" || mount.type == "cgroup2") add(mount.mount_point, mount.mount_point);
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
    result.push_back({clean_path(device.path), clean_path(device.path)});
  if (!config.linux.masked_paths.empty()) result.push_back({std::string(kNull), std::string(kNull)});
  return result;
}

}  // namespace davit::criu
