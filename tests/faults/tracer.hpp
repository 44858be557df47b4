// SPDX-License-Identifier: Apache-2.0
// Runs a command with all processes it makes under ptrace(2), and disturbs one system call of one of them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace faults {

/// One disturbance: the n-th call (from 0) of a process, counted in the order in which they are made.
struct Fault {
  static constexpr int kKill = -1;
  int process = -1;  ///< 0 is the runtime itself; -1: none, the calls are only written down
  std::size_t call = 0;
  int error = kKill;  ///< an errno, or kKill
};

/// What was seen of a process of the runtime, up to where it became somebody else's program.
struct Process {
  pid_t pid = -1;
  std::string role;  ///< parent, stage, init, helper, or thread of one of them
  std::vector<long> calls;
};

struct Command {
  std::vector<std::string> argv;
  std::function<void()> in_child;  ///< called before the execve
  pid_t existing = -1;             ///< a process that is traced from the beginning, too: a container's init
  int limit_ms = 60000;            ///< after which the command counts as hanging
};

struct Result {
  int status = -1;  ///< exit status, or 128 + signal
  std::string err;
  bool was_hit = false;  ///< the fault came to pass
  bool hung = false;
  int took_ms = 0;
  std::vector<Process> processes;
};

/// Runs the command to its end; what outlives it (a container) is no longer traced after that. The calls of
/// all processes are written down only without a fault, as every stop costs time.
Result trace(const Command& command, const Fault& fault);

/// False for those that do not return.
bool can_fail(long number);
/// The name of a system call, or its number.
std::string call_name(long number);

}  // namespace faults
