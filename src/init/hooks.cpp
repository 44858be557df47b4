// SPDX-License-Identifier: Apache-2.0
// Hooks that run in the container's namespaces: started, fed with the state, listened to, and timed.
#include "init/execution.hpp"

namespace davit::init {
namespace {

constexpr u32 kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC
constexpr i64 kNanoseconds = 1000000000;
constexpr i64 kLong = 5 * kNanoseconds;  ///< what users want to be told about
constexpr u64 kPipeSize = 65536;

struct PollDescriptor {
  i32 descriptor;
  std::int16_t events;
  std::int16_t returned;
};

/// A running hook as its parent sees it.
struct Hook {
  long pid = -1;
  Fd pidfd;
  Fd output;
  Fd start_error;  ///< EOF once execve has succeeded, else its errno
};

/// The descriptors that become the hook's own.
struct Ends {
  Fd input;
  Fd output;
  Fd start_error;
};

i64 now() {
  __kernel_timespec time{};
  syscall(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &time);
  return time.tv_sec * kNanoseconds + time.tv_nsec;
}

Status write_all(FdRef file, const char* text, u64 length) {
  while (length > 0) {
    const long written = syscall(__NR_write, file, text, length);
    INIT_TRY(check(written, Detail::hook_start));
    text += written;
    length -= static_cast<u64>(written);
  }
  return kDone;
}

/// The state as a file, so that a hook that does not read it blocks nobody.
Status make_state(const Context& context, const program::RunHook& operation, Fd& state) {
  const long made = syscall(__NR_memfd_create, "state", 1U /* MFD_CLOEXEC */);
  INIT_TRY(check(made, Detail::hook_start));
  state = Fd(made);
  char number[24];
  Writer pid(number);
  pid.add_number(static_cast<u64>(syscall(__NR_getpid)));
  const Str before = operation.state_before_pid;
  const Str after = operation.state_after_pid;
  INIT_TRY(write_all(state, context.text(before), before.length));
  INIT_TRY(write_all(state, number, pid.size()));
  INIT_TRY(write_all(state, context.text(after), after.length));
  return check(syscall(__NR_lseek, FdRef(state), 0, 0), Detail::hook_start);
}

Status make_pipe(Fd& reader, Fd& writer, u32 flags) {
  i32 ends[2];
  INIT_TRY(check(syscall(__NR_pipe2, ends, flags | O_CLOEXEC), Detail::hook_start));
  reader = Fd(ends[0]);
  writer = Fd(ends[1]);
  return kDone;
}

/// In the child of a hook that is to run as the container's process does. Init itself still makes calls that
/// no profile knows of.
long confine(Context& context, const program::RunHook& operation) {
  if (operation.is_filtered == 0) return 0;
  program::LoadSeccomp load;
  load.filter = operation.filter;
  load.flags = operation.filter_flags;
  Status status = perform(context, load);
  if (!status.failed() && operation.releases != 0) status = perform(context, program::ReleaseCapabilities{});
  return status.failed() ? -status.error : 0;
}

/// In the child: becomes the hook, or says why not.
[[noreturn]] void become_hook(Context& context, const program::RunHook& operation, const Ends& ends) {
  long result = -settle(context).error;
  if (result >= 0) result = syscall(__NR_setpgid, 0, 0);  // a timeout ends the group as a whole
  if (result >= 0) result = syscall(__NR_close_range, 3, ~0U, kCloseOnExec);
  if (result >= 0) result = syscall(__NR_dup3, FdRef(ends.input), 0, 0);
  if (result >= 0) result = syscall(__NR_dup3, FdRef(ends.output), 1, 0);
  if (result >= 0) result = syscall(__NR_dup3, FdRef(ends.output), 2, 0);
  if (result >= 0) result = confine(context, operation);
  if (result >= 0) {
    const char** arguments = as_pointers(context, operation.arguments);
    const char** environment = as_pointers(context, operation.environment);
    result = syscall(__NR_execve, context.text(operation.path), arguments, environment);
  }
  const i32 error = static_cast<i32>(-result);
  syscall(__NR_write, FdRef(ends.start_error), &error, sizeof error);
  exit_process(127);
}

Status start(Context& context, const program::RunHook& operation, Hook& hook) {
  Ends ends;
  INIT_TRY(make_state(context, operation, ends.input));
  INIT_TRY(make_pipe(hook.output, ends.output, 0));
  INIT_TRY(make_pipe(hook.start_error, ends.start_error, 0));
  // Our own end must not block when it is emptied; the hook's end stays as hooks expect it.
  INIT_TRY(check(syscall(__NR_fcntl, FdRef(hook.output), F_SETFL, O_NONBLOCK), Detail::hook_start));
  i32 pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<u64>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  hook.pid = syscall(__NR_clone3, &arguments, sizeof arguments);
  INIT_TRY(check(hook.pid, Detail::hook_start));
  if (hook.pid == 0) become_hook(context, operation, ends);
  hook.pidfd = Fd(pidfd);
  return kDone;
}

/// Keeps the end of what the hook says. False at EOF. No more than a pipe holds: whoever says more while we
/// listen must not keep us from looking at the clock.
bool listen(Context& context, FdRef output, u32& size) {
  constexpr u32 kKept = sizeof context.message.text - 1;
  char block[kKept];
  for (u64 total = 0; total < kPipeSize; total += kKept) {
    const long got = syscall(__NR_read, output, block, sizeof block);
    if (got == -EAGAIN) return true;
    if (got <= 0) return false;
    const u32 fresh = static_cast<u32>(got);
    const u32 excess = size + fresh > kKept ? size + fresh - kKept : 0;
    char* text = context.message.text;
    __builtin_memmove(text, text + excess, size - excess);
    __builtin_memcpy(text + size - excess, block, fresh);
    size += fresh - excess;
    text[size] = '\0';
  }
  return true;
}

void tell_slow(Context& context, const program::RunHook& operation) {
  const Message said = context.message;  // what the hook has said so far stays
  (void)send(context, MessageType::warning, operation, {0, Detail::hook_slow});  // unheard, it still runs
  context.message = said;
}

/// Nanoseconds until the next moment at which something is to be done; 0: there is none.
i64 sooner(i64 one, i64 other) {
  if (one == 0 || other == 0) return one + other;
  return one < other ? one : other;
}

/// Waits for the end of the hook itself: descendants that hold its output open do not count.
bool wait_end(Context& context, const program::RunHook& operation, const Hook& hook) {
  u32 size = 0;
  const i64 begin = now();
  const i64 deadline =
      operation.timeout_seconds != 0 ? begin + static_cast<i64>(operation.timeout_seconds) * kNanoseconds : 0;
  i64 long_at = begin + kLong;
  PollDescriptor polls[2] = {{FdRef(hook.pidfd).number, POLLIN, 0}, {FdRef(hook.output).number, POLLIN, 0}};
  for (;;) {
    const i64 present = now();
    if (deadline != 0 && present >= deadline) return false;
    if (long_at != 0 && present >= long_at) {
      tell_slow(context, operation);
      long_at = 0;
    }
    const i64 next = sooner(deadline, long_at);
    const __kernel_timespec limit{(next - present) / kNanoseconds, (next - present) % kNanoseconds};
    const long ready = syscall(__NR_ppoll, polls, 2, next != 0 ? &limit : nullptr, nullptr, 8);
    if (ready <= 0) continue;
    if (polls[1].returned != 0 && !listen(context, hook.output, size)) polls[1].descriptor = -1;
    if (polls[0].returned != 0) {
      listen(context, hook.output, size);
      return true;
    }
  }
}

Status judge(Context& context, u32 wait_status) {
  const u32 signal = wait_status & 0x7f;
  const u32 code = wait_status >> 8 & 0xff;
  context.message.value = signal != 0 ? signal : code;
  if (signal != 0) return {ECANCELED, Detail::hook_signal};
  return code != 0 ? Status{ECANCELED, Detail::hook_exit} : kDone;
}

}  // namespace

Status perform(Context& context, const program::RunHook& operation) {
  Hook hook;
  INIT_TRY(start(context, operation, hook));
  const bool has_ended = wait_end(context, operation, hook);
  // Not reaped yet, so the number is still its own.
  if (!has_ended) syscall(__NR_kill, -hook.pid, SIGKILL);
  if (!has_ended) syscall(__NR_pidfd_send_signal, FdRef(hook.pidfd), SIGKILL, nullptr, 0);
  u32 wait_status = 0;
  while (syscall(__NR_wait4, hook.pid, &wait_status, 0, nullptr) == -EINTR) {
  }
  i32 start_error = 0;
  if (syscall(__NR_read, FdRef(hook.start_error), &start_error, sizeof start_error) == sizeof start_error)
    return {start_error, Detail::hook_start};
  if (!has_ended) {
    context.message.value = operation.timeout_seconds;
    return {ETIMEDOUT, Detail::hook_timeout};
  }
  const Status status = judge(context, wait_status);
  if (!status.failed()) context.message = Message{};
  return status;
}

}  // namespace davit::init
