// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

/// The spec's condition: the payload will see its cgroup as the root of a writable mount.
bool delegated(const spec::Config& config) {
  const spec::Namespace* cgroup = config.linux.find_namespace(spec::NamespaceType::cgroup);
  const spec::Namespace* user = config.linux.find_namespace(spec::NamespaceType::user);
  if (cgroup == nullptr || !cgroup->path.empty() || user == nullptr) return false;
  for (const spec::Mount& mount : config.mounts) {
    const bool here =
        mount.destination == "/sys/fs/cgroup" && (mount.type == "cgroup" || mount.type == "cgroup2");
    if (here) return std::find(mount.options.begin(), mount.options.end(), "ro") == mount.options.end();
  }
  return false;
}

bool host_id(const std::vector<spec::IdMapping>& mappings, std::uint32_t id, std::uint32_t& host) {
  for (const spec::IdMapping& mapping : mappings)
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size) {
      host = mapping.host_id + (id - mapping.container_id);
      return true;
    }
  return false;
}

std::vector<std::string> delegated_files() {
  auto list = sys::read_file("/sys/kernel/cgroup/delegate");
  // The list to fall back to is the spec's.
  std::string names = list.ok() ? *list : "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
  std::vector<std::string> files;
  for (std::size_t begin = 0, end = 0; (end = names.find('\n', begin)) != std::string::npos; begin = end + 1)
    if (end > begin) files.push_back(names.substr(begin, end - begin));
  return files;
}

/// A cgroup of v2 and what in it may be delegated become the container's.
Result<void> give(const std::string& path, const spec::Config& config) {
  if (!delegated(config)) return {};
  std::uint32_t uid = 0;
  // A user namespace that is joined has its mappings elsewhere: then nothing is delegated.
  if (!host_id(config.linux.uid_mappings, config.process ? config.process->user.uid : 0, uid)) return {};
  const auto own = [&](const std::string& what) -> Result<void> {
    if (::lchown(what.c_str(), uid, static_cast<gid_t>(-1)) == 0 || errno == ENOENT) return {};
    return system_error(errno, "chown " + what + " to " + std::to_string(uid));
  };
  TRY(own(path));
  for (const std::string& file : delegated_files()) TRY(own(path + "/" + file));
  return {};
}

}  // namespace

Result<void> change_ownership(const Place& place, const spec::Config& config) {
  if (place.mode != host::CgroupMode::v2 || place.directories.empty()) return {};
  return give(place.directories.front().path + place.unit.subgroup, config);
}

Result<void> delegate(const Place& place, const spec::Config& config, pid_t pid) {
  const Directory* v2 = unified(place);
  if (place.manager != Manager::systemd || place.mode != host::CgroupMode::v2 || v2 == nullptr) return {};
  const std::string name = TRY(delegated_of(config));
  if (name.empty()) return {};
  const std::string path = v2->path + place.unit.subgroup + name;
  TRY(sys::make_directories(path, 0755));
  TRY(give(path, config));
  return sys::write_file(path + "/cgroup.procs", std::to_string(pid));
}

}  // namespace davit::cgroup
