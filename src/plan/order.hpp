// SPDX-License-Identifier: Apache-2.0
// Pieces that create and exec have in common, in the order of a process's last steps.
#pragma once

#include "davit/plan/plan.hpp"
#include "davit/spec/state.hpp"

namespace davit::plan {

/// The channel and its await/tell points.
void tell(features::Compilation& out, program::Point point);
void await(features::Compilation& out, program::Point point);
/// "0" into each cgroup file that init joins itself: one that davit has opened, or one at a host path.
void compile_attach(features::Compilation& out, std::uint32_t task_files);
void compile_attach(features::Compilation& out, const std::vector<std::string>& task_paths);

/// How the seccomp filter of a process comes to init.
struct Filter {
  const spec::Seccomp* profile = nullptr;          ///< null: none
  program::Slot source = program::kNoSlot;         ///< once it has been asked for
  program::Slot pid_namespace = program::kNoSlot;  ///< joined when it is loaded, see LoadSeccomp
};
/// The filter before anybody has asked for it.
Filter filter_of(const spec::Config& config);
/// Asks davit for the filter; before `ready`.
Filter compile_filter_source(features::Compilation& out, const spec::Config& config);

/// Leaves no descriptors open that the container's program will not have: init then holds on to nothing.
void compile_sweep(features::Compilation& out);

/// prlimit(2) from outside needs the same ids or CAP_SYS_RESOURCE, which davit may lack: limits of a process
/// that will not be root are set (Point::limits) before it changes its ids.
bool takes_limits_as_root(const spec::Process& process);
/// How a process comes to its working directory: as root, who makes it where it is missing (create) or does
/// not, and again as the user if root may not enter.
enum class Entering : std::uint8_t { as_root, made_where_missing, again_as_user };
void compile_directory(features::Compilation& out, const spec::Process& process, Entering how);
/// Who the process is, and what it may: I/O priority, umask, bounding set, limits, ids, capabilities.
/// `holds_admin`: CAP_SYS_ADMIN stays for a filter that is loaded later.
Result<void> compile_identity(features::Compilation& out, const spec::Config& config,
                              const spec::Process& process, bool holds_admin);
/// What is looked at with the eyes of the user: the working directory, where it lies, and the program.
void compile_search(features::Compilation& out, const spec::Process& process);
/// seccomp(2): a filter needs no_new_privs or CAP_SYS_ADMIN.
bool needs_admin(const spec::Process& process, const Filter& filter);
/// A filter with a listener is loaded while davit still serves: no container is created whose agent cannot be
/// reached.
bool has_listener(const Filter& filter);
/// Nothing without a profile.
void compile_filter(features::Compilation& out, const spec::Process& process, const Filter& filter);
/// The startContainer hooks, which run as the process will: under its filter, and with its environment unless
/// they have one.
void compile_start_hooks(features::Compilation& out, const spec::Config& config, const spec::Process& process,
                         const spec::State& state, const Filter& filter);
/// What follows the permission to run: descriptors and execve, and `filter` in between.
void compile_execute(features::Compilation& out, const spec::Process& process, const Filter& filter);

/// Turns a finished compilation into the plan's data.
void finish(features::Compilation& out, Plan& plan);

}  // namespace davit::plan
