// SPDX-License-Identifier: Apache-2.0
// The only place that clones: from davit to the init image, without a copy of davit's memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/program/builder.hpp"
#include "davit/sys/fd.hpp"

namespace davit::launch {

struct Spawned {
  pid_t pid = -1;
  sys::UniqueFd pidfd;
};

/// clone3(`flags` | VM | CHILD_CLEARTID | PIDFD [| INTO_CGROUP]) and execveat of a sealed memory file that
/// holds the init image and the program; returns when init runs. Init finds open: stdio, that file, and what
/// is not close-on-exec or what the program inherits.
Result<Spawned> spawn(const program::Program& program, std::uint64_t flags, sys::FdRef cgroup);

}  // namespace davit::launch
