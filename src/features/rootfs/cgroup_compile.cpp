// SPDX-License-Identifier: Apache-2.0
// Mounts of type cgroup: what the container sees of its cgroups.
#include <linux/mount.h>

#include <algorithm>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;

/// Whether the container sees its cgroups as another root than davit does. Who joins davit's own cgroup
/// namespace is as good as without one.
bool has_other_namespace(const Mounting& mounting) {
  const spec::Namespace* entry = mounting.config.linux.find_namespace(NamespaceType::cgroup);
  return entry != nullptr && (entry->path.empty() || !mounting.queries.is_own_cgroup_namespace(entry->path));
}

/// An entry below or instead of the one in the config.
spec::Mount derived(const Entry& entry, std::string destination, std::string type, std::string source) {
  spec::Mount mount = entry.mount;
  mount.destination = std::move(destination);
  mount.type = std::move(type);
  mount.source = std::move(source);
  return mount;
}

Options without_parameters(const Options& options) {
  Options copy = options;
  copy.parameters.clear();
  copy.superblock.clear();
  return copy;
}

/// What all mounts of an entry get.
program::MountAttributes attributes_of(const Mounting& mounting, const Entry& entry) {
  const std::uint64_t propagation = mounting.sources.become_private ? 0 : MS_PRIVATE;
  return {entry.options.attributes.set | entry.options.recursive_attributes.set, 0, propagation};
}

/// Binds a cgroup directory of the host. Opened by init: davit makes the directory only after it has opened
/// its other host resources.
void bind_directory(Mounting& mounting, const Entry& entry, const std::string& source,
                    const std::string& destination, const program::MountAttributes& attributes) {
  features::Compilation& compilation = mounting.compilation;
  program::OpenTree open;
  open.path = compilation.builder.text(source);
  open.recursive = 1;
  open.tree = compilation.builder.reserve();
  compilation.builder.emit(open, entry.origin);
  program::MountTree operation;
  operation.tree = open.tree;
  operation.root = compilation.root;
  operation.target.path = compilation.builder.text(destination);
  // Recursive, or a hierarchy mounted below would stay writable under a read-only one (CVE-2023-25809).
  operation.recursive_attributes = attributes;
  compilation.builder.emit(operation, entry.origin);
}

/// Where the host has its unified hierarchy; empty: nowhere.
std::string unified_mount_point(const Mounting& mounting) {
  const auto& hierarchies = mounting.compilation.facts.cgroup.hierarchies;
  const bool has_unified = !hierarchies.empty() && hierarchies.back().controllers.empty();
  return has_unified ? hierarchies.back().mount_point : std::string();
}

Result<void> compile_v2(Mounting& mounting, const Entry& entry) {
  // A cgroup2 mount shows the cgroup namespace that it is made in, and takes privilege over it. Made in the
  // host's, it would replace the options of all of the host's mounts (nsdelegate, memory_recursiveprot).
  const std::string host = unified_mount_point(mounting);
  if (!has_other_namespace(mounting) && !host.empty()) {
    bind_directory(mounting, entry, host, entry.destination, attributes_of(mounting, entry));
    return {};
  }
  const spec::Mount mount = derived(entry, entry.destination, "cgroup2", "cgroup");
  return compile_filesystem(mounting, {mount, entry.options, entry.destination, entry.origin});
}

/// Parameters of a v1 hierarchy: its controllers, or its name.
std::vector<Parameter> hierarchy_parameters(const host::Hierarchy& hierarchy) {
  std::vector<Parameter> parameters;
  for (const std::string& controller : hierarchy.controllers) {
    if (controller.starts_with("name=")) {
      parameters.push_back({"none", {}, true});
      parameters.push_back({"name", controller.substr(5), false});
    } else {
      parameters.push_back({controller, {}, true});
    }
  }
  return parameters;
}

/// The container's cgroup in a hierarchy. A user may have to do without one: then the container is in
/// davit's.
std::string own_directory(const Mounting& mounting, std::size_t index) {
  const host::Hierarchy& hierarchy = mounting.compilation.facts.cgroup.hierarchies[index];
  const auto is_there = mounting.queries.exists;
  if (index < mounting.cgroups.size() && !mounting.cgroups[index].empty() &&
      is_there(mounting.cgroups[index]))
    return mounting.cgroups[index];
  const std::string ours = clean_path(hierarchy.mount_point + hierarchy.own_path);
  // In a container without a cgroup namespace the path is one of the host, of which we see only a part.
  return is_there(ours) ? ours : hierarchy.mount_point;
}

/// One hierarchy below the destination, and symlinks from its controllers where it has several. Together: see
/// seal_together.
Result<void> compile_hierarchy(Mounting& mounting, const Entry& entry, std::size_t index, bool is_together) {
  features::Compilation& compilation = mounting.compilation;
  const host::Hierarchy& hierarchy = compilation.facts.cgroup.hierarchies[index];
  const std::string name = base_name(hierarchy.mount_point);
  const std::string destination = clean_path(entry.destination + "/" + name);
  const bool is_v2 = hierarchy.controllers.empty();
  if (has_other_namespace(mounting)) {
    const spec::Mount mount = derived(entry, destination, is_v2 ? "cgroup2" : "cgroup", "cgroup");
    Entry below{mount, without_parameters(entry.options), destination, entry.origin};
    below.options.parameters = hierarchy_parameters(hierarchy);
    TRY(compile_filesystem(mounting, below));
  } else {
    bind_directory(mounting, entry, own_directory(mounting, index), destination,
                   is_together ? program::MountAttributes{} : attributes_of(mounting, entry));
  }
  for (const std::string& controller : hierarchy.controllers) {
    if (controller == name || controller.starts_with("name=")) continue;
    program::MakeSymlink link;
    link.content = compilation.builder.text(name);
    link.path = compilation.builder.text(clean_path(entry.destination + "/" + controller));
    link.root = compilation.root;
    link.keep_existing = 1;
    compilation.builder.emit(link, entry.origin);
  }
  return {};
}

/// Whether other entries of the config come to lie below the path.
bool is_filled(const Mounting& mounting, const std::string& destination) {
  const auto& mounts = mounting.config.mounts;
  return std::any_of(mounts.begin(), mounts.end(), [&](const spec::Mount& other) {
    return is_below(clean_path(other.destination), destination);
  });
}

void clear_readonly(Options& options) {
  constexpr std::uint64_t kReadonly = MOUNT_ATTR_RDONLY;
  options.attributes.set &= ~kReadonly;
  options.recursive_attributes.set &= ~kReadonly;
}

/// Where no later mount comes to lie among the hierarchies, and nobody else sees them before that, one call
/// makes all of them what they shall be. Attributes that may be locked are better changed one by one.
bool is_sealed_together(const Mounting& mounting, const Entry& entry) {
  constexpr std::uint64_t kPlain =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const bool is_simple = has_other_namespace(mounting) || (attributes_of(mounting, entry).set & ~kPlain) == 0;
  const bool is_alone = is_new_namespace(mounting.config, NamespaceType::mount);
  return entry.options.readonly() && is_simple && is_alone && !is_filled(mounting, entry.destination);
}

/// Makes the tmpfs read-only that was to become so last, and all that is mounted in it.
void seal_together(Mounting& mounting, const Entry& entry) {
  program::SealRoot seal;
  seal.root = mounting.sealing.read_only.back().mount;
  seal.recursive = 1;
  seal.attributes.set = MOUNT_ATTR_RDONLY;
  if (!has_other_namespace(mounting)) seal.attributes = attributes_of(mounting, entry);
  mounting.sealing.read_only.pop_back();
  mounting.compilation.builder.emit(seal, entry.origin);
}

/// v1 and hybrid: a small tmpfs that holds all hierarchies.
Result<void> compile_v1(Mounting& mounting, const Entry& entry) {
  const spec::Mount mount = derived(entry, entry.destination, "tmpfs", "tmpfs");
  Entry holder{mount, without_parameters(entry.options), entry.destination, entry.origin};
  holder.options.parameters = {{"mode", "755", false}};
  TRY(compile_filesystem(mounting, holder));
  Entry below{entry.mount, entry.options, entry.destination, entry.origin};
  const bool is_together = is_sealed_together(mounting, entry);
  if (is_together) clear_readonly(below.options);
  for (std::size_t index = 0; index < mounting.compilation.facts.cgroup.hierarchies.size(); ++index)
    TRY(compile_hierarchy(mounting, below, index, is_together));
  if (is_together) seal_together(mounting, entry);
  return {};
}

}  // namespace

Result<void> compile_cgroup(Mounting& mounting, const Entry& entry) {
  const bool v2 = mounting.compilation.facts.cgroup.mode == host::CgroupMode::v2;
  if (v2) return compile_v2(mounting, entry);
  if (entry.mount.type == "cgroup") return compile_v1(mounting, entry);
  return compile_v2(mounting, entry);
}

}  // namespace davit::rootfs
