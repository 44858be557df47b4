// SPDX-License-Identifier: Apache-2.0
// What differs between architectures in making a traced process's system call fail.
#pragma once

#include <sys/types.h>

namespace faults {

/// The process stands at the entry of a system call: makes the kernel skip it.
bool skip_call(pid_t pid);
/// The process stands at the exit of a system call: what the program sees as its result.
bool set_result(pid_t pid, long result);

}  // namespace faults
