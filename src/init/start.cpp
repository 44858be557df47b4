// SPDX-License-Identifier: Apache-2.0
// The first instructions of init: from the kernel's initial stack to a mapped program.
#include "init/start.hpp"

#include "davit/program/init_name.hpp"
#include "init/context.hpp"

namespace davit::init {
namespace {

/// Maps the program; null if it is none.
std::byte* map_program(const Start& start) {
  const SweptFd file(start.file);
  if (start.size < sizeof(program::Header)) return nullptr;
  const long mapped =
      syscall(__NR_mmap, nullptr, start.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, FdRef(file), start.offset);
  if (mapped < 0) return nullptr;
  auto* base = reinterpret_cast<std::byte*>(mapped);
  const auto& header = *reinterpret_cast<const program::Header*>(base);
  return header.magic == program::kMagic && header.size == start.size ? base : nullptr;
}

/// execve would hand ignored and blocked signals on to the container: whoever started davit may have some.
/// Handlers are gone already (CLONE_CLEAR_SIGHAND).
Status reset_signals(u64 ignored) {
  const SignalAction action{};
  for (u32 number = 1; ignored != 0; ++number, ignored >>= 1)
    if ((ignored & 1) != 0)
      INIT_TRY(check(syscall(__NR_rt_sigaction, number, &action, nullptr, sizeof action.mask)));
  const u64 nothing = 0;
  return check(syscall(__NR_rt_sigprocmask, SIG_SETMASK, &nothing, nullptr, sizeof nothing));
}

Status begin(Context& context) {
  // Should davit be gone already, the first await_host or the process that fork_init makes will notice.
  INIT_TRY(guard(context));
  INIT_TRY(check(syscall(__NR_prctl, PR_SET_NAME, program::kInitName, 0, 0, 0)));
  INIT_TRY(reset_signals(context.header().ignored_signals));
  const long mask = syscall(__NR_umask, 0);
  context.inherited_umask = static_cast<u32>(mask);
  return check(mask);
}

}  // namespace

int run(const Start& start) {
  Context context;
  context.base = map_program(start);
  if (context.base == nullptr) return 1;
  context.channel = context.slot(context.header().channel);
  context.is_root = start.is_root;
  return begin(context).failed() || run_records(context).failed() ? 1 : 0;
}

}  // namespace davit::init

#ifndef DAVIT_INIT_HOSTED

namespace davit::init {

/// The number that an argument says; 0, which is no descriptor of ours and no size, if it is none.
static u32 number_in(long argument) {
  const auto* digits = reinterpret_cast<const char*>(argument);
  u32 number = 0;
  for (; *digits >= '0' && *digits <= '9' && number < 100000000; ++digits)
    number = number * 10 + static_cast<u32>(*digits - '0');
  return *digits == '\0' ? number : 0;
}

/// `end` is the null pointer behind the environment; the auxiliary vector follows.
static bool is_root(const long* end) {
  for (const long* entry = end + 1; entry[0] != AT_NULL; entry += 2) {
    const bool is_id = entry[0] == AT_UID || entry[0] == AT_EUID || entry[0] == AT_GID || entry[0] == AT_EGID;
    if (is_id && entry[1] != 0) return false;
  }
  return true;
}

}  // namespace davit::init

// The compiler may call these for copies and comparisons that it does not expand in place.
extern "C" {

[[gnu::used]] void* memcpy(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
  for (std::size_t i = 0; i < size; ++i) target[i] = source[i];
  return to;
}

[[gnu::used]] void* memmove(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
  if (target <= source) return memcpy(to, from, size);
  while (size-- > 0) target[size] = source[size];
  return to;
}

[[gnu::used]] void* memset(void* to, int value, std::size_t size) {
  auto* target = static_cast<char*>(to);
  for (std::size_t i = 0; i < size; ++i) target[i] = static_cast<char>(value);
  return to;
}

[[gnu::used]] int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < size; ++i)
    if (a[i] != b[i]) return a[i] - b[i];
  return 0;
}

/// `stack` is what the kernel leaves: argc, argv, 0, envp, 0, auxv.
[[noreturn, gnu::used]] void davit_init_main(long* stack) {
  davit::init::Start start;
  if (stack[0] == 4) {
    start.file = static_cast<davit::program::i32>(davit::init::number_in(stack[2]));
    start.offset = davit::init::number_in(stack[3]);
    start.size = davit::init::number_in(stack[4]);
    const long* end = stack + 6;
    while (*end != 0) ++end;
    start.is_root = davit::init::is_root(end);
  }
  davit::init::exit_process(davit::init::run(start));
}

}  // extern "C"

#if defined(__x86_64__)
asm(".text\n.globl _start\n.type _start, @function\n_start:\n"
    "  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call davit_init_main\n  hlt\n");
#elif defined(__aarch64__)
asm(".text\n.globl _start\n.type _start, %function\n_start:\n"
    "  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl davit_init_main\n  brk #0\n");
#endif

#endif
