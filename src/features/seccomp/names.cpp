// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <cerrno>

#include "davit/features/seccomp.hpp"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace davit::seccomp {
namespace {

struct Architecture {
  std::string_view name;  ///< "SCMP_ARCH_X86_64"
  std::uint32_t token;    ///< SCMP_ARCH_*
};

/// Those of the spec that this libseccomp knows.
constexpr Architecture kArchitectures[] = {
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},
    {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
    {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
#ifdef SCMP_ARCH_LOONGARCH64
    {"SCMP_ARCH_LOONGARCH64", SCMP_ARCH_LOONGARCH64},
#endif
#ifdef SCMP_ARCH_M68K
    {"SCMP_ARCH_M68K", SCMP_ARCH_M68K},
#endif
#ifdef SCMP_ARCH_SH
    {"SCMP_ARCH_SH", SCMP_ARCH_SH},
    {"SCMP_ARCH_SHEB", SCMP_ARCH_SHEB},
#endif
};

}  // namespace

std::optional<std::uint32_t> architecture_token(std::string_view name) {
  for (const Architecture& known : kArchitectures)
    if (known.name == name) return known.token;
  return std::nullopt;
}

std::uint32_t encode(spec::SeccompAction action, std::optional<std::uint32_t> errno_ret) {
  const std::uint32_t value = errno_ret.value_or(EPERM);
  switch (action) {
    case spec::SeccompAction::kill:
    case spec::SeccompAction::kill_thread:
      return SCMP_ACT_KILL_THREAD;
    case spec::SeccompAction::kill_process:
      return SCMP_ACT_KILL_PROCESS;
    case spec::SeccompAction::trap:
      return SCMP_ACT_TRAP;
    case spec::SeccompAction::error:
      return SCMP_ACT_ERRNO(value);
    case spec::SeccompAction::trace:
      return SCMP_ACT_TRACE(value);
    case spec::SeccompAction::allow:
      return SCMP_ACT_ALLOW;
    case spec::SeccompAction::log:
      return SCMP_ACT_LOG;
    case spec::SeccompAction::notify:
      return SCMP_ACT_NOTIFY;
  }
  return SCMP_ACT_KILL_PROCESS;
}

std::uint32_t kernel_flag(spec::SeccompFlag flag) {
  switch (flag) {
    case spec::SeccompFlag::tsync:
      return SECCOMP_FILTER_FLAG_TSYNC;
    case spec::SeccompFlag::log:
      return SECCOMP_FILTER_FLAG_LOG;
    case spec::SeccompFlag::spec_allow:
      return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    case spec::SeccompFlag::wait_killable_recv:
      return SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  }
  return 0;
}

std::uint32_t kernel_flags(const spec::Seccomp& seccomp) {
  std::uint32_t flags = 0;
  for (const spec::SeccompFlag flag : seccomp.flags) flags |= kernel_flag(flag);
  if (!has_listener(seccomp)) return flags & ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  // The thread that sends the listener must stay outside of the filter, and init has no other threads.
  return (flags & ~SECCOMP_FILTER_FLAG_TSYNC) | SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

}  // namespace davit::seccomp
