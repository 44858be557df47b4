// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/bpf.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "sys/call.hpp"

namespace davit::sys {
namespace {

long bpf(int command, union bpf_attr& attributes) {
  return retry([&] { return ::syscall(SYS_bpf, command, &attributes, sizeof attributes); });
}

union bpf_attr zeroed() {
  union bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);  // the kernel checks unused bytes, padding too
  return attributes;
}

std::uint64_t address(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

Result<UniqueFd> load_device_program(std::span<const bpf_insn> program) {
  union bpf_attr attributes = zeroed();
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = address("GPL");
  long number = bpf(BPF_PROG_LOAD, attributes);
  if (number < 0 && errno == EPERM) {
    struct rlimit before = {};
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    const bool lifted =
        ::getrlimit(RLIMIT_MEMLOCK, &before) == 0 && ::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0;
    number = bpf(BPF_PROG_LOAD, attributes);
    const int errno_value = errno;
    if (lifted) ::setrlimit(RLIMIT_MEMLOCK, &before);
    errno = errno_value;
  }
  if (number < 0) return failed("bpf PROG_LOAD", "of the device program");
  return UniqueFd::adopt(static_cast<int>(number));
}

Result<void> attach_device_program(FdRef cgroup, FdRef program, FdRef replaced) {
  union bpf_attr attributes = zeroed();
  attributes.target_fd = static_cast<std::uint32_t>(cgroup.number());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.number());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced.valid()) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<std::uint32_t>(replaced.number());
  }
  if (bpf(BPF_PROG_ATTACH, attributes) < 0) return failed("bpf PROG_ATTACH", "of the device program");
  return {};
}

Result<void> detach_device_program(FdRef cgroup, FdRef program) {
  union bpf_attr attributes = zeroed();
  attributes.target_fd = static_cast<std::uint32_t>(cgroup.number());
  attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.number());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  if (bpf(BPF_PROG_DETACH, attributes) < 0) return failed("bpf PROG_DETACH", "of the device program");
  return {};
}

Result<std::vector<UniqueFd>> attached_device_programs(FdRef cgroup) {
  std::uint32_t ids[64] = {};  // the most that one cgroup takes
  union bpf_attr attributes = zeroed();
  attributes.query.target_fd = static_cast<std::uint32_t>(cgroup.number());
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = address(ids);
  attributes.query.prog_cnt = 64;
  if (bpf(BPF_PROG_QUERY, attributes) < 0) return failed("bpf PROG_QUERY", "of device programs");
  std::vector<UniqueFd> programs;
  for (std::uint32_t i = 0; i < attributes.query.prog_cnt && i < 64; ++i) {
    union bpf_attr one = zeroed();
    one.prog_id = ids[i];
    const long number = bpf(BPF_PROG_GET_FD_BY_ID, one);
    if (number < 0) return failed("bpf PROG_GET_FD_BY_ID", "of a device program");
    programs.push_back(UniqueFd::adopt(static_cast<int>(number)));
  }
  return programs;
}

}  // namespace davit::sys
