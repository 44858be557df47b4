// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_map>

#include "spec/sections.hpp"

namespace davit::spec {
namespace {

template <typename T>
void check_range(Report& report, const Position& position, std::string_view below, T value, T low, T high) {
  if (value < low || value > high)
    report.error(position, below,
                 text("must be between ", std::to_string(low), " and ", std::to_string(high), ", is ",
                      std::to_string(value)));
}

void check_rlimits(Report& report, const Process& process) {
  std::unordered_map<std::string_view, const Rlimit*> first;
  for (const Rlimit& rlimit : process.rlimits) {
    const auto [seen, is_new] = first.emplace(rlimit.type, &rlimit);
    if (!is_new)
      report.error(rlimit.position, "type",
                   text(rlimit.type, " occurs twice, first in ", pointer_of(seen->second->position)));
  }
}

/// ulimit(1) and engines call them without the prefix, and in small letters.
std::string rlimit_meant(std::string_view written) {
  std::string name(written.substr(0, 40));
  for (char& letter : name)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  if (!name.starts_with("RLIMIT_")) name.insert(0, "RLIMIT_");
  const auto known = rlimit_types();
  const bool is_known = std::find(known.begin(), known.end(), name) != known.end();
  return is_known ? text("did you mean \"", name, "\"?") : "see getrlimit(2), e.g. \"RLIMIT_NOFILE\"";
}

bool is_given(const Position& position, std::string_view key) {
  return position.document != nullptr && position.document->at(position.node).find(key).valid();
}

/// What sched_setattr(2) would only call EINVAL.
void check_deadline(Report& report, const Scheduler& scheduler) {
  constexpr std::uint64_t kLeast = 1024;             // nanoseconds: DL_SCALE
  constexpr std::uint64_t kMost = (1ULL << 63) - 1;  // the highest bit has another meaning
  const std::pair<std::string_view, std::uint64_t> times[] = {
      {"runtime", scheduler.runtime}, {"deadline", scheduler.deadline}, {"period", scheduler.period}};
  for (const auto& [key, value] : times) {
    const bool is_optional = key == "period";  // 0: the deadline
    if (!is_given(scheduler.position, key)) {
      if (!is_optional) report.error(scheduler.position, "", text("`SCHED_DEADLINE` requires `", key, "`"));
    } else if (value == 0 && !is_optional) {
      report.error(scheduler.position, key, text(key, " must be greater than 0 with `SCHED_DEADLINE`"));
    } else if (value != 0 && (value < kLeast || value > kMost)) {
      report.error(scheduler.position, key,
                   text(key, " (", std::to_string(value), ") must be between ", std::to_string(kLeast),
                        " and ", std::to_string(kMost)),
                   "it is a time in nanoseconds");
    }
  }
  const auto in_order = [&](std::size_t smaller, std::size_t larger) {
    if (times[larger].second == 0 || times[smaller].second <= times[larger].second) return;
    report.error(scheduler.position, times[smaller].first,
                 text(times[smaller].first, " (", std::to_string(times[smaller].second),
                      ") must be <= ", times[larger].first, " (", std::to_string(times[larger].second), ")"));
  };
  in_order(0, 1);
  in_order(1, 2);
}

}  // namespace

void check(Report& report, Process& process) {
  if (process.args.empty()) report.error(process.position, "args", "must hold at least one entry");
  check_absolute(report, process.position, "cwd", process.cwd);
  for (std::size_t i = 0; i < process.env.size(); ++i) {
    const std::size_t equals = process.env[i].find('=');
    if (equals == 0 || equals == std::string::npos)
      report.warning(process.position, text("env/", std::to_string(i)), "is not of the form NAME=value");
  }
  if (process.oom_score_adj)
    check_range(report, process.position, "oomScoreAdj", *process.oom_score_adj, -1000, 1000);
  check_rlimits(report, process);
}

void check(Report& report, User& user) {
  constexpr std::uint32_t kAllBits = 0777;
  check_id(report, user.position, "uid", user.uid);
  check_id(report, user.position, "gid", user.gid);
  for (std::size_t i = 0; i < user.additional_gids.size(); ++i)
    check_id(report, user.position, text("additionalGids/", std::to_string(i)), user.additional_gids[i]);
  if (user.umask.value_or(0) > kAllBits)
    report.error(user.position, "umask", "must be at most 511 (octal 0777)",
                 "JSON numbers are decimal: 18 is 0022");
}

void check(Report& report, Rlimit& rlimit) {
  const auto known = rlimit_types();
  if (std::find(known.begin(), known.end(), rlimit.type) == known.end())
    report.error(rlimit.position, "type", text("invalid resource limit type ", json::quoted(rlimit.type)),
                 rlimit_meant(rlimit.type));
  if (rlimit.soft > rlimit.hard) report.error(rlimit.position, "soft", "must not be above the hard limit");
}

void check(Report& report, Scheduler& scheduler) {
  const SchedulerPolicy policy = scheduler.policy;
  const bool realtime = policy == SchedulerPolicy::fifo || policy == SchedulerPolicy::rr;
  check_range(report, scheduler.position, "nice", scheduler.nice, -20, 19);
  if (realtime)
    check_range(report, scheduler.position, "priority", scheduler.priority, 1, 99);
  else if (scheduler.priority != 0)
    report.error(scheduler.position, "priority", "only SCHED_FIFO and SCHED_RR have a priority");
  const std::pair<std::string_view, std::uint64_t> times[] = {
      {"runtime", scheduler.runtime}, {"deadline", scheduler.deadline}, {"period", scheduler.period}};
  for (const auto& [key, value] : times)
    if (value != 0 && policy != SchedulerPolicy::deadline)
      report.error(scheduler.position, key, "belongs to SCHED_DEADLINE only");
  if (policy == SchedulerPolicy::deadline) check_deadline(report, scheduler);
}

void check(Report& report, IoPriority& priority) {
  check_range(report, priority.position, "priority", priority.priority, 0, 7);
}

void check(Report& report, ExecCpuAffinity& affinity) {
  const std::pair<std::string_view, std::string_view> lists[] = {{"initial", affinity.initial},
                                                                 {"final", affinity.final}};
  for (const auto& [key, list] : lists)
    if (list.find_first_not_of("0123456789, -") != std::string_view::npos)
      report.error(affinity.position, key, text("invalid CPU list ", json::quoted(list)),
                   "write it like \"0-3,7\"");
}

}  // namespace davit::spec
