// What the kinds of mounts have in common while they are compiled.
#pragma once

#include <string>

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
};

/// What all entries share.
struct Mounting {
  features::Compilation& compilation;
  const spec::Config& config;
  const CgroupDirectories& cgroups;
  const SourceQueries& queries;
  Sealing sealing;
};

/// A namespace type that the container makes or joins.
inline bool has_namespace(const spec::Config& config, spec::NamespaceType type) {
  return config.linux.find_namespace(type) != nullptr;
}
inline bool is_new_namespace(const spec::Config& config, spec::NamespaceType type) {
  const spec::Namespace* entry = config.linux.find_namespace(type);
  return entry != nullptr && entry->path.empty();
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
/// A detached copy of what is at a host path: opened by davit, or by init where davit lacks the privilege.
program::Slot tree_of(features::Compilation& compilation, features::HostRequest wanted,
                      program::Origin origin);
/// Applies changes of propagation from number `first` on to what is mounted at the destination.
void change_propagation(Mounting& mounting, const Entry& entry, const std::vector<Propagation>& changes,
                        std::size_t first);

/// The kinds.
Result<void> compile_bind(Mounting& mounting, const Entry& entry);
Result<void> compile_filesystem(Mounting& mounting, const Entry& entry);
Result<void> compile_cgroup(Mounting& mounting, const Entry& entry);
Result<void> compile_remount(Mounting& mounting, const Entry& entry);

}  // namespace davit::rootfs
