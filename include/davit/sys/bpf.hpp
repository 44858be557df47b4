// SPDX-License-Identifier: Apache-2.0
// bpf(2) as far as device programs of cgroups need it.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

/// Loads a BPF_PROG_TYPE_CGROUP_DEVICE program. Before Linux 5.11 its memory counts against RLIMIT_MEMLOCK,
/// which is lifted for the attempt if need be.
Result<UniqueFd> load_device_program(std::span<const bpf_insn> program);
/// Attaches it to a cgroup beside those that are there; with a valid `replaced`, in place of that one.
Result<void> attach_device_program(FdRef cgroup, FdRef program, FdRef replaced);
Result<void> detach_device_program(FdRef cgroup, FdRef program);
/// Programs attached to this very cgroup (not to its ancestors).
Result<std::vector<UniqueFd>> attached_device_programs(FdRef cgroup);

}  // namespace davit::sys
