// SPDX-License-Identifier: Apache-2.0
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "davit/features/scheduling.hpp"

namespace davit::scheduling {
namespace {

/// struct sched_attr of the system call, in its first version: the header that has it is at odds with libc's.
struct Attributes {
  program::u32 size = sizeof(Attributes);
  program::u32 policy = 0;
  program::u64 flags = 0;
  program::i32 nice = 0;
  program::u32 priority = 0;
  program::u64 runtime = 0;
  program::u64 deadline = 0;
  program::u64 period = 0;
};
static_assert(sizeof(Attributes) == 48);

}  // namespace

Result<void> set_scheduler(pid_t pid, const program::SetScheduler& scheduler) {
  Attributes attributes;
  attributes.policy = scheduler.policy;
  attributes.flags = scheduler.flags;
  attributes.nice = scheduler.nice;
  attributes.priority = scheduler.priority;
  attributes.runtime = scheduler.runtime;
  attributes.deadline = scheduler.deadline;
  attributes.period = scheduler.period;
  if (::syscall(SYS_sched_setattr, pid, &attributes, 0) == 0) return {};
  return system_error(errno, "set the scheduler");
}

}  // namespace davit::scheduling
