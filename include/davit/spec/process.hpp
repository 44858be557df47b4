// SPDX-License-Identifier: Apache-2.0
// The `process` object of runtime-spec 1.3 as plain structs; also the document of `exec --process`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/spec/position.hpp"

namespace davit::spec {

/// Size of the terminal in characters.
struct ConsoleSize {
  std::uint16_t height = 0;
  std::uint16_t width = 0;
};

/// Ids as seen inside the container's user namespace.
struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;  ///< absent: leave the umask alone
  std::vector<std::uint32_t> additional_gids;
  Position position;
};

/// Capability names as written ("CAP_CHOWN"); features/credentials resolves them.
struct Capabilities {
  std::vector<std::string> bounding;
  std::vector<std::string> effective;
  std::vector<std::string> inheritable;
  std::vector<std::string> permitted;
  std::vector<std::string> ambient;
  Position position;
};

/// One resource limit; `type` is checked to be a known name ("RLIMIT_NOFILE") and unique.
struct Rlimit {
  std::string type;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  Position position;
};

enum class SchedulerPolicy : std::uint8_t { other, fifo, rr, batch, iso, idle, deadline };
enum class SchedulerFlag : std::uint8_t {
  reset_on_fork,
  reclaim,
  dl_overrun,
  keep_policy,
  keep_params,
  util_clamp_min,
  util_clamp_max,
};

/// Scheduling attributes for sched_setattr(2); times in nanoseconds.
struct Scheduler {
  SchedulerPolicy policy = SchedulerPolicy::other;
  std::int32_t nice = 0;
  std::int32_t priority = 0;
  std::vector<SchedulerFlag> flags;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  Position position;
};

enum class IoPriorityClass : std::uint8_t { realtime, best_effort, idle };

/// I/O priority of the process group; `priority` is 0..7.
struct IoPriority {
  IoPriorityClass priority_class = IoPriorityClass::best_effort;
  std::int32_t priority = 0;
  Position position;
};

/// CPU lists for the process that performs `exec`, before and after it joins the cgroup; empty: do not touch.
struct ExecCpuAffinity {
  std::string initial;
  std::string final;
  Position position;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;  ///< only kept when terminal is true
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd;                           ///< absolute
  std::optional<Capabilities> capabilities;  ///< absent: no set was asked for
  std::vector<Rlimit> rlimits;
  std::string apparmor_profile;  ///< empty: none asked for
  std::string selinux_label;     ///< empty: none asked for
  bool no_new_privileges = false;
  std::optional<std::int32_t> oom_score_adj;  ///< absent: leave it alone
  std::optional<Scheduler> scheduler;
  std::optional<IoPriority> io_priority;
  ExecCpuAffinity exec_cpu_affinity;
  Position position;
};

}  // namespace davit::spec
