// Bind mounts, with and without id mapping.
#include <linux/mount.h>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;
using spec::RootfsPropagation;

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

/// The whole sequence of changes; the first one is made before the mount is attached.
std::vector<Propagation> propagations_of(const Mounting& mounting, const Entry& entry) {
  const std::vector<Propagation>& wanted = entry.options.propagations;
  const std::uint64_t base = default_propagation(mounting.config);
  // Sharing afterwards starts a new peer group below the host's; anything else recursive supersedes the base.
  const bool superseded = !wanted.empty() && wanted.front().type != MS_SHARED &&
                          (wanted.front().recursive || !entry.options.recursive);
  std::vector<Propagation> all;
  if (base != 0 && !superseded) all.push_back({base, true});
  all.insert(all.end(), wanted.begin(), wanted.end());
  return all;
}

/// Engines write `rw` on every volume. Where davit may not lift what the host has locked, the mount keeps it.
program::MountAttributes own_attributes(const Mounting& mounting, const Options& options) {
  program::MountAttributes attributes = options.attributes;
  if (!mounting.compilation.facts.privileged)
    attributes.clear &= ~static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY);
  if ((attributes.set & MOUNT_ATTR__ATIME) == 0 && (attributes.clear & MOUNT_ATTR__ATIME) == 0)
    return attributes;
  attributes.clear |= MOUNT_ATTR__ATIME;
  return attributes;
}

Result<features::Idmap> container_idmap(Mounting& mounting, const Entry& entry) {
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
Result<features::Idmap> idmap_of(Mounting& mounting, const Entry& entry) {
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
Result<bool> copied_symlink(Mounting& mounting, const Entry& entry, const std::string& source) {
  if (!entry.options.copy_symlink && !entry.options.source_no_follow) return false;
  auto content = mounting.queries.link(source);
  if (!content) return spec::at(entry.mount.position, content.error());
  if (content->empty()) return false;
  if (!entry.options.copy_symlink)
    return refuse(entry, Code::unsupported,
                  "src-nofollow: " + source + " is a symlink, which davit does not bind");
  program::MakeSymlink link;
  link.content = mounting.compilation.builder.text(*content);
  link.path = mounting.compilation.builder.text(entry.destination);
  link.root = mounting.compilation.root;
  link.replace = 1;
  mounting.compilation.builder.emit(link, entry.origin);
  return true;
}

void warn_about_parameters(Mounting& mounting, const Entry& entry) {
  for (const Parameter& parameter : entry.options.parameters)
    mounting.compilation.warnings.push_back(
        refuse(entry, Code::unsupported, "option \"" + parameter.key + "\" means nothing to a bind mount"));
}

}  // namespace

Result<void> compile_bind(Mounting& mounting, const Entry& entry) {
  features::Compilation& compilation = mounting.compilation;
  if (entry.mount.source.empty()) return refuse(entry, Code::invalid_config, "a bind mount needs a source");
  const std::string source = host_path(entry.mount.source, compilation.call.bundle);
  warn_about_parameters(mounting, entry);
  if (TRY(copied_symlink(mounting, entry, source))) return {};
  auto kind = mounting.queries.kind(source);
  if (!kind) return spec::at(entry.mount.position, kind.error());
  const bool directory = *kind == SourceKind::directory;
  features::HostRequest wanted;
  wanted.idmap = TRY(idmap_of(mounting, entry));
  wanted.path = source;
  wanted.recursive = entry.options.recursive;
  wanted.position = entry.mount.position;

  program::MountTree operation;
  operation.tree = tree_of(compilation, std::move(wanted), entry.origin);
  operation.root = compilation.root;
  operation.target =
      target_of(mounting, entry, directory ? program::TargetKind::directory : program::TargetKind::file);
  operation.target.flags &= ~static_cast<std::uint32_t>(program::kTargetMustBeOrdinary);
  if (is_in_proc(entry)) operation.target.flags |= program::kTargetInProc;
  operation.attributes = own_attributes(mounting, entry.options);
  operation.recursive_attributes = entry.options.recursive_attributes;
  const std::vector<Propagation> propagations = propagations_of(mounting, entry);
  if (!propagations.empty()) {
    const Propagation& first = propagations.front();
    (first.recursive ? operation.recursive_attributes : operation.attributes).propagation = first.type;
  }
  const bool is_root = entry.destination == "/";
  operation.keep_tree = is_root ? 1 : 0;
  compilation.builder.emit(operation, entry.origin);
  if (is_root) compilation.root = operation.tree;
  change_propagation(mounting, entry, propagations, 1);
  return {};
}

}  // namespace davit::rootfs
