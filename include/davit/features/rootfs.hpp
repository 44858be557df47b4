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

enum class SourceKind : std::uint8_t { directory, other };

/// What compile_mounts asks the host about the sources of bind mounts; unit tests answer themselves.
struct SourceQueries {
  Result<SourceKind> (*kind)(const std::string& host_path);   ///< follows symlinks
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
using Sealing = std::vector<LateReadonly>;

/// Isolates the mount namespace from the host's propagation and attaches the root; sets compilation.root.
Result<void> compile_root(features::Compilation& compilation, const spec::Config& config);
/// All of mounts[] in their order. A mount on "/" replaces compilation.root.
Result<Sealing> compile_mounts(features::Compilation& compilation, const spec::Config& config,
                               const CgroupDirectories& cgroups, const SourceQueries& queries);
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
