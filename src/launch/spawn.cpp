// SPDX-License-Identifier: Apache-2.0
#include "launch/spawn.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

extern "C" {
extern const std::byte davit_init_image_begin[];
extern const std::byte davit_init_image_end[];
}

namespace davit::launch {
namespace {

/// What the child reads; it shares our memory until it executes, so it writes nothing but `failure`.
struct Child {
  int image = -1;
  const char* const* arguments = nullptr;
  const int* inherited = nullptr;
  std::size_t inherited_count = 0;
  volatile int failure = 0;
};

// Runs on a stack of its own in our address space: only system calls, no allocation, no instrumentation.
__attribute__((no_sanitize("address", "undefined"))) int enter_image(void* argument) {
  auto* child = static_cast<Child*>(argument);
  // Everything else is close-on-exec: what davit opens, and what its caller left open (cli/main.cpp).
  for (std::size_t i = 0; i < child->inherited_count; ++i)
    if (::fcntl(child->inherited[i], F_SETFD, 0) < 0) {
      child->failure = errno;
      return 127;
    }
  const char* const no_environment[] = {nullptr};
  ::syscall(SYS_execveat, child->image, "", child->arguments, no_environment, AT_EMPTY_PATH);
  child->failure = errno;
  return 127;
}

/// clone3(2) whose child calls `function` on the stack named in `arguments`; glibc has no wrapper for it.
long clone_on_stack(struct clone_args* arguments, int (*function)(void*), void* argument) {
  long result;
#if defined(__x86_64__)
  register int (*entry)(void*) asm("r8") = function;
  register void* operand asm("r9") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %%r9, %%rdi\n\t"
      "call *%%r8\n\t"
      "mov %%eax, %%edi\n\t"
      "mov $60, %%eax\n\t"
      "syscall\n\t"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments), "r"(entry), "r"(operand)
      : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long first asm("x0") = reinterpret_cast<long>(arguments);
  register long second asm("x1") = sizeof *arguments;
  register int (*entry)(void*) asm("x9") = function;
  register void* operand asm("x10") = argument;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x0, x10\n\t"
      "blr x9\n\t"
      "mov x8, #93\n\t"
      "svc #0\n"
      "1:"
      : "+r"(first)
      : "r"(number), "r"(second), "r"(entry), "r"(operand)
      : "memory", "x30");
  result = first;
#endif
  return result;
}

constexpr std::size_t kStackSize = 16384;
alignas(16) char child_stack[kStackSize];

/// Set while the child is in our memory: the kernel clears it when the child executes or ends
/// (CLONE_CHILD_CLEARTID), and wakes who waits for that.
std::atomic<std::uint32_t> child_is_here;

/// What CLONE_VFORK waits for, but not in the kernel, deaf to signals: a container may freeze the cgroup in
/// which the child is born, and it would never get to execute.
Result<void> wait_departure() {
  constexpr int kPatience = 60;  // seconds
  constexpr struct timespec kLook = {1, 0};
  for (int looks = 0; child_is_here.load() != 0;) {
    const long woken = ::syscall(SYS_futex, &child_is_here, FUTEX_WAIT, 1, &kLook, nullptr, 0);
    if (sys::Interruption::has_come()) return make_error(Code::system, "interrupted");
    if (woken == 0 || errno == EAGAIN || errno == EINTR) continue;
    if (errno != ETIMEDOUT) return system_error(errno, "wait for the new process");
    if (++looks < kPatience) continue;
    Error error = system_error(ETIMEDOUT, "the new process does not execute davit's init");
    return error.advise("its cgroup may be frozen, by whoever is in the container: thaw or kill it");
  }
  return {};
}

/// It cannot have run anything of the container's.
void end_child(const Spawned& child) {
  constexpr int kDeathTimeout = 1000;  // milliseconds
  (void)sys::send_signal(child.pidfd, SIGKILL);
  const auto ended = sys::wait_end(child.pidfd, kDeathTimeout);
  if (ended.ok() && *ended) (void)sys::wait_for(child.pid);
}

/// Init and, from the next page on, its program.
Result<sys::UniqueFd> seal_image(const program::Program& program, std::size_t& program_at) {
  const std::span init(davit_init_image_begin, davit_init_image_end);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::vector<std::byte> padding((page - init.size() % page) % page);
  program_at = init.size() + padding.size();
  auto memory = sys::sealed_memory("davit-init", {init, padding, program.image}, true);
  if (!memory.ok() && memory.error().errno_value == EACCES)
    memory.error().advise(
        "init runs from memory, which the sysctl vm.memfd_noexec = 2 forbids: set it to 1 or 0");
  return memory;
}

}  // namespace

Result<Spawned> spawn(const program::Program& program, std::uint64_t flags, sys::FdRef cgroup) {
  std::size_t program_at = 0;
  const sys::UniqueFd image = TRY(seal_image(program, program_at));
  const std::string numbers[] = {std::to_string(image.number()), std::to_string(program_at),
                                 std::to_string(program.image.size())};
  const char* const arguments[] = {"davit-init", numbers[0].c_str(), numbers[1].c_str(), numbers[2].c_str(),
                                   nullptr};

  Child child;
  child.image = image.number();
  child.arguments = arguments;
  child.inherited = program.inherited.data();
  child.inherited_count = program.inherited.size();

  int pidfd = -1;
  struct clone_args clone = {};
  clone.flags = flags | CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  clone.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  clone.child_tid = reinterpret_cast<std::uint64_t>(&child_is_here);
  clone.exit_signal = SIGCHLD;
  clone.stack = reinterpret_cast<std::uint64_t>(child_stack);
  clone.stack_size = kStackSize;
  if (cgroup.valid()) {
    clone.flags |= CLONE_INTO_CGROUP;
    clone.cgroup = static_cast<std::uint64_t>(cgroup.number());
  }

  child_is_here = 1;
  // No handler of ours runs in the child while it shares our memory: CLONE_CLEAR_SIGHAND.
  const long pid = clone_on_stack(&clone, enter_image, &child);
  if (pid < 0) {
    Error error = system_error(static_cast<int>(-pid), "clone3 of init");
    if (-pid == EAGAIN)
      error.advise("a pids limit, of the container's cgroup or of this one, leaves no room for it");
    if (-pid == EBUSY && cgroup.valid())
      error.advise(
          "the container's cgroup hands controllers on to others below it (cgroup.subtree_control), and so "
          "takes no processes itself: choose another cgroupsPath");
    return error;
  }
  Spawned spawned;
  spawned.pid = static_cast<pid_t>(pid);
  spawned.pidfd = sys::UniqueFd::adopt(pidfd);
  auto departed = wait_departure();
  if (!departed.ok()) {
    end_child(spawned);
    return departed.error();
  }
  if (child.failure != 0) {
    (void)sys::wait_for(spawned.pid);
    return system_error(child.failure, "execute the init image");
  }
  return spawned;
}

}  // namespace davit::launch
