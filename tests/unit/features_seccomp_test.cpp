// SPDX-License-Identifier: Apache-2.0
#include "davit/features/seccomp.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "compiled.hpp"
#include "fuzz/filters.hpp"

namespace davit::seccomp {
namespace {

#ifdef __x86_64__
constexpr std::uint32_t kNative = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kNative = AUDIT_ARCH_AARCH64;
#endif
constexpr std::uint32_t kUnknownCall = 1000;  // newer than any profile

std::uint32_t verdict(const Filter& filter, long number, std::uint64_t first = 0, std::uint64_t second = 0,
                      std::uint32_t arch = kNative) {
  const auto found = fuzz::verdict(filter, {static_cast<int>(number), arch, 0, {first, second}});
  EXPECT_TRUE(found) << "the kernel would refuse this filter";
  return found.value_or(0);
}

spec::SeccompRule rule(std::vector<std::string> names, spec::SeccompAction action) {
  spec::SeccompRule result;
  result.names = std::move(names);
  result.action = action;
  return result;
}

spec::SeccompArgument argument(std::uint32_t index, spec::SeccompOperator op, std::uint64_t value,
                               std::uint64_t value_two = 0) {
  spec::SeccompArgument result;
  result.index = index;
  result.op = op;
  result.value = value;
  result.value_two = value_two;
  return result;
}

Filter must_build(const spec::Seccomp& seccomp) {
  auto built = build(seccomp, {});
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : describe(built.error()).c_str());
  return built.ok() ? std::move(*built) : Filter{};
}

/// libseccomp refuses what the running kernel does not report; qemu-user passes no seccomp(2) on.
bool kernel_reports_actions() {
  const unsigned action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

TEST(SeccompBuild, AppliesActionsAndErrnos) {
  if (!kernel_reports_actions())
    GTEST_SKIP() << "this kernel (or qemu-user) does not report SCMP_ACT_KILL_PROCESS";
  spec::Seccomp seccomp;
  seccomp.default_action = spec::SeccompAction::allow;
  seccomp.syscalls.push_back(rule({"getcwd"}, spec::SeccompAction::error));
  seccomp.syscalls.push_back(rule({"chdir"}, spec::SeccompAction::error));
  seccomp.syscalls.back().errno_ret = ENOTDIR;
  seccomp.syscalls.push_back(rule({"kill"}, spec::SeccompAction::kill_process));
  seccomp.syscalls.push_back(rule({"no_such_call"}, spec::SeccompAction::error));
  const Filter filter = must_build(seccomp);
  EXPECT_EQ(verdict(filter, SYS_getcwd), SECCOMP_RET_ERRNO | unsigned{EPERM});
  EXPECT_EQ(verdict(filter, SYS_chdir), SECCOMP_RET_ERRNO | unsigned{ENOTDIR});
  EXPECT_EQ(verdict(filter, SYS_kill), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(verdict(filter, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, kUnknownCall), SECCOMP_RET_ALLOW);
}

TEST(SeccompBuild, CallsNewerThanTheProfileAreEnosysWhereTheDefaultIsEperm) {
  if (!kernel_reports_actions())
    GTEST_SKIP() << "this kernel (or qemu-user) does not report its seccomp actions";
  spec::Seccomp seccomp;
  seccomp.syscalls.push_back(rule({"read", "execve"}, spec::SeccompAction::allow));
  Filter filter = must_build(seccomp);
  EXPECT_EQ(verdict(filter, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, SYS_getcwd), SECCOMP_RET_ERRNO | unsigned{EPERM});
  EXPECT_EQ(verdict(filter, 423), SECCOMP_RET_ERRNO | unsigned{EPERM});
  EXPECT_EQ(verdict(filter, kUnknownCall), SECCOMP_RET_ERRNO | unsigned{ENOSYS});
  // A profile that names newer calls knows what it does up to there.
  seccomp.syscalls.push_back(rule({"faccessat2"}, spec::SeccompAction::error));
  seccomp.syscalls.back().errno_ret = EACCES;
  filter = must_build(seccomp);
  EXPECT_EQ(verdict(filter, 439), SECCOMP_RET_ERRNO | unsigned{EACCES});
  EXPECT_EQ(verdict(filter, 435), SECCOMP_RET_ERRNO | unsigned{EPERM});
  EXPECT_EQ(verdict(filter, 440), SECCOMP_RET_ERRNO | unsigned{ENOSYS});
  // Any other default stays as it is.
  seccomp.default_errno_ret = ENOTTY;
  EXPECT_EQ(verdict(must_build(seccomp), kUnknownCall), SECCOMP_RET_ERRNO | unsigned{ENOTTY});
  seccomp.default_errno_ret.reset();
  seccomp.default_action = spec::SeccompAction::kill_process;
  EXPECT_EQ(verdict(must_build(seccomp), kUnknownCall), SECCOMP_RET_KILL_PROCESS);
}

#ifdef __x86_64__
TEST(SeccompBuild, KnowsTheThreeArchitecturesOfOneMachine) {
  constexpr std::uint32_t kX32 = 0x40000000;
  spec::Seccomp seccomp;
  seccomp.syscalls.push_back(rule({"read"}, spec::SeccompAction::allow));
  Filter filter = must_build(seccomp);
  EXPECT_EQ(verdict(filter, 3, 0, 0, AUDIT_ARCH_I386), SECCOMP_RET_KILL_THREAD);
  seccomp.architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64"};
  filter = must_build(seccomp);
  EXPECT_EQ(verdict(filter, 0), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, 3, 0, 0, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, kX32 + 0), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, kX32 + 2), SECCOMP_RET_ERRNO | unsigned{EPERM});
  EXPECT_EQ(verdict(filter, kX32 + kUnknownCall), SECCOMP_RET_ERRNO | unsigned{ENOSYS});
  EXPECT_EQ(verdict(filter, kUnknownCall, 0, 0, AUDIT_ARCH_I386), SECCOMP_RET_ERRNO | unsigned{ENOSYS});
  EXPECT_EQ(verdict(filter, 0, 0, 0, AUDIT_ARCH_AARCH64), SECCOMP_RET_KILL_THREAD);
}
#endif

// The specification names more than an older libseccomp knows; none of them is this machine's.
TEST(SeccompBuild, AnArchitectureThatLibseccompDoesNotKnowIsNotHere) {
  spec::Seccomp seccomp;
  seccomp.syscalls.push_back(rule({"read"}, spec::SeccompAction::allow));
  seccomp.architectures = {"SCMP_ARCH_RISCV64"};  // the library's filter
  const Filter library = must_build(seccomp);
  seccomp.architectures.emplace_back("SCMP_ARCH_OF_TOMORROW");
  EXPECT_EQ(must_build(seccomp).instructions, library.instructions);
  seccomp.architectures = {"SCMP_ARCH_OF_TOMORROW"};  // ours
  const Filter filter = must_build(seccomp);
  seccomp.architectures.clear();
  EXPECT_EQ(filter.instructions, must_build(seccomp).instructions);
}

TEST(SeccompBuild, ArgumentsAreAndedButTheSameOneIsOred) {
  using Operator = spec::SeccompOperator;
  spec::Seccomp seccomp;
  seccomp.default_action = spec::SeccompAction::allow;
  seccomp.syscalls.push_back(rule({"socket"}, spec::SeccompAction::error));
  seccomp.syscalls.back().args = {argument(0, Operator::equal, 16), argument(1, Operator::equal, 3)};
  seccomp.syscalls.push_back(rule({"kill"}, spec::SeccompAction::error));
  seccomp.syscalls.back().args = {argument(0, Operator::equal, 1), argument(0, Operator::equal, 2)};
  seccomp.syscalls.push_back(rule({"clone"}, spec::SeccompAction::error));
  seccomp.syscalls.back().args = {argument(0, Operator::masked_equal, 0x70, 0x10)};
  const Filter filter = must_build(seccomp);
  const std::uint32_t denied = SECCOMP_RET_ERRNO | unsigned{EPERM};
  EXPECT_EQ(verdict(filter, SYS_socket, 16, 3), denied);
  EXPECT_EQ(verdict(filter, SYS_socket, 16, 4), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, SYS_kill, 1), denied);
  EXPECT_EQ(verdict(filter, SYS_kill, 2), denied);
  EXPECT_EQ(verdict(filter, SYS_kill, 3), SECCOMP_RET_ALLOW);
  EXPECT_EQ(verdict(filter, SYS_clone, 0x9f), denied);
  EXPECT_EQ(verdict(filter, SYS_clone, 0x20), SECCOMP_RET_ALLOW);
}

TEST(SeccompBuild, UnknownNamesAreErrorsOnlyOnDemand) {
  spec::Seccomp seccomp;
  seccomp.syscalls.push_back(rule({"no_such_call"}, spec::SeccompAction::allow));
  EXPECT_TRUE(build(seccomp, {}).ok());
  const Context strict = context_of({{"run.oci.seccomp_fail_unknown_syscall", "1"}});
  ASSERT_FALSE(build(seccomp, strict).ok());
  EXPECT_EQ(build(seccomp, strict).error().message.view(), "seccomp: unknown syscall no_such_call");
  EXPECT_FALSE(context_of({}).fail_unknown_syscall);
}

TEST(SeccompCompile, WaitsForTheFilter) {
  spec::Seccomp seccomp;
  seccomp.flags = {spec::SeccompFlag::log, spec::SeccompFlag::wait_killable_recv};
  EXPECT_EQ(load(seccomp, program::Slot{3}).filter, program::Slot{3});
  EXPECT_EQ(load(seccomp, program::Slot{3}).flags, SECCOMP_FILTER_FLAG_LOG);

  seccomp.flags.push_back(spec::SeccompFlag::tsync);
  seccomp.syscalls.push_back(rule({"mkdir"}, spec::SeccompAction::notify));
  test::Compiled compiled;
  compiled.out.builder.emit(load(seccomp, compile_await(compiled.out, seccomp)));
  compiled.finish();
  const auto loaded = compiled.find<program::LoadSeccomp>();
  const auto await = compiled.find<program::AwaitHost>();
  EXPECT_EQ(await->point, program::Point::seccomp);
  EXPECT_EQ(loaded->filter, await->slot);
  // TSYNC would put the thread that sends the listener under the filter.
  EXPECT_EQ(loaded->flags, SECCOMP_FILTER_FLAG_LOG | (1U << 5) | SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

TEST(SeccompFeatures, ListWhatTheReaderKnowsAndTheKernelTakes) {
  spec::SeccompFeatures known = spec::reader_features().linux.seccomp;
  add_support(known);
  EXPECT_EQ(known.actions->size(), 9U);
  EXPECT_EQ(known.operators->size(), 7U);
  EXPECT_EQ(known.archs->size(), 23U);
  EXPECT_EQ(known.known_flags->size(), 4U);
  EXPECT_LE(known.supported_flags->size(), 4U);
}

}  // namespace
}  // namespace davit::seccomp
