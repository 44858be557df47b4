// SPDX-License-Identifier: Apache-2.0
#include "davit/features/scheduling.hpp"

#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sched.h>

#include "compiled.hpp"

namespace davit::scheduling {
namespace {

using program::u64;
using test::Compiled;

TEST(ParseList, ReadsNumbersAndRanges) {
  EXPECT_EQ(parse_list("0-3,7", 64).value(), std::vector<u64>{0x8f});
  EXPECT_EQ(parse_list(" 64 , 1", 128).value(), (std::vector<u64>{2, 1}));
  for (const char* bad : {"", ",", "1,", "3-1", "a", "1-", "-1", "1-2-3", "0x1", "64", "4294967296"})
    EXPECT_FALSE(parse_list(bad, 64).ok()) << bad;
}

Result<void> try_scheduler(const spec::Scheduler& scheduler, const std::string& cpus = "") {
  Compiled compiled;
  spec::Config config;
  config.linux.resources.cpu.cpus = cpus;
  spec::Process process;
  process.scheduler = scheduler;
  return compile_scheduler(compiled.out, config, process);
}

TEST(Scheduler, CarriesEveryField) {
  Compiled compiled;
  spec::Process process;
  spec::Scheduler scheduler;
  scheduler.policy = spec::SchedulerPolicy::deadline;
  scheduler.flags = {spec::SchedulerFlag::reset_on_fork, spec::SchedulerFlag::dl_overrun};
  scheduler.runtime = 1;
  scheduler.deadline = 2;
  scheduler.period = 3;
  process.scheduler = scheduler;
  ASSERT_TRUE(compile_scheduler(compiled.out, spec::Config{}, process).ok());
  compiled.finish();
  const auto operation = compiled.find<program::SetScheduler>();
  EXPECT_EQ(operation->policy, 6U);
  EXPECT_EQ(operation->flags, 5U);
  EXPECT_EQ(operation->runtime, 1U);
  EXPECT_EQ(operation->deadline, 2U);
  EXPECT_EQ(operation->period, 3U);
}

TEST(Scheduler, RefusesWhatTheKernelCallsInvalid) {
  spec::Scheduler scheduler;
  EXPECT_TRUE(try_scheduler(scheduler).ok());
  scheduler.nice = 20;
  EXPECT_FALSE(try_scheduler(scheduler).ok());
  scheduler = {};
  scheduler.priority = 1;
  EXPECT_FALSE(try_scheduler(scheduler).ok());
  scheduler.policy = spec::SchedulerPolicy::fifo;
  EXPECT_TRUE(try_scheduler(scheduler).ok());
  scheduler.priority = 0;
  EXPECT_FALSE(try_scheduler(scheduler).ok());
  scheduler = {};
  scheduler.runtime = 1;
  EXPECT_FALSE(try_scheduler(scheduler).ok());
  scheduler = {};
  scheduler.policy = spec::SchedulerPolicy::iso;
  EXPECT_FALSE(try_scheduler(scheduler).ok());
}

TEST(Scheduler, DeadlineAndAllowedProcessorsExcludeEachOther) {
  spec::Scheduler scheduler;
  scheduler.policy = spec::SchedulerPolicy::deadline;
  EXPECT_TRUE(try_scheduler(scheduler).ok());
  EXPECT_EQ(try_scheduler(scheduler, "0").error().message.view(),
            "process scheduler can't be used together with AllowedCPUs");
}

TEST(IoPriority, IsClassAndLevel) {
  Compiled compiled;
  spec::Process process;
  process.io_priority = spec::IoPriority{spec::IoPriorityClass::realtime, 4, {}};
  compile_io_priority(compiled.out, process);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::SetIoPriority>()->value, 1U << 13 | 4U);
}

TEST(MemoryPolicy, HasModeFlagsAndNodes) {
  Compiled compiled;
  spec::Config config;
  config.linux.memory_policy =
      spec::MemoryPolicy{spec::MemoryPolicyMode::bind, "0,65", {spec::MemoryPolicyFlag::static_nodes}, {}};
  ASSERT_TRUE(compile_memory_policy(compiled.out, config).ok());
  compiled.finish();
  const auto operation = compiled.find<program::SetMemoryPolicy>();
  EXPECT_EQ(operation->mode, unsigned{MPOL_BIND} | MPOL_F_STATIC_NODES);
  EXPECT_EQ(compiled.items(operation->nodes), (std::vector<u64>{1, 2}));
  EXPECT_EQ(operation->max_node, 129U);
}

TEST(MemoryPolicy, KnowsWhichModesTakeNodes) {
  const auto try_policy = [](spec::MemoryPolicyMode mode, const char* nodes) {
    Compiled compiled;
    spec::Config config;
    config.linux.memory_policy = spec::MemoryPolicy{mode, nodes, {}, {}};
    return compile_memory_policy(compiled.out, config).ok();
  };
  using Mode = spec::MemoryPolicyMode;
  EXPECT_TRUE(try_policy(Mode::default_policy, ""));
  EXPECT_FALSE(try_policy(Mode::default_policy, "0"));
  EXPECT_TRUE(try_policy(Mode::preferred, ""));
  EXPECT_TRUE(try_policy(Mode::preferred, "0"));
  EXPECT_FALSE(try_policy(Mode::local, "0"));
  EXPECT_FALSE(try_policy(Mode::bind, ""));
  EXPECT_FALSE(try_policy(Mode::bind, "0-"));
}

TEST(Personality, ComesFromTheDomain) {
  Compiled compiled;
  spec::Config config;
  config.linux.personality = spec::Personality{spec::PersonalityDomain::linux32, {}};
  compile_personality(compiled.out, config);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::SetPersonality>()->persona, 8U);
}

TEST(ExecAffinity, IsEmittedOnlyWhereAsked) {
  Compiled compiled;
  spec::Process process;
  process.exec_cpu_affinity.final = "1";
  ASSERT_TRUE(compile_initial_affinity(compiled.out, process).ok());
  ASSERT_TRUE(compile_final_affinity(compiled.out, process).ok());
  compiled.finish();
  EXPECT_EQ(compiled.items(compiled.find<program::SetAffinity>()->mask), std::vector<u64>{2});
  EXPECT_FALSE(compiled.find<program::SetAffinity>(1));
  process.exec_cpu_affinity.initial = "x";
  Compiled bad;
  EXPECT_FALSE(compile_initial_affinity(bad.out, process).ok());
}

}  // namespace
}  // namespace davit::scheduling
