// SPDX-License-Identifier: Apache-2.0
#include "davit/features/credentials.hpp"

#include <gtest/gtest.h>

#include "compiled.hpp"

namespace davit::credentials {
namespace {

using test::Compiled;

constexpr program::u64 kChown = 1U << 0;
constexpr program::u64 kKill = 1U << 5;

TEST(Credentials, NothingIsEmittedForWhatIsAbsent) {
  Compiled compiled;
  const spec::Process process;
  compile_no_new_privileges(compiled.out, process);
  compiled.finish();
  EXPECT_FALSE(compiled.find<program::NoNewPrivileges>());
}

TEST(Credentials, AnAbsentUmaskIsTheUsualOneAndNotThatOfTheCaller) {
  Compiled compiled;
  compile_umask(compiled.out, spec::Process());
  compiled.finish();
  EXPECT_EQ(compiled.find<program::SetUmask>()->mask, 0022U);
}

TEST(Credentials, WithoutCapabilitiesTheProcessGetsNone) {
  Compiled compiled;
  const spec::Process process;
  compile_bounding(compiled.out, process);
  compile_capabilities(compiled.out, process, false);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::DropBounding>()->keep, 0U);
  const auto sets = compiled.find<program::SetCapabilities>();
  EXPECT_EQ(sets->effective | sets->permitted | sets->inheritable | sets->ambient, 0U);
}

TEST(Credentials, UnknownCapabilitiesAreWarningsAtTheirPlace) {
  Compiled compiled;
  compiled.facts.last_capability = 40;
  spec::Process process;
  process.capabilities.emplace();
  process.capabilities->bounding = {"CAP_CHOWN", "CAP_FLY", "CAP_63", "chown", "cap_kill"};
  compile_bounding(compiled.out, process);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::DropBounding>()->keep, kChown);
  ASSERT_EQ(compiled.out.warnings.size(), 4U);
  EXPECT_EQ(compiled.out.warnings[0].message.view(), "ignoring unknown or unavailable capability CAP_FLY");
}

TEST(Credentials, WhoIsGrantedTracingIsKnownToTraceInWhateverLetters) {
  for (const char* name : {"CAP_SYS_PTRACE", "CAP_sys_ptrace", "cap_sys_ptrace", "SYS_PTRACE"}) {
    Compiled compiled;
    spec::Process process;
    process.capabilities.emplace();
    process.capabilities->permitted = {name};
    compile_capabilities(compiled.out, process, false);
    compiled.finish();
    const bool is_granted = compiled.find<program::SetCapabilities>()->permitted != 0;
    EXPECT_EQ(may_trace(process.capabilities), is_granted) << name;
  }
}

TEST(Credentials, CapabilitiesBeyondTheKernelAreLeftOut) {
  Compiled compiled;
  compiled.facts.last_capability = 3;
  spec::Process process;
  process.capabilities.emplace();
  process.capabilities->permitted = {"CAP_CHOWN", "CAP_KILL"};
  compile_capabilities(compiled.out, process, false);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::SetCapabilities>()->permitted, kChown);
  EXPECT_EQ(compiled.out.warnings.size(), 1U);
}

TEST(Credentials, AmbientNeedsPermittedAndInheritable) {
  Compiled compiled;
  spec::Process process;
  process.capabilities.emplace();
  process.capabilities->permitted = {"CAP_CHOWN", "CAP_KILL"};
  process.capabilities->inheritable = {"CAP_KILL"};
  process.capabilities->ambient = {"CAP_CHOWN", "CAP_KILL"};
  compile_capabilities(compiled.out, process, false);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::SetCapabilities>()->ambient, kKill);
  ASSERT_EQ(compiled.out.warnings.size(), 1U);
  EXPECT_TRUE(
      compiled.out.warnings[0].message.view().starts_with("can't raise ambient capability CAP_CHOWN: "));
}

TEST(Credentials, WhatOlderRuntimesWriteAsAnExampleIsNoReasonToWarn) {
  for (const unsigned uid : {0U, 1000U}) {
    Compiled compiled;
    spec::Process process;
    process.user.uid = uid;
    process.capabilities.emplace();
    process.capabilities->permitted = {"CAP_CHOWN", "CAP_KILL"};
    process.capabilities->ambient = {"CAP_CHOWN", "CAP_KILL"};
    compile_capabilities(compiled.out, process, false);
    EXPECT_EQ(compiled.out.warnings.size(), uid == 0 ? 0U : 2U);
  }
}

TEST(Credentials, GroupsAreSetUnlessTheAnnotationKeepsThem) {
  spec::Config config;
  spec::Process process;
  process.user.uid = 7;
  process.user.gid = 8;
  process.user.additional_gids = {9, 10};
  Compiled plain;
  compile_user(plain.out, config, process, [] { return true; });
  plain.finish();
  const auto user = plain.find<program::BecomeUser>();
  EXPECT_EQ(user->uid, 7U);
  EXPECT_EQ(user->gid, 8U);
  EXPECT_EQ(plain.items(user->groups), (std::vector<program::u32>{9, 10}));
  EXPECT_EQ(user->keep_groups, 0U);
  EXPECT_EQ(user->allow_no_setgroups, 0U);

  config.annotations["run.oci.keep_original_groups"] = "1";
  Compiled of_root;
  compile_user(of_root.out, config, process, [] { return false; });
  of_root.finish();
  EXPECT_EQ(of_root.find<program::BecomeUser>()->keep_groups, 0U) << "the groups of whoever calls real root";
  Compiled of_user;
  compile_user(of_user.out, config, process, [] { return true; });
  of_user.finish();
  EXPECT_EQ(of_user.find<program::BecomeUser>()->keep_groups, 1U);
  config.linux.namespaces.push_back({spec::NamespaceType::user, "", {}});
  Compiled kept;
  compile_user(kept.out, config, process, [] { return false; });
  kept.finish();
  EXPECT_EQ(kept.find<program::BecomeUser>()->keep_groups, 1U);
  EXPECT_EQ(kept.find<program::BecomeUser>()->allow_no_setgroups, 1U);
}

TEST(Credentials, AddedCapabilityIsNeverInheritable) {
  spec::Process process;
  add_capability(process, "kill");
  EXPECT_EQ(process.capabilities->bounding, std::vector<std::string>{"CAP_KILL"});
  EXPECT_EQ(process.capabilities->effective, std::vector<std::string>{"CAP_KILL"});
  EXPECT_EQ(process.capabilities->permitted, std::vector<std::string>{"CAP_KILL"});
  EXPECT_TRUE(process.capabilities->inheritable.empty());
  EXPECT_TRUE(process.capabilities->ambient.empty());
  process.capabilities->inheritable = {"CAP_CHOWN"};
  add_capability(process, "CAP_CHOWN");
  EXPECT_EQ(process.capabilities->ambient, std::vector<std::string>{"CAP_CHOWN"});
  add_capability(process, "CAP_FLY");
  Compiled compiled;
  compile_bounding(compiled.out, process);
  ASSERT_EQ(compiled.out.warnings.size(), 1U);
  EXPECT_NE(compiled.out.warnings[0].message.view().find("CAP_FLY"), std::string_view::npos);
}

TEST(Credentials, AllCapabilitiesAreThoseThatHaveAName) {
  const std::vector<std::string> all = all_capabilities();
  ASSERT_GE(all.size(), 41U);
  EXPECT_EQ(all[0], "CAP_CHOWN");
  EXPECT_EQ(all[1], "CAP_DAC_OVERRIDE");
  EXPECT_EQ(all[40], "CAP_CHECKPOINT_RESTORE");
}

}  // namespace
}  // namespace davit::credentials
