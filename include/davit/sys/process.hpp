// SPDX-License-Identifier: Apache-2.0
// Processes: pidfds, signals, waiting, limits.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

/// pidfd_open(2).
Result<UniqueFd> open_pidfd(pid_t pid);
/// A number that no other process of this boot has; 0 where the kernel gives none (before 6.9).
Result<std::uint64_t> pidfd_number(FdRef pidfd);
/// pidfd_send_signal(2).
Result<void> send_signal(FdRef pidfd, int signal);
/// waitpid(2); returns the wait status.
Result<int> wait_for(pid_t pid);
/// Whether the process with this number is a child of ours that nobody has waited for: then the number stays
/// its own until we do.
bool is_child(pid_t pid);
/// prlimit(2) of another process; 0 is this one.
Result<struct rlimit> limit_of(pid_t pid, int resource);
Result<void> set_limit(pid_t pid, int resource, const struct rlimit& limit);
/// Waits until the process behind `pidfd` has ended; false after `milliseconds` (-1: no limit).
Result<bool> wait_end(FdRef pidfd, int milliseconds);
/// How a process ended that somebody else has reaped, as wait(2) has it; nothing where it has not ended so,
/// or the kernel does not say (before 6.15).
std::optional<int> reaped_status(FdRef pidfd);
/// The same of one that nobody has reaped yet; nothing where the kernel does not tell it to us.
std::optional<int> zombie_status(pid_t pid);
/// What there is to be had from a process at the other end of a socket.
enum class Sign : std::uint8_t { word, end, none };
/// Waits for something to read, or the end of file, in `socket`: Sign::word; or for the end of the process
/// behind `pidfd` without either: Sign::end.
Result<Sign> wait_sign(FdRef socket, FdRef pidfd, int milliseconds);
/// State letter and start time (clock ticks since boot) from /proc/<pid>/stat; ESRCH when there is none.
struct ProcessStat {
  char state = '?';
  std::uint64_t start_time = 0;
};
Result<ProcessStat> process_stat(pid_t pid);

/// The signals that this process ignores: bit n-1 for signal n (SigIgn of /proc/self/status).
Result<std::uint64_t> ignored_signals();

}  // namespace davit::sys
