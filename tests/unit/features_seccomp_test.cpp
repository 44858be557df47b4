// SPDX-License-Identifier: Apache-2.0
#include "davit/features/seccomp.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "compiled.hpp"
#include "davit/sys/file.hpp"
#include "features/seccomp/sha256.hpp"

namespace davit::seccomp {
namespace {

#ifdef __x86_64__
constexpr std::uint32_t kNative = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kNative = AUDIT_ARCH_AARCH64;
#endif
constexpr std::uint32_t kUnknownCall = 1000;  // newer than any profile

/// What the kernel's BPF machine makes of a call, for the instructions that occur in filters.
std::uint32_t verdict(const Filter& filter, long number, std::uint64_t first = 0, std::uint64_t second = 0,
                      std::uint32_t arch = kNative) {
  const seccomp_data data = {static_cast<int>(number), arch, 0, {first, second}};
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < filter.instructions.size(); ++at) {
    const auto step = std::bit_cast<sock_filter>(filter.instructions[at]);
    const auto branch = [&](bool taken) { at += taken ? step.jt : step.jf; };
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + step.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= step.k;
        break;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        branch(a == step.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        branch(a >= step.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        branch(a > step.k);
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        ADD_FAILURE() << "instruction " << step.code;
        return 0;
    }
  }
  ADD_FAILURE() << "no verdict";
  return 0;
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

TEST(Sha256, AgreesWithTheStandard) {
  const auto hex = [](std::string_view text) { return Key{sha256(text)}.hex(); };
  EXPECT_EQ(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(std::string(1000, 'a')), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
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

TEST(SeccompCheck, NotifyNeedsAListener) {
  spec::Seccomp seccomp;
  seccomp.syscalls.push_back(rule({"mkdir"}, spec::SeccompAction::notify));
  EXPECT_FALSE(check(seccomp).ok());
  seccomp.listener_path = "/run/agent.sock";
  EXPECT_TRUE(check(seccomp).ok());
  EXPECT_TRUE(has_listener(seccomp));
  seccomp.default_action = spec::SeccompAction::notify;
  EXPECT_FALSE(check(seccomp).ok());
  seccomp.default_action = spec::SeccompAction::allow;
  seccomp.architectures = {"SCMP_ARCH_PDP11"};
  EXPECT_FALSE(check(seccomp).ok());
}

TEST(SeccompKey, ChangesWithEverythingThatMatters) {
  const spec::Seccomp plain = [] {
    spec::Seccomp seccomp;
    seccomp.syscalls.push_back(rule({"ab", "c"}, spec::SeccompAction::allow));
    return seccomp;
  }();
  const auto hex = [](const spec::Seccomp& seccomp, bool strict = false) {
    return key(seccomp, {strict}).hex();
  };
  EXPECT_EQ(hex(plain), hex(plain));
  EXPECT_NE(hex(plain), hex(plain, true));
  spec::Seccomp other = plain;
  other.syscalls[0].names = {"a", "bc"};
  EXPECT_NE(hex(plain), hex(other));
  other = plain;
  other.default_errno_ret = 0;
  EXPECT_NE(hex(plain), hex(other));
  other = plain;
  other.architectures = {"SCMP_ARCH_X86"};
  EXPECT_NE(hex(plain), hex(other));
  other = plain;
  other.syscalls[0].args.push_back(argument(1, spec::SeccompOperator::less, 3));
  EXPECT_NE(hex(plain), hex(other));
  // The listener and the flags are no part of the filter.
  other = plain;
  other.listener_path = "/x";
  other.flags = {spec::SeccompFlag::log};
  EXPECT_EQ(hex(plain), hex(other));
}

TEST(SeccompCompile, PutsTheFilterIntoTheProgramOrWaitsForIt) {
  spec::Seccomp seccomp;
  seccomp.flags = {spec::SeccompFlag::log, spec::SeccompFlag::wait_killable_recv};
  test::Compiled early;
  early.out.builder.emit(load(early.out, seccomp, Filter{{1, 2, 3}}));
  early.finish();
  const auto load_now = early.find<program::LoadSeccomp>();
  EXPECT_EQ(early.items(load_now->filter), (std::vector<program::u64>{1, 2, 3}));
  EXPECT_EQ(load_now->flags, SECCOMP_FILTER_FLAG_LOG);
  EXPECT_EQ(load_now->late, program::kNoSlot);

  seccomp.flags.push_back(spec::SeccompFlag::tsync);
  seccomp.syscalls.push_back(rule({"mkdir"}, spec::SeccompAction::notify));
  test::Compiled late;
  late.out.builder.emit(load(seccomp, compile_await(late.out, seccomp)));
  late.finish();
  const auto load_late = late.find<program::LoadSeccomp>();
  const auto await = late.find<program::AwaitHost>();
  EXPECT_EQ(await->point, program::Point::seccomp);
  EXPECT_EQ(load_late->late, await->slot);
  // TSYNC would put the thread that sends the listener under the filter.
  EXPECT_EQ(load_late->flags, SECCOMP_FILTER_FLAG_LOG | (1U << 5) | SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

class SeccompCache : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/davit-seccomp-cache-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file() const { return path_ + "/" + key_.hex() + ".bpf"; }

  std::string path_;
  Key key_ = {sha256("key")};
  Filter filter_ = {{7, 8, 9}};
};

TEST_F(SeccompCache, GivesBackWhatWasStored) {
  EXPECT_FALSE(load(path_, key_));
  ASSERT_TRUE(store(path_, key_, filter_).ok());
  ASSERT_TRUE(load(path_, key_));
  EXPECT_EQ(load(path_, key_)->instructions, filter_.instructions);
  EXPECT_FALSE(load(path_, Key{sha256("other")}));
  struct stat status = {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(SeccompCache, TrustsNeitherDamagedNorForeignFiles) {
  ASSERT_TRUE(store(path_, key_, filter_).ok());
  const std::string good = sys::read_file(file()).value();
  const auto loads_with = [&](std::string_view content) {
    std::filesystem::remove(file());
    const auto fd = sys::open(file(), O_WRONLY | O_CREAT, 0600).value();
    EXPECT_TRUE(sys::write_all(fd, content).ok());
    return load(path_, key_).has_value();
  };
  EXPECT_TRUE(loads_with(good));
  EXPECT_FALSE(loads_with(good.substr(0, good.size() - 8)));
  EXPECT_FALSE(loads_with(good + "12345678"));
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_FALSE(loads_with(flipped));
  EXPECT_FALSE(loads_with(""));
  EXPECT_TRUE(loads_with(good));
  ASSERT_EQ(::chmod(file().c_str(), 0622), 0);
  EXPECT_FALSE(load(path_, key_));
  ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
  ASSERT_EQ(::link(file().c_str(), (path_ + "/link").c_str()), 0);
  EXPECT_FALSE(load(path_, key_));
  std::filesystem::remove(file());
  std::filesystem::create_symlink("link", file());
  EXPECT_FALSE(load(path_, key_));
}

TEST_F(SeccompCache, TrustsNoDirectoryThatOthersWriteTo) {
  ASSERT_EQ(::chmod(path_.c_str(), 0777), 0);
  EXPECT_FALSE(store(path_, key_, filter_).ok());
}

TEST_F(SeccompCache, AFilterUnderAnotherNameIsNotTheOneOfThatName) {
  const Key weaker{sha256("weaker")};
  ASSERT_TRUE(store(path_, weaker, filter_).ok());
  std::filesystem::rename(path_ + "/" + weaker.hex() + ".bpf", file());
  EXPECT_FALSE(load(path_, key_));
}

TEST_F(SeccompCache, IsMadeWhenItIsNeeded) {
  const std::string below = path_ + "/:seccomp";
  EXPECT_FALSE(load(below, key_));
  ASSERT_TRUE(store(below, key_, filter_).ok());
  EXPECT_TRUE(load(below, key_));
  EXPECT_EQ(std::filesystem::status(below).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(SeccompCache, StaysSmall) {
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(store(path_, Key{sha256(std::to_string(i))}, filter_).ok());
  EXPECT_EQ(sys::list_directory(*sys::open(path_, O_RDONLY | O_DIRECTORY)).value().size(), 64U);
  EXPECT_TRUE(load(path_, Key{sha256("79")}));
}

TEST(SeccompFeatures, ListWhatThisLibraryKnows) {
  const spec::SeccompFeatures known = features();
  EXPECT_EQ(known.actions->size(), 9U);
  EXPECT_EQ(known.operators->size(), 7U);
  EXPECT_GE(known.archs->size(), 18U);
  EXPECT_EQ(known.known_flags->size(), 4U);
}

}  // namespace
}  // namespace davit::seccomp
