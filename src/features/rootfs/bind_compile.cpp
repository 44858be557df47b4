// SPDX-License-Identifier: Apache-2.0
// Bind mounts.
#include <linux/mount.h>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

/// With any flag among its options a bind has exactly those that are asked for, as mount(2) with MS_REMOUNT |
/// MS_BIND does it; access times are a flag of their own there. Without any it stays as its source is.
program::MountAttributes own_attributes(const Options& options) {
  constexpr std::uint64_t kTimes = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
  program::MountAttributes attributes = options.attributes;
  if (((attributes.set | attributes.clear) & kTimes) != 0) attributes.clear |= kTimes & ~attributes.set;
  return attributes;
}

std::uint64_t replaced_attributes(const Options& options) {
  constexpr std::uint64_t kFlags =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
  const program::MountAttributes& own = options.attributes;
  if ((own.set | own.clear) == 0) return 0;
  return kFlags & ~(own.set | own.clear | options.recursive_attributes.set);
}

void emit_symlink(Mounting& mounting, const Entry& entry) {
  program::MakeSymlink link;
  link.content = mounting.compilation.builder.text(entry.link);
  link.path = mounting.compilation.builder.text(entry.destination);
  link.root = mounting.compilation.root;
  link.replace = 1;
  mounting.compilation.builder.emit(link, entry.origin);
}

/// What somebody may have meant by an option that a bind mount does not have.
std::string_view advice_on(std::string_view option) {
  if (option == "z" || option == "Z")
    return "that is for an engine to do: labels of SELinux are set before davit is called";
  if (option == "readonly" || option == "read-only") return "did you mean \"ro\"?";
  if (option == "delegated" || option == "cached" || option == "consistent")
    return "that is for an engine on another system: leave it out";
  if (option.find(',') != std::string_view::npos) return "every option is a string of its own";
  return {};
}

void warn_about_parameters(Mounting& mounting, const Entry& entry) {
  for (const Parameter& parameter : entry.options.parameters) {
    Error warning =
        refuse(entry, Code::unsupported, "option \"" + parameter.key + "\" means nothing to a bind mount");
    if (const std::string_view advice = advice_on(parameter.key); !advice.empty()) warning.advise(advice);
    mounting.compilation.warnings.push_back(warning);
  }
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
  if (entry.destination == "/proc") operation.target.flags |= program::kTargetForProc;
  if (is_in_proc(entry)) operation.target.flags |= program::kTargetInProc;
  operation.attributes = own_attributes(entry.options);
  operation.replaced = replaced_attributes(entry.options);
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
