// SPDX-License-Identifier: Apache-2.0
// What the kinds of mounts have in common while they are compiled.
#pragma once

#include <string>
#include <vector>

#include "davit/features/rootfs.hpp"
#include "features/rootfs/options.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {

/// One entry of mounts[], read.
struct Entry {
  const spec::Mount& mount;
  Options options;
  std::string destination;  ///< clean
  program::Origin origin = 0;
  program::Slot tree = program::kNoSlot;  ///< binds only, see open_source
  bool is_from_host = false;              ///< opened by davit on its own account
  std::string link{};                     ///< copy-symlink: content of the source, if it is a symlink
};

/// Who opens the sources of bind mounts, and what the mounts are when they come.
struct Sources {
  bool by_init = false;         ///< otherwise by davit, for init to inherit
  bool are_slaves = false;      ///< they hear from the host, and the host does not hear from them
  bool become_private = false;  ///< with the whole tree, in one call of compile_seal
};

/// What all entries share.
struct Mounting {
  features::Compilation& compilation;
  const spec::Config& config;
  const CgroupDirectories& cgroups;
  const SourceQueries& queries;
  Sources sources{};
  bool has_shared = false;  ///< there is something shared: what is attached below would become that, too
  bool is_running = false;  ///< the container's processes may have changed what its paths lead to
  Sealing sealing{};
};

/// A namespace type that the container makes or joins.
inline bool has_namespace(const spec::Config& config, spec::NamespaceType type) {
  return config.linux.find_namespace(type) != nullptr;
}
inline bool is_new_namespace(const spec::Config& config, spec::NamespaceType type) {
  const spec::Namespace* entry = config.linux.find_namespace(type);
  return entry != nullptr && entry->path.empty();
}

/// Whether the root's mounts are to be peers of the host's.
inline bool shares_root(const spec::Config& config) {
  const auto& wanted = config.linux.rootfs_propagation;
  return wanted == spec::RootfsPropagation::shared || wanted == spec::RootfsPropagation::rshared;
}
/// Bind mounts, and not what changes one.
inline bool is_source_needed(const Entry& entry) {
  return entry.options.bind && !entry.options.remount;
}

/// Whether the destination says that it is /proc or below; a symlink may lead there all the same.
inline bool is_in_proc(const Entry& entry) {
  return entry.destination == "/proc" || is_below(entry.destination, "/proc");
}

/// An error about an entry, at its place in the config.
inline Error refuse(const Entry& entry, Code code, const std::string& what) {
  return spec::at(entry.mount.position, make_error(code, what));
}

program::Target target_of(Mounting& mounting, const Entry& entry, program::TargetKind kind);
/// Whether davit opens sources only when they are mounted, as they are more than its descriptors.
bool opens_in_turn(const host::Facts& facts, const spec::Config& config);
/// Decides about the sources, for all entries together.
Sources sources_of(const features::Compilation& compilation, const spec::Config& config,
                   const std::vector<Entry>& entries);
/// The changes of propagation that a bind mount needs; what it is already is left out.
std::vector<Propagation> propagations_of(const Mounting& mounting, const Entry& entry);
/// A detached copy of what is at a host path.
program::Slot tree_of(Mounting& mounting, features::HostRequest wanted, program::Origin origin);
/// Whether the source of a bind mount has to be opened before the root is attached: by davit, or because a
/// recursive copy would hold the container's root as well. All others wait for their turn, so that few
/// descriptors are open at once, and mounts are made in the order of the config.
bool is_opened_early(const Mounting& mounting, const Entry& entry);
/// Opens the source of a bind mount, for compile_bind to mount it.
Result<void> open_source(Mounting& mounting, Entry& entry);
/// The container's root: opened before anything is attached, attached before anything is mounted.
program::Slot open_root(Mounting& mounting);
void attach_root(Mounting& mounting, program::Slot tree);
/// Applies changes of propagation from number `first` on to what is mounted at the destination.
void change_propagation(Mounting& mounting, const Entry& entry, const std::vector<Propagation>& changes,
                        std::size_t first);

/// Makes read-only what had to be written first.
void compile_late_readonly(features::Compilation& compilation, const Sealing& sealing);

/// The kinds.
Result<void> compile_bind(Mounting& mounting, const Entry& entry);
Result<void> compile_filesystem(Mounting& mounting, const Entry& entry);
Result<void> compile_cgroup(Mounting& mounting, const Entry& entry);
Result<void> compile_remount(Mounting& mounting, const Entry& entry);

}  // namespace davit::rootfs
