// SPDX-License-Identifier: Apache-2.0
// Loading the filter, and getting its listener out past it.
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "init/context.hpp"

namespace davit::init {
namespace {

constexpr u64 kStackSize = 16384;
constexpr u64 kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
constexpr i32 kPending = -1;
constexpr i32 kNothing = -2;

/// What the filtered task and its helper share. The filtered task only writes and reads memory: a system call
/// of its own might be forbidden, or be the first one to wait for the very listener that is to be sent.
struct Handover {
  Context* context;
  const Operation* operation;
  i32 listener = kPending;
  i32 sent = 0;
  i32 is_done = 0;
};

/// Starts `entry(handover)` as a thread on its own stack.
long start_thread(void (*entry)(Handover*), Handover* handover, u64 stack_top) {
#if defined(__x86_64__)
  long result = __NR_clone;
  register auto function asm("r12") = entry;
  register auto argument asm("r13") = handover;
  register long child_tid asm("r10") = 0;
  register long tls asm("r8") = 0;
  asm volatile(
      "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\t"
      "xor %%ebp, %%ebp\n\tmov %%r13, %%rdi\n\tcall *%%r12\n\thlt\n1:"
      : "+a"(result)
      : "D"(kThread), "S"(stack_top), "d"(0L), "r"(child_tid), "r"(tls), "r"(function), "r"(argument)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long number asm("x8") = __NR_clone;
  register u64 flags asm("x0") = kThread;
  register u64 stack asm("x1") = stack_top;
  register long parent_tid asm("x2") = 0;
  register long tls asm("x3") = 0;
  register long child_tid asm("x4") = 0;
  register auto function asm("x20") = entry;
  register auto argument asm("x21") = handover;
  asm volatile(
      "svc 0\n\tcbnz x0, 1f\n\t"
      "mov x29, #0\n\tmov x30, #0\n\tmov x0, x21\n\tblr x20\n\tbrk #0\n1:"
      : "+r"(flags)
      : "r"(number), "r"(stack), "r"(parent_tid), "r"(tls), "r"(child_tid), "r"(function), "r"(argument)
      : "memory");
  return static_cast<long>(flags);
#endif
}

/// Sends the listener, and waits until davit has found it an owner: a program whose agent is missing must not
/// run.
Status hand_over(Handover& handover, FdRef listener) {
  Context& context = *handover.context;
  INIT_TRY(send(context, MessageType::seccomp_listener, *handover.operation, {}, listener));
  return await_host(context, Point::owned);
}

/// The helper: waits until the filter is on, hands the listener over, and is gone.
void send_listener(Handover* handover) {
  const __kernel_timespec moment{0, 20000};
  i32 listener = kPending;
  while ((listener = __atomic_load_n(&handover->listener, __ATOMIC_ACQUIRE)) == kPending)
    syscall(__NR_nanosleep, &moment, nullptr);
  if (listener >= 0) {
    const Fd owned(listener);
    handover->sent = hand_over(*handover, owned).error;
  }
  __atomic_store_n(&handover->is_done, 1, __ATOMIC_RELEASE);
  syscall(__NR_exit, 0);
  __builtin_trap();  // the filter is its own as well (tsync), and refuses even that
}

Status load(const program::LoadSeccomp& operation, const sock_fprog& filter, long& listener) {
  listener = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, operation.flags, &filter);
  return check(listener, Detail::load_filter);
}

/// CLONE_THREAD is refused to whom setns(2) has promised another pid namespace for his children.
Status join_pid_namespace(const Context& context, const program::LoadSeccomp& operation) {
  if (operation.pid_namespace == program::kNoSlot) return kDone;
  const Fd file(context.take(operation.pid_namespace));
  return check(syscall(__NR_setns, FdRef(file), CLONE_NEWPID), Detail::load_filter);
}

Status load_with_helper(Context& context, const program::LoadSeccomp& operation, const sock_fprog& filter) {
  const long stack =
      syscall(__NR_mmap, nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  INIT_TRY(check(stack, Detail::send_listener));
  Handover handover{&context, &operation};
  const long thread = start_thread(send_listener, &handover, static_cast<u64>(stack) + kStackSize);
  INIT_TRY(check(thread, Detail::send_listener));
  long listener = 0;
  Status status = join_pid_namespace(context, operation);
  if (!status.failed()) status = load(operation, filter, listener);
  __atomic_store_n(&handover.listener, status.failed() ? kNothing : static_cast<i32>(listener),
                   __ATOMIC_RELEASE);
  while (__atomic_load_n(&handover.is_done, __ATOMIC_ACQUIRE) == 0) {
  }
  return status.failed() ? status : Status{handover.sent, Detail::send_listener};
}

/// The filter as the kernel takes it.
Status find_filter(const Context& context, const program::LoadSeccomp& operation, sock_fprog& filter) {
  const FdRef file = context.slot(operation.filter);
  struct statx info;
  INIT_TRY(check(syscall(__NR_statx, file, "", AT_EMPTY_PATH, STATX_SIZE, &info), Detail::load_filter));
  const u64 count = info.stx_size / sizeof(sock_filter);
  if (count == 0 || count > BPF_MAXINSNS) return {EINVAL, Detail::load_filter};
  const long mapped = syscall(__NR_mmap, nullptr, info.stx_size, PROT_READ, MAP_PRIVATE, file, 0);
  INIT_TRY(check(mapped, Detail::load_filter));
  filter = {static_cast<u16>(count), reinterpret_cast<sock_filter*>(mapped)};
  return kDone;
}

}  // namespace

Status perform(Context& context, const program::LoadSeccomp& operation) {
  sock_fprog filter{};
  INIT_TRY(find_filter(context, operation, filter));
  INIT_TRY(settle(context));
  if ((operation.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0)
    return load_with_helper(context, operation, filter);
  long nothing = 0;
  return load(operation, filter, nothing);
}

}  // namespace davit::init
