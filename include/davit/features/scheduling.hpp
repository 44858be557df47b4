// SPDX-License-Identifier: Apache-2.0
// How the process is scheduled: policy, I/O priority, NUMA memory policy, personality, exec's CPU affinity.
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"

namespace davit::scheduling {

/// process.scheduler; `config` is the container's, for the CPU list that some policies exclude.
Result<void> compile_scheduler(features::Compilation& out, const spec::Config& config,
                               const spec::Process& process);
/// Whether a fork takes from the process what process.scheduler gives it, or is refused: then an exec has it
/// set from outside, after its fork.
bool is_lost_by_fork(const spec::Process& process);
/// What compile_scheduler emits; of a process that has a scheduler.
Result<program::SetScheduler> scheduler_of(const spec::Config& config, const spec::Process& process);
/// sched_setattr(2) of another process.
Result<void> set_scheduler(pid_t pid, const program::SetScheduler& scheduler);
/// process.ioPriority, for the process group.
void compile_io_priority(features::Compilation& out, const spec::Process& process);
/// linux.memoryPolicy.
Result<void> compile_memory_policy(features::Compilation& out, const spec::Config& config);
/// linux.personality.
void compile_personality(features::Compilation& out, const spec::Config& config);
/// process.execCPUAffinity.initial: before exec's process joins the cgroup. Not for create.
Result<void> compile_initial_affinity(features::Compilation& out, const spec::Process& process);
/// All processors of the cgroup, whatever davit's caller was bound to; for init, once it is there.
void compile_all_processors(features::Compilation& out);
/// process.execCPUAffinity.final: after it has joined. With neither of both, compile_all_processors.
Result<void> compile_final_affinity(features::Compilation& out, const spec::Process& process);

/// Parses "0-3,7" into a bit mask of 64-bit words; no bit may be `limit` or above.
Result<std::vector<program::u64>> parse_list(std::string_view list, unsigned limit);

}  // namespace davit::scheduling
