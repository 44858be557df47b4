// SPDX-License-Identifier: Apache-2.0
// System calls without a libc: one inline function per architecture, and types that keep descriptors apart
// from numbers. Everything returns the kernel's own answer: a value, or -errno.
#pragma once

#include "init/kernel.hpp"

namespace davit::init {

#if defined(__x86_64__)
inline long call_kernel(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call_kernel(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "init knows no system calls of this architecture"
#endif

/// A descriptor that somebody else owns; -1 is none.
struct FdRef {
  i32 number = -1;
  [[nodiscard]] bool is_open() const { return number >= 0; }
};

inline constexpr FdRef kWorkingDirectory{AT_FDCWD};

template <typename T>
long as_argument(T value) {
  return static_cast<long>(value);
}
template <typename T>
long as_argument(T* value) {
  return reinterpret_cast<long>(value);
}
inline long as_argument(FdRef descriptor) {
  return descriptor.number;
}
inline long as_argument(std::nullptr_t) {
  return 0;
}

/// Any system call, with up to six arguments of any scalar or pointer type.
template <typename... Arguments>
long syscall(long number, Arguments... arguments) {
  static_assert(sizeof...(arguments) <= 6);
  const long values[7] = {as_argument(arguments)...};
  return call_kernel(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

/// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  /// Takes over what a system call returned; an error makes an empty one.
  explicit Fd(long result) : number_(result < 0 ? -1 : static_cast<i32>(result)) {}
  Fd(Fd&& other) noexcept : number_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    const i32 number = other.release();
    reset();
    number_ = number;
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  operator FdRef() const { return {number_}; }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  i32 release() {
    const i32 number = number_;
    number_ = -1;
    return number;
  }
  void reset() {
    if (number_ >= 0) syscall(__NR_close, number_);
    number_ = -1;
  }

 private:
  i32 number_ = -1;
};

inline constexpr i32 kSweptBelow = 48;

/// A descriptor nobody waits to see closed: numbers below kSweptBelow are left for the sweep
/// (close_descriptors) and for execve, where one call closes what would take one each. So few that a limit of
/// 64 on descriptors leaves some to work with.
class SweptFd : public Fd {
 public:
  using Fd::Fd;
  SweptFd(SweptFd&&) noexcept = default;
  SweptFd& operator=(SweptFd&&) noexcept = default;
  ~SweptFd() { abandon(); }
  void abandon() {
    const i32 number = release();
    if (number >= kSweptBelow) syscall(__NR_close, number);
  }
};

/// A filter may refuse even that, but not the signal for an instruction that is none.
[[noreturn]] inline void exit_process(i32 code) {
  syscall(__NR_exit_group, code);
  __builtin_trap();
}

}  // namespace davit::init
