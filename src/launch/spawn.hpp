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

/// clone3(`flags` | VM | VFORK | PIDFD [| INTO_CGROUP]) and execveat of the sealed init image; returns when
/// init runs. Init finds open: stdio, 3 .. 3+preserve_fds-1, the program, and what the program inherits.
Result<Spawned> spawn(const program::Program& program, std::uint64_t flags, sys::FdRef cgroup,
                      std::uint32_t preserve_fds);

}  // namespace davit::launch
