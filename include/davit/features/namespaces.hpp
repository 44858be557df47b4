// SPDX-License-Identifier: Apache-2.0
// Which namespaces a container makes or joins, in which order, and what belongs to a new one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/config.hpp"
#include "davit/sys/fd.hpp"

namespace davit::namespaces {

/// How a container's init comes into its namespaces.
struct Plan {
  std::uint32_t clone_flags = 0;  ///< CLONE_NEW* for davit's own clone; 0 with a stage
  bool stage = false;             ///< that clone is a stage; the program has a fork_init (Message::child)
  bool map_ids = false;           ///< the stage meets davit at Point::user_namespace to have its ids mapped
  std::uint32_t fork_flags = 0;   ///< CLONE_NEW* of fork_init
  bool forks_late = false;        ///< the stage unshares these; who is forked needs no more of it
};

/// CLONE_NEW* of a type.
std::uint32_t clone_flag(spec::NamespaceType type);
/// Whether the container has a namespace of this type that is not the caller's (made or joined).
bool has(const spec::Config& config, spec::NamespaceType type);
/// Whether it makes a new one.
bool makes(const spec::Config& config, spec::NamespaceType type);
/// Whether it shares a pid namespace with others, who may trace in the user namespace that its init starts
/// in.
bool shares_pids(const spec::Config& config);

/// Rules between namespaces and the properties that need them; all errors.
std::vector<Error> validate(const spec::Config& config);
/// `forks_late`: the caller of compile_stage emits fork_init where it sees fit.
Plan plan(const spec::Config& config, bool forks_late = false);

/// Joins, and with a stage everything up to and including fork_init. The caller emits before it what attaches
/// the stage to cgroups.
Result<void> compile_stage(features::Compilation& compilation, const spec::Config& config, const Plan& plan);
/// The session keyring, named like the container; after compile_stage.
Result<void> compile_keyring(features::Compilation& compilation);
/// Makes a new cgroup namespace; the process must be in its final cgroup.
Result<void> compile_cgroup_namespace(features::Compilation& compilation, const spec::Config& config);
/// Brings up `lo` of a new network namespace.
Result<void> compile_network(features::Compilation& compilation, const spec::Config& config);
/// Whoever acts for root in the user namespace of the config: 0 where that is mapped, or not known.
program::BecomeNamespaceRoot namespace_root(const spec::Config& config);
/// hostname and domainname.
Result<void> compile_names(features::Compilation& compilation, const spec::Config& config);

/// Opens a namespace file and checks (NS_GET_NSTYPE) that it is of `type` (one CLONE_NEW*).
Result<sys::UniqueFd> open_namespace(const std::string& path, std::uint32_t type);

/// Who owns a namespace: davit's own user namespace, one right below it, or any other.
enum class Owner : std::uint8_t { own, child, other };
Result<Owner> owner_of(sys::FdRef file);

/// Whether who is not in that pid namespace can mount its procfs, with the option `pidns` (since Linux 6.17).
bool can_mount_procfs_of(const std::string& path);

/// Whether a path leads to the mount namespace that davit itself is in.
bool is_own_mount_namespace(const std::string& path);

/// The mappings of a user namespace.
struct Mappings {
  const std::vector<spec::IdMapping>& uids;
  const std::vector<spec::IdMapping>& gids;
};
/// Maps the ids of the user namespace in which `pid` is: by itself when `privileged` or when only the
/// caller's own ids are mapped, else through newuidmap and newgidmap (which the caller of write_mappings
/// waits for).
Result<void> write_mappings(pid_t pid, const Mappings& mappings, bool privileged);
/// A new user namespace without mappings gets the caller's own ids as root, and behind them what
/// /etc/subuid and /etc/subgid grant to it.
void map_caller(spec::Config& config);
/// The range that such a file (subuid(5)) grants to a user, by name or by number; a size of 0: none.
spec::IdMapping subordinate_range(std::string_view text, std::string_view name, std::uint32_t id);
/// What to do about a mapping that newuidmap refused; `range` is what the file grants, of size 0: nothing.
std::string unlisted_advice(std::string_view file, const spec::IdMapping& range, std::string_view key);
/// The same for the caller, from /etc/subuid or /etc/subgid.
std::string unlisted_advice_for_caller(bool is_of_groups);
/// A user namespace that exists only to carry the mappings of an idmapped mount.
Result<sys::UniqueFd> make_idmap_namespace(const Mappings& mappings);

}  // namespace davit::namespaces
