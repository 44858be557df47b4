// SPDX-License-Identifier: Apache-2.0
// davit's own filters against libseccomp's.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "davit/features/seccomp_calls.hpp"
#include "davit/spec/names.hpp"
#include "fuzz/filters.hpp"

// Of a profile whose rules overlap in some ways libseccomp 2.5.4 forgets nodes, which is not what is tested
// here (DAVIT_TEST_SEED=1002 has such a one).
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libseccomp.so";
}

namespace davit::seccomp {
namespace {

using Action = spec::SeccompAction;
using Operator = spec::SeccompOperator;

/// libseccomp refuses what the running kernel does not report; qemu-user passes no seccomp(2) on.
bool kernel_reports_actions() {
  const unsigned action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::string text(const spec::Seccomp& profile) {
  std::string words = "default " + std::string(spec::name_of(profile.default_action)) + " " +
                      std::to_string(profile.default_errno_ret.value_or(EPERM)) + "\n";
  for (const std::string& name : profile.architectures) words += name + "\n";
  for (const spec::SeccompRule& rule : profile.syscalls) {
    words +=
        std::string(spec::name_of(rule.action)) + " " + std::to_string(rule.errno_ret.value_or(EPERM)) + ":";
    for (const std::string& name : rule.names) words += " " + name;
    for (const spec::SeccompArgument& argument : rule.args)
      words += ", " + std::to_string(argument.index) + " " + std::string(spec::name_of(argument.op)) + " " +
               std::to_string(argument.value) + " " + std::to_string(argument.value_two);
    words += "\n";
  }
  return words;
}

/// Profiles at random, with few calls and few values, so that rules meet.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  spec::Seccomp profile() {
    spec::Seccomp profile;
    profile.default_action = pick({Action::error, Action::allow, Action::kill_process, Action::error});
    if (profile.default_action == Action::error && below(2) == 0) profile.default_errno_ret = below(40);
#ifdef __x86_64__
    constexpr const char* kOthers[] = {"SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64"};
#else
    constexpr const char* kOthers[] = {"SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"};
#endif
    for (const char* other : kOthers)
      if (below(2) == 0) profile.architectures.emplace_back(other);
    // Few calls with many rules, or many with few: what libseccomp loses, it loses among many for one.
    const bool is_dense = below(2) == 0;
    call_ = any_call();
    for (unsigned count = 1 + below(5); count > 0; --count) add_rules(profile, is_dense);
    return profile;
  }

 private:
  unsigned below(unsigned limit) {
    return static_cast<unsigned>(random_() % limit);
  }
  template <typename T>
  T pick(std::initializer_list<T> list) {
    return *(list.begin() + below(static_cast<unsigned>(list.size())));
  }

  std::string any_call() {
    return pick({"socket",      "accept",   "accept4",    "recvmmsg",   "socketcall",  "semget",
                 "semop",       "shmat",    "ipc",        "clone",      "personality", "read",
                 "getuid",      "getuid32", "openat2",    "cacheflush", "chown",       "no_such_call",
                 "futex_waitv", "mmap2",    "arch_prctl", "execve",     "_llseek",     "sync_file_range2"});
  }
  std::uint64_t value() {
    return pick<std::uint64_t>({0, 1, 2, 5, 9, 16, 0x70, 0x7fffffff, 0xffffffff, 0x100000000, 0x100000005,
                                0x7fffffffffffffff, ~std::uint64_t{0}});
  }
  Action action() {
    return pick({Action::allow, Action::error, Action::error, Action::kill_process, Action::kill_thread,
                 Action::trap, Action::trace, Action::log});
  }

  spec::SeccompRule rule(bool is_dense) {
    spec::SeccompRule rule;
    rule.action = action();
    if (rule.action == Action::error || rule.action == Action::trace) rule.errno_ret = below(3);
    if (is_dense)
      rule.names = {call_};
    else
      for (unsigned names = 1 + below(8); names > 0; --names) rule.names.push_back(any_call());
    return rule;
  }

  spec::SeccompArgument argument(Operator op) {
    spec::SeccompArgument argument;
    argument.index = below(3);
    argument.op = op;
    argument.value = value();
    argument.value_two = value();
    return argument;
  }

  Operator any_operator() {
    return pick({Operator::equal, Operator::not_equal, Operator::masked_equal, Operator::less,
                 Operator::less_or_equal, Operator::greater, Operator::greater_or_equal});
  }

  void add_rules(spec::Seccomp& profile, bool is_dense) {
    if (below(4) == 0) return add_exception(profile, is_dense);
    spec::SeccompRule added = rule(is_dense);
    const unsigned most = pick({0U, 1U, 1U, 3U});
    for (unsigned i = 0; i < most; ++i)
      added.args.push_back(
          argument(below(3) == 0 ? any_operator() : pick({Operator::equal, Operator::not_equal})));
    profile.syscalls.push_back(added);
  }

  /// As Podman's: an error for one combination, and leave for all else.
  void add_exception(spec::Seccomp& profile, bool is_dense) {
    spec::SeccompRule exception = rule(is_dense);
    for (std::uint32_t index = 0; index < 2 + below(2); ++index) {
      exception.args.push_back(argument(Operator::equal));
      exception.args.back().index = index;
    }
    spec::SeccompRule rest = exception;
    rest.action = action();
    rest.errno_ret.reset();
    profile.syscalls.push_back(exception);
    for (const spec::SeccompArgument& one : exception.args) {
      rest.args = {one};
      rest.args[0].op = Operator::not_equal;
      profile.syscalls.push_back(rest);
    }
    if (below(3) == 0) std::swap(profile.syscalls.back(), profile.syscalls[below(profile.syscalls.size())]);
  }

  std::minstd_rand random_;
  std::string call_;
};

TEST(SeccompFilter, IsWhatLibseccompMakesOfAnyProfile) {
  if (!kernel_reports_actions())
    GTEST_SKIP() << "this kernel (or qemu-user) does not report its seccomp actions";
  const char* given = std::getenv("DAVIT_TEST_SEED");
  const auto seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  const char* many = std::getenv("DAVIT_TEST_PROFILES");
  const int count = many != nullptr ? std::atoi(many) : 2000;
  RecordProperty("seed", std::to_string(seed));
  Generator generator(seed);
  int ours = 0;
  for (int i = 0; i < count; ++i) {
    const spec::Seccomp profile = generator.profile();
    bool is_ours = false;
    ASSERT_EQ(fuzz::difference_to_libseccomp(profile, &is_ours, 250), "")
        << "DAVIT_TEST_SEED=" << seed << ", profile " << i << "\n"
        << text(profile);
    ours += is_ours ? 1 : 0;
  }
  std::printf("DAVIT_TEST_SEED=%u: %d of %d profiles are ours\n", seed, ours, count);
  EXPECT_GT(ours, count / 10);
}

TEST(SeccompFilter, IsWhatLibseccompMakesOfEveryCall) {
  if (!kernel_reports_actions())
    GTEST_SKIP() << "this kernel (or qemu-user) does not report its seccomp actions";
  // All names of all architectures, numbers below zero are those that only others have.
  std::vector<std::string> names;
  for (const std::uint32_t token :
       {std::uint32_t{SCMP_ARCH_NATIVE}, std::uint32_t{SCMP_ARCH_X86}, std::uint32_t{SCMP_ARCH_ARM}})
    for (int number = -11000; number < 1000; ++number) {
      const std::unique_ptr<char, decltype(&std::free)> name(
          ::seccomp_syscall_resolve_num_arch(token, number), &std::free);
      if (name != nullptr) names.emplace_back(name.get());
    }
  ASSERT_GT(names.size(), 400U);
  for (std::size_t i = 0; i < names.size(); i += 25) {  // libseccomp takes the square of their number
    spec::Seccomp profile;
    profile.default_errno_ret = ENOSYS;
    profile.architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#ifdef __aarch64__
    profile.architectures = {"SCMP_ARCH_ARM"};
#endif
    for (std::size_t j = i; j < std::min(i + 25, names.size()); ++j) {
      spec::SeccompRule rule;
      rule.names = {names[j]};
      rule.action = Action::error;
      rule.errno_ret = static_cast<std::uint32_t>(100 + j - i);
      profile.syscalls.push_back(rule);
    }
    ASSERT_EQ(fuzz::difference_to_libseccomp(profile), "") << text(profile);
  }
}

/// One more rule for a call, about a value of its first argument.
void add_rule(spec::Seccomp& profile, const char* name, std::uint64_t value, Operator op = Operator::equal) {
  spec::SeccompRule& rule = profile.syscalls.emplace_back();
  rule.names = {name};
  rule.action = Action::allow;
  spec::SeccompArgument& argument = rule.args.emplace_back();
  argument.op = op;
  argument.value = value;
  argument.value_two = value;
}

TEST(SeccompFilter, JumpsAsFarAsJumpsGoAndFarther) {
  if (!kernel_reports_actions())
    GTEST_SKIP() << "this kernel (or qemu-user) does not report its seccomp actions";
  // Of four and of three instructions, so that some jump has each of the distances around 255.
  for (std::uint64_t wide = 55; wide < 68; ++wide)
    for (std::uint64_t narrow = 0; narrow < 4; ++narrow) {
      spec::Seccomp profile;
      profile.syscalls.push_back({{"chdir", "fchdir", "execve"}, Action::log, {}, {}, {}});
      for (std::uint64_t value = 0; value < wide; ++value) add_rule(profile, "getcwd", value << 31);
      for (std::uint64_t value = 0; value < narrow; ++value)
        add_rule(profile, "getcwd", value + 1, Operator::masked_equal);
      ASSERT_EQ(fuzz::difference_to_libseccomp(profile, nullptr, 250), "") << wide << " " << narrow;
    }
  spec::Seccomp profile;
  for (std::uint64_t value = 0; value < 120; ++value)
    for (const char* name : {"read", "ioctl", "personality"}) add_rule(profile, name, value << 31);
  EXPECT_EQ(fuzz::difference_to_libseccomp(profile, nullptr, 250), "");
}

TEST(SeccompFilter, LeavesToLibseccompWhatWouldBeTooLong) {
  if (!kernel_reports_actions())
    GTEST_SKIP() << "this kernel (or qemu-user) does not report its seccomp actions";
  spec::Seccomp profile;
  for (std::uint64_t value = 0; value < 1100; ++value) add_rule(profile, "write", value);
  const auto tables = decide(profile);
  ASSERT_TRUE(tables);
  EXPECT_FALSE(write_filter(*tables));
  EXPECT_TRUE(build(profile, {}).ok());  // which needs half as much
}

bool is_ours(std::vector<spec::SeccompRule> rules, std::vector<std::string> architectures = {}) {
  spec::Seccomp profile;
  profile.syscalls = std::move(rules);
  profile.architectures = std::move(architectures);
  return decide(profile).has_value();
}

spec::SeccompRule rule(Action action, std::vector<spec::SeccompArgument> arguments) {
  spec::SeccompRule rule;
  rule.names = {"socket"};
  rule.action = action;
  rule.args = std::move(arguments);
  return rule;
}

spec::SeccompArgument argument(std::uint32_t index, Operator op, std::uint64_t value) {
  return {index, value, 0, op, {}};
}

TEST(SeccompDecide, LeavesToLibseccompWhatItReadsInItsOwnWay) {
  const auto equal = [](std::uint32_t index, std::uint64_t value) {
    return argument(index, Operator::equal, value);
  };
  const auto other = [](std::uint32_t index, std::uint64_t value) {
    return argument(index, Operator::not_equal, value);
  };
  EXPECT_TRUE(is_ours({rule(Action::allow, {equal(0, 1), argument(1, Operator::less, 7), other(2, 3)})}));
  EXPECT_TRUE(is_ours({rule(Action::allow, {equal(0, 1)}), rule(Action::allow, {other(1, 2)})}));
  // Podman's.
  const auto audit = rule(Action::log, {equal(0, 16), equal(2, 9)});
  EXPECT_TRUE(is_ours({audit, rule(Action::allow, {other(2, 9)}), rule(Action::allow, {other(0, 16)})}));
  EXPECT_FALSE(is_ours({rule(Action::allow, {other(2, 9)}), audit, rule(Action::allow, {other(0, 16)})}));
  EXPECT_FALSE(is_ours({audit, rule(Action::log, {other(2, 9)})}));
  EXPECT_FALSE(is_ours({audit, rule(Action::allow, {other(2, 9)}), rule(Action::allow, {other(1, 16)})}));
  // Several of several conditions each, or of other comparisons.
  EXPECT_FALSE(is_ours({audit, rule(Action::log, {equal(0, 16), equal(1, 3)})}));
  EXPECT_FALSE(
      is_ours({rule(Action::allow, {argument(0, Operator::less, 3)}), rule(Action::allow, {equal(0, 9)})}));
  // One call, two answers.
  EXPECT_FALSE(is_ours({rule(Action::allow, {equal(0, 1)}), rule(Action::log, {equal(1, 2)})}));
  EXPECT_FALSE(is_ours({rule(Action::allow, {other(0, 1)}), rule(Action::log, {equal(0, 2)})}));
  EXPECT_TRUE(is_ours({rule(Action::allow, {equal(0, 1)}), rule(Action::log, {equal(0, 2)})}));
  // Other machines.
  EXPECT_FALSE(is_ours({}, {"SCMP_ARCH_RISCV64"}));
  EXPECT_FALSE(is_ours({}, {"SCMP_ARCH_PPC64LE"}));
}

TEST(SeccompDecide, NamesTheCallsWithTangledRules) {
  const auto named = [](std::string name, std::uint32_t index, Operator op, std::uint64_t value) {
    spec::SeccompRule one = rule(Action::allow, {argument(index, op, value)});
    one.names = {"read", std::move(name)};
    return one;
  };
  spec::Seccomp profile;
  profile.syscalls = {rule(Action::allow, {argument(0, Operator::less, 3)}),
                      named("socket", 0, Operator::equal, 9), named("write", 1, Operator::equal, 2)};
  EXPECT_EQ(calls_with_tangled_rules(profile), std::vector<std::string>{"socket"});
  profile.syscalls.front().names = {"close", "nosuchcall"};
  EXPECT_EQ(calls_with_tangled_rules(profile), std::vector<std::string>{});
}

#ifdef __x86_64__
TEST(SeccompDecide, LeavesComparisonsOfHalvesThatLibseccompTurnsAround) {
  const std::vector<spec::SeccompRule> rules = {
      rule(Action::allow, {argument(0, Operator::equal, 1), argument(1, Operator::less_or_equal, 7)})};
  EXPECT_TRUE(is_ours(rules));
  EXPECT_FALSE(is_ours(rules, {"SCMP_ARCH_X86"}));
  EXPECT_FALSE(is_ours(rules, {"SCMP_ARCH_X32"}));
}
#endif

}  // namespace
}  // namespace davit::seccomp
