// SPDX-License-Identifier: Apache-2.0
// The root itself: how it gets into the mount namespace, and how it becomes "/".
#include <linux/mount.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;
using spec::RootfsPropagation;

struct FinalPropagation {
  std::uint64_t type = 0;
  bool recursive = false;
};

/// rprivate is no last word over the mounts' own: it is what they start from, see sources_compile.cpp.
FinalPropagation final_propagation(const spec::Config& config) {
  if (!config.linux.rootfs_propagation) return {};
  switch (*config.linux.rootfs_propagation) {
    case RootfsPropagation::private_mount:
    case RootfsPropagation::rprivate:
      return {MS_PRIVATE, false};
    case RootfsPropagation::shared:
      return {MS_SHARED, false};
    case RootfsPropagation::slave:
      return {MS_SLAVE, false};
    case RootfsPropagation::unbindable:
      return {MS_UNBINDABLE, false};
    case RootfsPropagation::rshared:
      return {MS_SHARED, true};
    case RootfsPropagation::rslave:
      return {MS_SLAVE, true};
    case RootfsPropagation::runbindable:
      return {MS_UNBINDABLE, true};
  }
  return {};
}

/// The root is no place to put something over: it is changed itself.
bool is_root(const spec::ListedPath& entry) {
  return clean_path(entry.path) == "/";
}

bool wants_readonly(const spec::Config& config) {
  const auto& paths = config.linux.readonly_paths;
  return config.root.readonly || std::any_of(paths.begin(), paths.end(), is_root);
}

bool wants_slave(const spec::Config& config) {
  return final_propagation(config).type == MS_SLAVE;
}

}  // namespace

program::Slot open_root(Mounting& mounting) {
  features::Compilation& compilation = mounting.compilation;
  // Before anything is mounted, so that nothing of the container ever shows up on the host. A joined mount
  // namespace belongs to somebody else: its propagation is not ours to change.
  if (is_new_namespace(mounting.config, NamespaceType::mount)) {
    program::SetPropagation isolate;
    isolate.flags = MS_SLAVE | MS_REC;
    compilation.builder.emit(isolate);
  }
  const spec::Root& root = mounting.config.root;
  features::HostRequest wanted;
  // Init is there already, see compile_place, and opens it from where it will attach it.
  if (!mounting.sources.by_init || !is_new_namespace(mounting.config, NamespaceType::mount))
    wanted.path = host_path(root.path, compilation.call.bundle);
  wanted.recursive = true;
  wanted.position = root.position;
  return tree_of(mounting, std::move(wanted), compilation.origin(root.position, "path"));
}

void compile_place(features::Compilation& compilation, const spec::Config& config) {
  if (!is_new_namespace(config, NamespaceType::mount)) return;
  program::EnterPlace enter;
  enter.host_path = compilation.builder.text(host_path(config.root.path, compilation.call.bundle));
  compilation.builder.emit(enter, compilation.origin(config.root.position, "path"));
}

void attach_root(Mounting& mounting, program::Slot tree) {
  mounting.compilation.root = tree;
  // Without a mount namespace there is nowhere to attach it: the detached copy itself becomes the root.
  if (!has_namespace(mounting.config, NamespaceType::mount)) return;
  program::AttachRoot attach;
  attach.tree = tree;
  // Private unless the container asked to see later mounts of the host: pivot_root refuses a shared root.
  const std::uint64_t wanted = wants_slave(mounting.config) ? MS_SLAVE : MS_PRIVATE;
  const Sources& sources = mounting.sources;
  const bool is_done = sources.become_private || (sources.are_slaves && wanted == MS_SLAVE);
  if (!is_done) attach.recursive_attributes.propagation = wanted;
  const program::Origin origin = mounting.compilation.origin(mounting.config.root.position, "path");
  mounting.compilation.builder.emit(attach, origin);
}

Result<void> compile_pivot(features::Compilation& compilation, const spec::Config& config) {
  const program::Origin origin = compilation.origin(config.root.position, "path");
  if (!is_new_namespace(config, NamespaceType::mount)) {
    // pivot_root would pull the root away from everybody else in a namespace that is not only ours.
    program::EnterRoot enter;
    enter.directory = compilation.root;
    compilation.builder.emit(enter, origin);
  } else if (compilation.call.no_pivot) {
    program::ChangeRoot change;
    change.root = compilation.root;
    compilation.builder.emit(change, origin);
  } else {
    program::PivotRoot pivot;
    pivot.root = compilation.root;
    compilation.builder.emit(pivot, origin);
  }
  return {};
}

void compile_late_readonly(features::Compilation& compilation, const Sealing& sealing) {
  for (const LateReadonly& late : sealing.read_only) {
    // The mount's own descriptor is the root of the path, so that nothing mounted over it can take its place.
    program::Remount remount;
    remount.root = late.mount;
    remount.target.path = compilation.builder.text("/");
    remount.target.flags = program::kTargetMustExist;
    remount.attributes.set = MOUNT_ATTR_RDONLY;
    compilation.builder.emit(remount, late.origin);
  }
}

Result<void> compile_seal(features::Compilation& compilation, const spec::Config& config,
                          const Sealing& sealing) {
  compile_late_readonly(compilation, sealing);
  FinalPropagation propagation = final_propagation(config);
  if (sealing.becomes_private) propagation = {MS_PRIVATE, true};
  program::SealRoot seal;
  seal.root = compilation.root;
  seal.recursive_propagation = propagation.recursive ? 1 : 0;
  seal.attributes.propagation = propagation.type;
  if (wants_readonly(config)) seal.attributes.set = MOUNT_ATTR_RDONLY;
  const bool anything = seal.attributes.propagation != 0 || seal.attributes.set != 0;
  const char* const property = seal.attributes.set != 0 ? "readonly" : "path";
  if (anything) compilation.builder.emit(seal, compilation.origin(config.root.position, property));
  return {};
}

Result<void> compile_masks(features::Compilation& compilation, const spec::Config& config) {
  // Read-only first: a path in both lists ends up masked, as a recursive clone would carry a mask along.
  std::unordered_set<std::string> done;
  for (const spec::ListedPath& entry : config.linux.readonly_paths) {
    const std::string path = clean_path(entry.path);
    if (is_root(entry) || !done.insert(path).second) continue;  // the root: compile_seal
    program::ProtectPath protect;
    protect.path = compilation.builder.text(path);
    protect.root = compilation.root;
    compilation.builder.emit(protect, compilation.origin(entry.position));
  }
  done.clear();
  for (const spec::ListedPath& entry : config.linux.masked_paths) {
    if (is_root(entry))
      return spec::at(entry.position, make_error(Code::invalid_config, "the root itself cannot be masked"));
    const std::string path = clean_path(entry.path);
    if (!done.insert(path).second) continue;
    program::MaskPath mask;
    mask.path = compilation.builder.text(path);
    mask.root = compilation.root;
    compilation.builder.emit(mask, compilation.origin(entry.position));
  }
  return {};
}

}  // namespace davit::rootfs
