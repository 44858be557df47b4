// Bind mounts.
#include <linux/mount.h>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

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

void emit_symlink(Mounting& mounting, const Entry& entry) {
  program::MakeSymlink link;
  link.content = mounting.compilation.builder.text(entry.link);
  link.path = mounting.compilation.builder.text(entry.destination);
  link.root = mounting.compilation.root;
  link.replace = 1;
  mounting.compilation.builder.emit(link, entry.origin);
}

void warn_about_parameters(Mounting& mounting, const Entry& entry) {
  for (const Parameter& parameter : entry.options.parameters)
    mounting.compilation.warnings.push_back(
        refuse(entry, Code::unsupported, "option \"" + parameter.key + "\" means nothing to a bind mount"));
}

}  // namespace

Result<void> compile_bind(Mounting& mounting, const Entry& entry) {
  features::Compilation& compilation = mounting.compilation;
  warn_about_parameters(mounting, entry);
  if (!entry.link.empty()) {
    emit_symlink(mounting, entry);
    return {};
  }
  program::MountTree operation;
  operation.tree = entry.tree;
  operation.root = compilation.root;
  operation.target = target_of(mounting, entry, program::TargetKind::like_tree);
  operation.target.flags &= ~static_cast<std::uint32_t>(program::kTargetMustBeOrdinary);
  if (is_in_proc(entry)) operation.target.flags |= program::kTargetInProc;
  operation.attributes = own_attributes(mounting, entry.options);
  operation.recursive_attributes = entry.options.recursive_attributes;
  const std::vector<Propagation> changes = propagations_of(mounting, entry);
  if (!changes.empty()) {
    const Propagation& first = changes.front();
    (first.recursive ? operation.recursive_attributes : operation.attributes).propagation = first.type;
  }
  const bool is_root = entry.destination == "/";
  operation.keep_tree = is_root ? 1 : 0;
  compilation.builder.emit(operation, entry.origin);
  if (is_root) compilation.root = operation.tree;
  // What is attached to something shared becomes that itself.
  const bool again = mounting.has_shared && !changes.empty() && changes.front().type != MS_SHARED;
  change_propagation(mounting, entry, changes, again ? 0 : 1);
  return {};
}

}  // namespace davit::rootfs
