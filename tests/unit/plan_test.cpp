// SPDX-License-Identifier: Apache-2.0
// The order of a whole program, and what is known of it later.
#include "davit/plan/plan.hpp"

#include <gtest/gtest.h>

#include <sched.h>

#include <algorithm>
#include <utility>

#include "davit/program/printer.hpp"
#include "davit/spec/reader.hpp"
#include "unit/compiled.hpp"

namespace davit::plan {
namespace {

using Names = std::vector<std::string>;

constexpr const char* kSeccomp = R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []})";

spec::Config config_of(const std::string& process, const std::string& linux_members,
                       const std::string& members = R"("hostname": "")") {
  const std::string text =
      R"({"ociVersion": "1.3.0", "root": {"path": "/"}, )" + members +
      R"(, "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"])" + process +
      R"(}, "linux": {"namespaces": [{"type": "mount"}], )" + linux_members + "}}";
  auto read = spec::read_config(text, "config.json");
  EXPECT_TRUE(read.ok()) << text << read.errors.front().message.view();
  return std::move(read.value);
}

Plan compiled(const spec::Config& config, bool mounts_foreign_procfs = false) {
  const host::Facts facts;
  auto plan = compile_container({.config = config,
                                 .facts = facts,
                                 .call = {.id = "web", .bundle = "/bundle"},
                                 .place = {},
                                 .mounts_foreign_procfs = mounts_foreign_procfs});
  EXPECT_TRUE(plan.ok());
  return std::move(*plan);
}

Names names(const Plan& plan) {
  Names result;
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    result.emplace_back(program::name(operation.op));
  });
  return result;
}

/// Everything from the wait for the start on.
Names tail(const Names& all) {
  return {std::find(all.begin(), all.end(), "wait_start"), all.end()};
}

struct ExecOptions {
  std::uint32_t join_types = 1;
  bool has_tracers = false;
};

Plan compiled_exec(spec::Config config, ExecOptions options = {}) {
  config.process->user.uid = 7;
  const host::Facts facts;
  auto plan = compile_exec({.config = config,
                            .process = *config.process,
                            .facts = facts,
                            .call = {.id = "web", .bundle = "/bundle"},
                            .task_files = 1,
                            .join_types = options.join_types,
                            .sets_limits = true,
                            .has_tracers = options.has_tracers});
  EXPECT_TRUE(plan.ok());
  return std::move(*plan);
}

/// The first operation of a kind.
template <typename T>
T find(const Plan& plan) {
  T found;
  bool is_first = true;
  program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
    if (operation.op == T::kOp && std::exchange(is_first, false)) found = static_cast<const T&>(operation);
  });
  EXPECT_FALSE(is_first);
  return found;
}

/// Whether the first of these operations comes in this order.
bool in_order(const Names& all, const Names& wanted) {
  auto at = all.begin();
  for (const std::string& name : wanted) {
    at = std::find(at, all.end(), name);
    if (at == all.end()) return false;
  }
  return true;
}

TEST(Plan, AnExecIsWhatItWillBeBeforeTheContainerSeesIt) {
  const std::string caps = R"(, "terminal": true, "capabilities": {"bounding": ["CAP_SYS_PTRACE"]},
      "rlimits": [{"type": "RLIMIT_NPROC", "soft": 1, "hard": 1}])";
  const Names own = names(compiled_exec(config_of(caps + R"(, "noNewPrivileges": true)", kSeccomp)));
  EXPECT_TRUE(in_order(own, {"attach_cgroup", "join_process", "join_keyring", "open_console", "drop_bounding",
                             "close_descriptors", "become_user", "set_capabilities", "no_new_privileges",
                             "find_program", "load_seccomp", "new_session", "fork_init", "new_session",
                             "take_terminal", "set_limit", "execute"}));
  // Loading the filter may take a capability that nobody in there may get hold of.
  const Names filtered = names(compiled_exec(config_of(caps, kSeccomp)));
  EXPECT_TRUE(in_order(filtered, {"set_capabilities", "find_program", "load_seccomp", "release_capabilities",
                                  "fork_init", "new_session", "execute"}));
  const Names untraced = names(compiled_exec(config_of(R"(, "capabilities": {})", kSeccomp)));
  EXPECT_TRUE(in_order(untraced, {"set_capabilities", "fork_init", "find_program", "load_seccomp",
                                  "release_capabilities", "execute"}));
}

TEST(Plan, AnExecIsFilteredEarlyAlsoForWhomAnEarlierOneBroughtIn) {
  const spec::Config config = config_of(R"(, "capabilities": {})", kSeccomp);
  EXPECT_TRUE(in_order(names(compiled_exec(config, {.has_tracers = true})), {"load_seccomp", "fork_init"}));
  EXPECT_TRUE(in_order(names(compiled_exec(config)), {"fork_init", "load_seccomp"}));
}

/// With a pid namespace that others are in.
spec::Config sharing_pids(const std::string& process) {
  spec::Config config = config_of(process, kSeccomp);
  config.linux.namespaces.push_back({spec::NamespaceType::pid, "/proc/1/ns/pid", {}});
  config.mounts.push_back({"/proc", "proc", "proc", {}, {}, {}, {}});
  return config;
}

TEST(Plan, WhoComesToOthersIsWhatItWillBeBeforeTheySeeIt) {
  const std::string process = R"(, "terminal": true, "rlimits": [
      {"type": "RLIMIT_NPROC", "soft": 1, "hard": 1}])";
  const Names own = names(compiled(sharing_pids(process), true));
  EXPECT_TRUE(in_order(
      own, {"join_namespaces", "unshare", "new_session", "mount_filesystem", "pivot_root", "open_console",
            "drop_bounding", "set_capabilities", "load_seccomp", "release_capabilities", "close_descriptors",
            "fork_init", "new_session", "take_terminal", "wait_start", "execute"}));
  EXPECT_EQ(std::count(own.begin(), own.end(), "fork_init"), 1);
  EXPECT_EQ(std::count(own.begin(), own.end(), "load_seccomp"), 1);
  spec::Config of_user = sharing_pids(process);
  of_user.process->user.uid = 7;
  EXPECT_TRUE(in_order(names(compiled(of_user, true)),
                       {"close_descriptors", "become_user", "fork_init", "take_terminal", "set_limit"}));
  // A kernel that mounts no other procfs than that of the pid namespace one is in.
  const Names early = names(compiled(sharing_pids(process)));
  EXPECT_TRUE(in_order(early, {"join_namespaces", "fork_init", "mount_filesystem", "set_capabilities",
                               "load_seccomp", "wait_start", "execute"}));
  // Nobody waits for his start with a capability that only loads the filter.
  EXPECT_EQ(tail(own), (Names{"wait_start", "close_descriptors", "execute"}));
  const auto later = names(compile_after_start(sharing_pids(process), {.id = "web", .bundle = "/bundle"}));
  EXPECT_EQ(later, tail(own));
  EXPECT_EQ(later, tail(early));
}

TEST(Plan, AnExecSendsItsListenerFromOutsideOfThePidNamespace) {
  constexpr const char* kNotify = R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/agent",
      "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]})";
  const std::string traced = R"(, "capabilities": {"bounding": ["CAP_SYS_PTRACE"]})";
  const ExecOptions pids{.join_types = CLONE_NEWPID | CLONE_NEWNS};
  const Plan late = compiled_exec(config_of(traced, kNotify), pids);
  EXPECT_TRUE(in_order(names(late), {"join_process", "load_seccomp", "fork_init"}));
  EXPECT_EQ(find<program::JoinProcess>(late).types, CLONE_NEWNS);
  EXPECT_NE(find<program::LoadSeccomp>(late).pid_namespace, program::kNoSlot);
  EXPECT_EQ(find<program::ForkInit>(late).awaits_owner, 1U);
  // Who has no CAP_SYS_ADMIN left by then cannot join it so late.
  const Plan early = compiled_exec(config_of(traced + R"(, "noNewPrivileges": true)", kNotify), pids);
  EXPECT_TRUE(in_order(names(early), {"join_process", "fork_init", "load_seccomp"}));
  EXPECT_EQ(find<program::JoinProcess>(early).types, CLONE_NEWPID | CLONE_NEWNS);
  EXPECT_EQ(find<program::LoadSeccomp>(early).pid_namespace, program::kNoSlot);
}

TEST(Plan, WhatFollowsTheStartIsKnownWithoutTheHost) {
  const std::string hooks = R"("hooks": {"startContainer": [{"path": "/bin/a"}, {"path": "/bin/b"}]})";
  for (const char* process : {R"(, "noNewPrivileges": true)", R"(, "noNewPrivileges": false)"}) {
    const spec::Config config = config_of(process, kSeccomp, hooks);
    const Names expected = tail(names(compiled(config)));
    EXPECT_EQ(names(compile_after_start(config, {.id = "web", .bundle = "/bundle"})), expected) << process;
    EXPECT_EQ(expected.back(), "execute");
  }
}

TEST(Plan, UnderTheFilterThereIsOnlyWhatEveryProfileAllows) {
  const spec::Config config = config_of(R"(, "noNewPrivileges": false)", kSeccomp);
  const Names all = names(compiled(config));
  ASSERT_GE(all.size(), 3U);
  EXPECT_EQ(Names(all.end() - 3, all.end()), (Names{"load_seccomp", "release_capabilities", "execute"}));
  const spec::Config bare = config_of(R"(, "noNewPrivileges": true)", kSeccomp);
  const Names last = names(compiled(bare));
  EXPECT_EQ(Names(last.end() - 2, last.end()), (Names{"load_seccomp", "execute"}));
  EXPECT_EQ(std::count(last.begin(), last.end(), "release_capabilities"), 0);
}

TEST(Plan, AVariableIsThereOnceWithItsLastValue) {
  const spec::Config config =
      config_of(R"(, "env": ["HOME=/first", "A=1", "B", "A=2", "HOME=/last", "C=", "A="])", kSeccomp);
  test::Compiled found;
  found.program = compiled(config).program;
  const auto execute = found.find<program::Execute>();
  ASSERT_TRUE(execute);
  Names environment;
  for (const program::Str entry : found.items(execute->environment)) environment.push_back(found.text(entry));
  EXPECT_EQ(environment, (Names{"HOME=/last", "A=", "B", "C="}));
}

}  // namespace
}  // namespace davit::plan
