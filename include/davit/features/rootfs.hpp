// SPDX-License-Identifier: Apache-2.0
// The container's file tree: its root, mounts, masked and read-only paths, and the step into it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/host/facts.hpp"
#include "davit/spec/config.hpp"

namespace davit::rootfs {

/// What compile_tree asks the host; unit tests answer themselves.
struct SourceQueries {
  bool (*exists)(const std::string& host_path);
  Result<std::string> (*link)(const std::string& host_path);  ///< content of a symlink; empty: it is none
  bool (*is_procfs)(const std::string& host_path);
  bool (*is_own_cgroup_namespace)(const std::string& path);  ///< the one that davit is in
};
/// The queries that look at this machine.
SourceQueries host_queries();

/// The container's own directory in each hierarchy of facts.cgroup.hierarchies, in the same order (host
/// paths); empty: the container stays in the caller's cgroups.
using CgroupDirectories = std::vector<std::string>;

/// A mount that compile_seal makes read-only, after everything has been put into it.
struct LateReadonly {
  program::Slot mount = program::kNoSlot;
  program::Origin origin = 0;
};

/// What a compiled tree leaves for compile_seal.
struct Sealing {
  std::vector<LateReadonly> read_only;
  bool becomes_private = false;  ///< the whole tree
};

/// Goes to where compile_tree will attach the root; before any namespace is entered.
void compile_place(features::Compilation& compilation, const spec::Config& config);
/// Isolates the mount namespace from the host's propagation, attaches the root, and mounts all of mounts[] in
/// their order. Sets compilation.root; a mount on "/" replaces it.
Result<Sealing> compile_tree(features::Compilation& compilation, const spec::Config& config,
                             const CgroupDirectories& cgroups, const SourceQueries& queries);
/// Mounts all of config.mounts, in their order, into a container that runs: below compilation.root, in its
/// namespaces. Their sources are davit's.
Result<void> compile_additions(features::Compilation& compilation, const spec::Config& config,
                               const SourceQueries& queries);
/// Detaches what is mounted at the destinations of config.mounts, the last first.
Result<void> compile_removals(features::Compilation& compilation, const spec::Config& config);
/// linux.maskedPaths and linux.readonlyPaths; before compile_pivot.
Result<void> compile_masks(features::Compilation& compilation, const spec::Config& config);
/// Makes the container's root "/" (or only enters it, where the mount namespace is not the container's own).
Result<void> compile_pivot(features::Compilation& compilation, const spec::Config& config);
/// What must come last: late read-only mounts, root.readonly, linux.rootfsPropagation; after compile_pivot.
Result<void> compile_seal(features::Compilation& compilation, const spec::Config& config,
                          const Sealing& sealing);

/// Rules between root, mounts and namespaces; all errors.
std::vector<Error> validate(const spec::Config& config);

/// The words of mounts[].options that davit understands itself, sorted (features: mountOptions).
std::vector<std::string> mount_options();

}  // namespace davit::rootfs
