// SPDX-License-Identifier: Apache-2.0
// From a config to what davit and init do: the one place that knows the right order.
#pragma once

#include <optional>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/features/compilation.hpp"
#include "davit/features/seccomp.hpp"
#include "davit/program/builder.hpp"
#include "davit/program/setting_operations.hpp"
#include "davit/spec/config.hpp"

namespace davit::plan {

/// A compiled container or exec: the program, and what davit has to do beside it.
struct Plan {
  program::Program program;
  std::vector<features::HostRequest> requests;
  std::vector<features::Place> places;  ///< by program::Origin
  std::vector<Error> warnings;
  bool staged = false;  ///< a stage forks init (architecture: spawning); Message::child tells the pid
  std::uint64_t clone_flags = 0;    ///< CLONE_NEW* for the clone of an init without stage
  bool awaits_filter = false;       ///< init waits at Point::seccomp
  bool runs_runtime_hooks = false;  ///< init waits at Point::mounts
  bool sets_limits = false;         ///< init waits at Point::limits
  bool awaits_owner = false;        ///< the stage waits at Point::owned before its child goes on
  std::optional<program::SetScheduler> scheduler{};  ///< davit sets it before that
};

/// What a compilation needs to know besides the config.
struct Input {
  const spec::Config& config;
  const host::Facts& facts;
  features::Call call;
  cgroup::Place place;
  bool is_attached = false;             ///< davit puts init into its cgroups, at Point::attached
  std::vector<std::string> task_paths;  ///< cgroup files that init opens and writes itself to
  bool start_by_socket = true;
  bool mounts_foreign_procfs = false;  ///< see namespaces::can_mount_procfs_of
  bool trace = false;
};

/// Compiles create and run. Pure: no system calls but those of `SourceKind` look-ups for bind mounts.
Result<Plan> compile_container(const Input& input);

/// A process that does nothing but wait until davit's end of its channel is gone.
Plan compile_member(const host::Facts& facts);

/// What compile_container emits from the wait for the start on (operation 0), for those who know the config
/// but not the host it was compiled for. To be described, not to be run.
Plan compile_after_start(const spec::Config& config, const features::Call& call);

struct ExecInput {
  const spec::Config& config;    ///< of the container
  const spec::Process& process;  ///< to be run
  const host::Facts& facts;
  features::Call call;
  std::uint32_t task_files = 0;  ///< how many cgroup_file requests init writes itself to
  bool is_attached = false;      ///< davit puts the process into its cgroups, at Point::attached
  std::uint32_t join_types = 0;  ///< CLONE_NEW* of the container's init that differ from ours
  bool joins_user = false;       ///< a user namespace is among them
  bool enters_root = false;      ///< the root of the mount namespace is not the container's (--no-pivot)
  bool sets_limits = false;
  bool has_tracers = false;  ///< an earlier exec brought in who may trace others
  bool trace = false;
};

/// Compiles exec.
Result<Plan> compile_exec(const ExecInput& input);

struct MountsInput {
  const spec::Config& config;  ///< of the container, with the mounts that are meant instead of its own
  const host::Facts& facts;
  features::Call call;
  std::uint32_t join_types = 0;  ///< as ExecInput::join_types
  bool joins_user = false;
  std::string mount_namespace{};  ///< a path to it: what was looked at, whatever the container's init does
  std::string root{};             ///< a path to its root, as before
  bool removes = false;
};

/// Compiles `mounts add` and `mounts remove`.
Result<Plan> compile_mounts(const MountsInput& input);

/// Rules that span features. All errors at once; what has any must not be
/// compiled.
std::vector<Error> validate(const spec::Config& config);

}  // namespace davit::plan
