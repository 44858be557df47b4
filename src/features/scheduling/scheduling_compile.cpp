// SPDX-License-Identifier: Apache-2.0
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include <algorithm>
#include <charconv>

#include "davit/features/scheduling.hpp"

namespace davit::scheduling {
namespace {

using program::u32;
using program::u64;

constexpr u32 kSchedIso = 4;               // reserved in sched.h without a name
constexpr u32 kWeightedInterleave = 6;     // MPOL_WEIGHTED_INTERLEAVE, Linux 6.9
constexpr unsigned kMaxNodes = 1024;       // CONFIG_NODES_SHIFT is at most 10
constexpr unsigned kMaxProcessors = 8192;  // CONFIG_NR_CPUS is at most 8192

u32 policy_number(spec::SchedulerPolicy policy) {
  switch (policy) {
    case spec::SchedulerPolicy::other:
      return SCHED_NORMAL;
    case spec::SchedulerPolicy::fifo:
      return SCHED_FIFO;
    case spec::SchedulerPolicy::rr:
      return SCHED_RR;
    case spec::SchedulerPolicy::batch:
      return SCHED_BATCH;
    case spec::SchedulerPolicy::iso:
      return kSchedIso;
    case spec::SchedulerPolicy::idle:
      return SCHED_IDLE;
    case spec::SchedulerPolicy::deadline:
      return SCHED_DEADLINE;
  }
  return SCHED_NORMAL;
}

u64 flag_bit(spec::SchedulerFlag flag) {
  switch (flag) {
    case spec::SchedulerFlag::reset_on_fork:
      return SCHED_FLAG_RESET_ON_FORK;
    case spec::SchedulerFlag::reclaim:
      return SCHED_FLAG_RECLAIM;
    case spec::SchedulerFlag::dl_overrun:
      return SCHED_FLAG_DL_OVERRUN;
    case spec::SchedulerFlag::keep_policy:
      return SCHED_FLAG_KEEP_POLICY;
    case spec::SchedulerFlag::keep_params:
      return SCHED_FLAG_KEEP_PARAMS;
    case spec::SchedulerFlag::util_clamp_min:
      return SCHED_FLAG_UTIL_CLAMP_MIN;
    case spec::SchedulerFlag::util_clamp_max:
      return SCHED_FLAG_UTIL_CLAMP_MAX;
  }
  return 0;
}

Error invalid(const spec::Position& position, std::string_view below, std::string_view message) {
  return spec::at(position, below, make_error(Code::invalid_config, message));
}

bool is_realtime(spec::SchedulerPolicy policy) {
  return policy == spec::SchedulerPolicy::fifo || policy == spec::SchedulerPolicy::rr;
}

/// What sched_setattr(2) would only call EINVAL.
Result<void> check_scheduler(const spec::Config& config, const spec::Scheduler& scheduler) {
  const spec::Position& position = scheduler.position;
  const bool is_deadline = scheduler.policy == spec::SchedulerPolicy::deadline;
  if (scheduler.policy == spec::SchedulerPolicy::iso)
    return invalid(position, "policy", "SCHED_ISO is reserved: no kernel implements it");
  if (scheduler.nice < -20 || scheduler.nice > 19)
    return invalid(position, "nice", "invalid scheduler.nice: it must be between -20 and 19");
  if (scheduler.priority != 0 && !is_realtime(scheduler.policy))
    return invalid(position, "priority",
                   "scheduler.priority can only be specified for SCHED_FIFO or SCHED_RR");
  if (is_realtime(scheduler.policy) && (scheduler.priority < 1 || scheduler.priority > 99))
    return invalid(position, "priority",
                   "scheduler.priority must be between 1 and 99 for SCHED_FIFO and SCHED_RR");
  if (!is_deadline && (scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0))
    return invalid(position, "",
                   "scheduler runtime/deadline/period can only be specified for SCHED_DEADLINE");
  // sched(7): a deadline task must be free to run on every processor of its root domain.
  if (is_deadline && !config.linux.resources.cpu.cpus.empty())
    return invalid(position, "policy", "process scheduler can't be used together with AllowedCPUs");
  return {};
}

u32 mode_number(spec::MemoryPolicyMode mode) {
  switch (mode) {
    case spec::MemoryPolicyMode::default_policy:
      return MPOL_DEFAULT;
    case spec::MemoryPolicyMode::bind:
      return MPOL_BIND;
    case spec::MemoryPolicyMode::interleave:
      return MPOL_INTERLEAVE;
    case spec::MemoryPolicyMode::weighted_interleave:
      return kWeightedInterleave;
    case spec::MemoryPolicyMode::preferred:
      return MPOL_PREFERRED;
    case spec::MemoryPolicyMode::preferred_many:
      return MPOL_PREFERRED_MANY;
    case spec::MemoryPolicyMode::local:
      return MPOL_LOCAL;
  }
  return MPOL_DEFAULT;
}

u32 mode_flag(spec::MemoryPolicyFlag flag) {
  switch (flag) {
    case spec::MemoryPolicyFlag::numa_balancing:
      return MPOL_F_NUMA_BALANCING;
    case spec::MemoryPolicyFlag::relative_nodes:
      return MPOL_F_RELATIVE_NODES;
    case spec::MemoryPolicyFlag::static_nodes:
      return MPOL_F_STATIC_NODES;
  }
  return 0;
}

/// Whether set_mempolicy(2) wants nodes with a mode: must, may, must not.
Result<void> check_nodes(const spec::MemoryPolicy& policy) {
  using Mode = spec::MemoryPolicyMode;
  const bool has_nodes = !policy.nodes.empty();
  const bool must_not = policy.mode == Mode::default_policy || policy.mode == Mode::local;
  const bool may = policy.mode == Mode::preferred;
  if (must_not && has_nodes)
    return invalid(policy.position, "nodes", "this memory policy mode takes no nodes");
  if (!must_not && !may && !has_nodes)
    return invalid(policy.position, "nodes", "this memory policy mode needs nodes");
  return {};
}

Result<void> compile_affinity(features::Compilation& out, const spec::ExecCpuAffinity& affinity,
                              std::string_view member, const std::string& list) {
  if (list.empty()) return {};
  auto mask = parse_list(list, kMaxProcessors);
  if (!mask.ok()) return spec::at(affinity.position, member, mask.error().wrap("bad CPU affinity"));
  program::SetAffinity operation;
  operation.mask = out.builder.list(std::span<const u64>(*mask));
  out.builder.emit(operation, out.origin(affinity.position, member));
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool read_number(std::string_view text, unsigned& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<std::vector<u64>> parse_list(std::string_view list, unsigned limit) {
  std::vector<u64> mask;
  std::string_view rest = list;
  for (bool has_more = true; has_more;) {
    const std::size_t comma = rest.find(',');
    has_more = comma != std::string_view::npos;
    const std::string_view part = trimmed(rest.substr(0, comma));
    rest = has_more ? rest.substr(comma + 1) : std::string_view();
    const std::size_t dash = part.find('-');
    unsigned first = 0;
    unsigned last = 0;
    const bool is_range = dash != std::string_view::npos;
    if (!read_number(part.substr(0, dash), first) ||
        !read_number(is_range ? part.substr(dash + 1) : part, last) || last < first)
      return make_error(Code::invalid_config, "\"" + std::string(list) + "\" is not a list such as 0-3,7");
    if (last >= limit)
      return make_error(Code::invalid_config,
                        "\"" + std::string(list) + "\" goes beyond " + std::to_string(limit - 1));
    if (mask.size() <= last / 64) mask.resize(last / 64 + 1);
    for (unsigned bit = first; bit <= last; ++bit) mask[bit / 64] |= u64{1} << bit % 64;
  }
  return mask;
}

bool is_lost_by_fork(const spec::Process& process) {
  if (!process.scheduler) return false;
  const auto& flags = process.scheduler->flags;
  return process.scheduler->policy == spec::SchedulerPolicy::deadline ||
         std::find(flags.begin(), flags.end(), spec::SchedulerFlag::reset_on_fork) != flags.end();
}

Result<program::SetScheduler> scheduler_of(const spec::Config& config, const spec::Process& process) {
  const spec::Scheduler& scheduler = *process.scheduler;
  TRY(check_scheduler(config, scheduler));
  program::SetScheduler operation;
  operation.policy = policy_number(scheduler.policy);
  operation.nice = scheduler.nice;
  operation.priority = static_cast<u32>(scheduler.priority);
  for (const spec::SchedulerFlag flag : scheduler.flags) operation.flags |= flag_bit(flag);
  operation.runtime = scheduler.runtime;
  operation.deadline = scheduler.deadline;
  operation.period = scheduler.period;
  return operation;
}

Result<void> compile_scheduler(features::Compilation& out, const spec::Config& config,
                               const spec::Process& process) {
  if (!process.scheduler) return {};
  out.builder.emit(TRY(scheduler_of(config, process)), out.origin(process.scheduler->position));
  return {};
}

void compile_io_priority(features::Compilation& out, const spec::Process& process) {
  if (!process.io_priority) return;
  const spec::IoPriority& priority = *process.io_priority;
  // ioprio_set(2); linux/ioprio.h of some releases is no C++.
  constexpr u32 kRealtime = 1, kBestEffort = 2, kIdle = 3, kClassShift = 13;
  u32 number = kBestEffort;
  if (priority.priority_class == spec::IoPriorityClass::realtime) number = kRealtime;
  if (priority.priority_class == spec::IoPriorityClass::idle) number = kIdle;
  program::SetIoPriority operation;
  operation.value = number << kClassShift | (static_cast<u32>(priority.priority) & 7);
  out.builder.emit(operation, out.origin(priority.position));
}

Result<void> compile_memory_policy(features::Compilation& out, const spec::Config& config) {
  if (!config.linux.memory_policy) return {};
  const spec::MemoryPolicy& policy = *config.linux.memory_policy;
  TRY(check_nodes(policy));
  program::SetMemoryPolicy operation;
  operation.mode = mode_number(policy.mode);
  for (const spec::MemoryPolicyFlag flag : policy.flags) operation.mode |= mode_flag(flag);
  if (!policy.nodes.empty()) {
    auto mask = parse_list(policy.nodes, kMaxNodes);
    if (!mask.ok())
      return spec::at(policy.position, "nodes", mask.error().wrap("invalid memory policy node"));
    operation.nodes = out.builder.list(std::span<const u64>(*mask));
    // The kernel reads one bit less than it is told (get_nodes in mempolicy.c).
    operation.max_node = static_cast<u32>(mask->size() * 64 + 1);
  }
  out.builder.emit(operation, out.origin(policy.position));
  return {};
}

void compile_personality(features::Compilation& out, const spec::Config& config) {
  if (!config.linux.personality) return;
  const spec::Personality& personality = *config.linux.personality;
  program::SetPersonality operation;
  operation.persona = personality.domain == spec::PersonalityDomain::linux32 ? PER_LINUX32 : PER_LINUX;
  out.builder.emit(operation, out.origin(personality.position));
}

Result<void> compile_initial_affinity(features::Compilation& out, const spec::Process& process) {
  return compile_affinity(out, process.exec_cpu_affinity, "initial", process.exec_cpu_affinity.initial);
}

void compile_all_processors(features::Compilation& out) {
  out.builder.emit(program::SetAffinity{});
}

Result<void> compile_final_affinity(features::Compilation& out, const spec::Process& process) {
  const spec::ExecCpuAffinity& affinity = process.exec_cpu_affinity;
  if (affinity.initial.empty() && affinity.final.empty()) compile_all_processors(out);
  return compile_affinity(out, process.exec_cpu_affinity, "final", process.exec_cpu_affinity.final);
}

}  // namespace davit::scheduling
