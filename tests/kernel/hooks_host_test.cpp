// SPDX-License-Identifier: Apache-2.0
// Hooks of davit's own namespaces.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "davit/base/notice.hpp"
#include "davit/features/hooks.hpp"

namespace davit::hooks {
namespace {

Result<void> run_script(const std::string& script, std::optional<std::uint32_t> timeout,
                        std::optional<std::vector<std::string>> environment = std::vector<std::string>{}) {
  spec::Hooks hooks;
  hooks.create_runtime.resize(1);
  spec::Hook& hook = hooks.create_runtime[0];
  hook.path = "/bin/sh";
  hook.args = {"sh", "-c", script};
  hook.env = std::move(environment);
  hook.timeout = timeout;
  return run(hooks, Kind::create_runtime, {});
}

std::string complaint(const Result<void>& result) {
  return result.ok() ? "" : std::string(result.error().message.view());
}

TEST(HostHooks, ThatNeverStopTalkingHaveATimeLimit) {
  const std::string late = complaint(run_script("exec cat /dev/zero", 1));
  EXPECT_NE(late.find("timeout"), std::string::npos) << late;
  const std::string ended = complaint(run_script("cat /dev/zero & exit 3", {}));
  EXPECT_NE(ended.find("exit status 3"), std::string::npos) << ended;
}

TEST(HostHooks, WithoutAnEnvironmentHaveDavits) {
  ASSERT_EQ(::setenv("DAVIT_HOOK_TEST", "yes", 1), 0);
  EXPECT_TRUE(run_script("test \"$DAVIT_HOOK_TEST\" = yes", {}, std::nullopt).ok());
  EXPECT_FALSE(run_script("test \"$DAVIT_HOOK_TEST\" = yes", {}).ok()) << "[] is none";
  ::unsetenv("DAVIT_HOOK_TEST");
}

TEST(HostHooks, ThatTakeLongAreNamedOnce) {
  std::vector<std::string> notices;
  set_speaker([&](const Error& notice) { notices.emplace_back(notice.message.view()); });
  EXPECT_TRUE(run_script("sleep 6", {}).ok());
  set_speaker({});
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("createRuntime hook #0: /bin/sh"), std::string::npos) << notices[0];
}

}  // namespace
}  // namespace davit::hooks
