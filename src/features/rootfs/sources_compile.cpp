// SPDX-License-Identifier: Apache-2.0
// Where the trees of bind mounts come from: who opens them, as what they come, and with whose ids.
#include <linux/mount.h>

#include <algorithm>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;
using spec::RootfsPropagation;

/// Whether init finds at the host's paths what davit would find there. In a user namespace it lacks the
/// permissions, in somebody else's mount namespace it sees another tree, and what shares its mounts with the
/// host has to come from the host.
bool can_init_open(const features::Compilation& compilation, const spec::Config& config) {
  if (!compilation.facts.privileged) return true;  // davit may not clone mounts itself
  return is_new_namespace(config, NamespaceType::mount) && !has_namespace(config, NamespaceType::user) &&
         !shares_root(config);
}

/// What a bind starts from, as if it were made in a mount namespace that had linux.rootfsPropagation from the
/// beginning: it hears from the host, but the host does not hear from it, unless the config says `shared`.
std::uint64_t default_propagation(const spec::Config& config) {
  if (!config.linux.rootfs_propagation) return MS_SLAVE;
  switch (*config.linux.rootfs_propagation) {
    case RootfsPropagation::shared:
    case RootfsPropagation::rshared:
      return 0;  // stays a peer of its source
    case RootfsPropagation::slave:
    case RootfsPropagation::rslave:
      return MS_SLAVE;
    default:
      return MS_PRIVATE;
  }
}

/// The whole sequence of changes to a mount that is a peer of its source.
std::vector<Propagation> all_changes(const spec::Config& config, const Entry& entry) {
  const std::vector<Propagation>& wanted = entry.options.propagations;
  const std::uint64_t base = default_propagation(config);
  // Sharing afterwards starts a new peer group below the host's, and what is private has nothing to be a
  // slave of; anything else recursive supersedes the base.
  const bool is_cut_off = config.linux.rootfs_propagation == RootfsPropagation::rprivate;
  const bool superseded = !wanted.empty() && wanted.front().type != MS_SHARED &&
                          !(wanted.front().type == MS_SLAVE && is_cut_off) &&
                          (wanted.front().recursive || !entry.options.recursive);
  std::vector<Propagation> all;
  if (base != 0 && !superseded) all.push_back({base, true});
  all.insert(all.end(), wanted.begin(), wanted.end());
  return all;
}

bool is_private(const std::vector<Propagation>& changes, bool has_submounts) {
  return changes.size() == 1 && changes.front().type == MS_PRIVATE &&
         (changes.front().recursive || !has_submounts);
}

/// Whether nothing changes for any entry if everything is made private in the end.
bool becomes_private(const spec::Config& config, const std::vector<Entry>& entries) {
  const auto& root = config.linux.rootfs_propagation;
  const bool is_root_private =
      !root || root == RootfsPropagation::private_mount || root == RootfsPropagation::rprivate;
  return is_root_private && std::all_of(entries.begin(), entries.end(), [&](const Entry& entry) {
           if (is_source_needed(entry))
             return is_private(all_changes(config, entry), entry.options.recursive);
           return entry.options.propagations.empty() || is_private(entry.options.propagations, false);
         });
}

Result<features::Idmap> container_idmap(const Mounting& mounting, const Entry& entry) {
  const spec::Linux& settings = mounting.config.linux;
  const spec::Namespace* user = settings.find_namespace(NamespaceType::user);
  if (user == nullptr)
    return refuse(entry, Code::invalid_config,
                  "option idmap needs uidMappings and gidMappings, or a container with a user namespace");
  features::Idmap idmap;
  idmap.namespace_path = user->path;
  idmap.uid_mappings = settings.uid_mappings;
  idmap.gid_mappings = settings.gid_mappings;
  return idmap;
}

/// Whose ids the source shows, if not its own.
Result<features::Idmap> idmap_of(const Mounting& mounting, const Entry& entry) {
  const spec::Mount& mount = entry.mount;
  features::Idmap idmap;
  const bool has_lists = !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  if (!has_lists && !entry.options.idmap) return idmap;
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
    return refuse(entry, Code::invalid_config, "uidMappings and gidMappings must be given together");
  if (!mounting.compilation.facts.privileged)
    return refuse(entry, Code::unsupported, "idmapped mounts need the privileges of root");
  if (has_lists) {
    idmap.uid_mappings = mount.uid_mappings;
    idmap.gid_mappings = mount.gid_mappings;
  } else if (entry.options.idmap_text.empty()) {
    idmap = TRY(container_idmap(mounting, entry));
  } else {
    auto read = read_idmap(entry.options.idmap_text, mounting.config.linux);
    if (!read) return spec::at(mount.position, read.error());
    idmap.uid_mappings = std::move(read->uids);
    idmap.gid_mappings = std::move(read->gids);
  }
  idmap.wanted = true;
  idmap.recursive = entry.options.recursive_idmap;
  return idmap;
}

/// copy-symlink: a source that is a symlink becomes a symlink with the same content.
Result<std::string> content_to_copy(const Mounting& mounting, const Entry& entry, const std::string& source) {
  if (!entry.options.copy_symlink) return std::string();
  auto content = mounting.queries.link(source);
  if (!content) return spec::at(entry.mount.position, content.error());
  return content;
}

bool is_idmapped(const Entry& entry) {
  return entry.options.idmap || !entry.mount.uid_mappings.empty() || !entry.mount.gid_mappings.empty();
}

/// Where below the container's root a source lies, if it does: what is mounted there by then is meant, and
/// the symlinks on the way are the container's. Nothing of "/" as a root, where every source is the host's.
std::string path_inside(const Mounting& mounting, const Entry& entry) {
  if (!is_new_namespace(mounting.config, NamespaceType::mount) || is_idmapped(entry)) return {};
  const std::string& bundle = mounting.compilation.call.bundle;
  const std::string root = clean_path(host_path(mounting.config.root.path, bundle));
  const std::string source = clean_path(host_path(entry.mount.source, bundle));
  if (root == "/") return {};
  if (source == root) return "/";
  return is_below(source, root) ? source.substr(root.size()) : std::string();
}

/// A path, and below which slot; none: on the host.
struct PathBelow {
  std::string path;
  program::Slot root;
};

program::Slot open_by_init(Mounting& mounting, const PathBelow& place, const features::HostRequest& wanted,
                           program::Origin origin) {
  program::Builder& builder = mounting.compilation.builder;
  program::OpenTree operation;
  operation.path = builder.text(place.path);
  operation.root = place.root;
  operation.recursive = wanted.recursive ? 1 : 0;
  operation.no_follow = wanted.no_follow ? 1 : 0;
  operation.tree = builder.reserve();
  builder.emit(operation, origin);
  return operation.tree;
}

/// The sources of mounts and devices, and all else that davit and init have open.
std::uint64_t descriptors_of(const spec::Config& config) {
  constexpr std::uint64_t kUsual = 40;
  return config.mounts.size() + config.linux.devices.size() + kUsual;
}

}  // namespace

bool opens_in_turn(const host::Facts& facts, const spec::Config& config) {
  // Where mounts are shared, davit would find what init has mounted meanwhile.
  return descriptors_of(config) > facts.descriptors && !shares_root(config);
}

Sources sources_of(const features::Compilation& compilation, const spec::Config& config,
                   const std::vector<Entry>& entries) {
  Sources sources;
  sources.by_init = can_init_open(compilation, config);
  sources.are_slaves = sources.by_init && is_new_namespace(config, NamespaceType::mount);
  sources.become_private = sources.are_slaves && becomes_private(config, entries);
  return sources;
}

std::vector<Propagation> propagations_of(const Mounting& mounting, const Entry& entry) {
  std::vector<Propagation> changes = all_changes(mounting.config, entry);
  const Sources& sources = mounting.sources;
  if (!sources.are_slaves || entry.is_from_host || mounting.has_shared) return changes;
  if (sources.become_private) return {};
  if (!changes.empty() && changes.front().type == MS_SLAVE) changes.erase(changes.begin());
  return changes;
}

program::Slot tree_of(Mounting& mounting, features::HostRequest wanted, program::Origin origin) {
  if (!mounting.sources.by_init || wanted.idmap.wanted) {  // init may not map ids, see features::Idmap
    wanted.kind = features::RequestKind::tree;
    return mounting.compilation.request_source(std::move(wanted));
  }
  return open_by_init(mounting, {wanted.path, program::kNoSlot}, wanted, origin);
}

bool is_opened_early(const Mounting& mounting, const Entry& entry) {
  if (!is_source_needed(entry) || !path_inside(mounting, entry).empty()) return false;
  if (!mounting.sources.by_init || is_idmapped(entry)) return !mounting.compilation.opens_in_turn;
  const std::string& bundle = mounting.compilation.call.bundle;
  return entry.options.recursive && is_below(clean_path(host_path(mounting.config.root.path, bundle)),
                                             clean_path(host_path(entry.mount.source, bundle)));
}

Result<void> open_source(Mounting& mounting, Entry& entry) {
  if (entry.mount.source.empty()) return refuse(entry, Code::invalid_config, "a bind mount needs a source");
  features::HostRequest wanted;
  wanted.path = host_path(entry.mount.source, mounting.compilation.call.bundle);
  wanted.recursive = entry.options.recursive;
  // What was no symlink a moment ago must not be followed as one now.
  wanted.no_follow = entry.options.source_no_follow || entry.options.copy_symlink;
  wanted.position = entry.mount.position;
  wanted.idmap = TRY(idmap_of(mounting, entry));
  entry.is_from_host = wanted.idmap.wanted;
  entry.link = TRY(content_to_copy(mounting, entry, wanted.path));
  if (!entry.link.empty()) return {};
  const std::string inside = path_inside(mounting, entry);
  entry.tree = inside.empty()
                   ? tree_of(mounting, std::move(wanted), entry.origin)
                   : open_by_init(mounting, {inside, mounting.compilation.root}, wanted, entry.origin);
  return {};
}

}  // namespace davit::rootfs
