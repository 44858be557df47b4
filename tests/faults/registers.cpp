// SPDX-License-Identifier: Apache-2.0
#include "faults/registers.hpp"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <cstddef>

namespace faults {
namespace {

struct Registers {
  user_regs_struct values;
  bool transfer(pid_t pid, __ptrace_request direction) {
    iovec area = {&values, sizeof values};
    return ptrace(direction, pid, NT_PRSTATUS, &area) == 0;
  }
};

}  // namespace

#if defined(__x86_64__)

bool skip_call(pid_t pid) {
  return ptrace(PTRACE_POKEUSER, pid, offsetof(user, regs.orig_rax), -1L) == 0;
}

bool set_result(pid_t pid, long result) {
  Registers registers{};
  if (!registers.transfer(pid, PTRACE_GETREGSET)) return false;
  registers.values.rax = static_cast<unsigned long>(result);
  return registers.transfer(pid, PTRACE_SETREGSET);
}

#elif defined(__aarch64__)

bool skip_call(pid_t pid) {
  constexpr int kSystemCall = 0x404;  // NT_ARM_SYSTEM_CALL
  int none = -1;
  iovec area = {&none, sizeof none};
  return ptrace(PTRACE_SETREGSET, pid, kSystemCall, &area) == 0;
}

bool set_result(pid_t pid, long result) {
  Registers registers{};
  if (!registers.transfer(pid, PTRACE_GETREGSET)) return false;
  registers.values.regs[0] = static_cast<unsigned long>(result);
  return registers.transfer(pid, PTRACE_SETREGSET);
}

#endif

}  // namespace faults
