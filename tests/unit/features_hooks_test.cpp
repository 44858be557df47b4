// SPDX-License-Identifier: Apache-2.0
#include "davit/features/hooks.hpp"

#include <gtest/gtest.h>

#include "compiled.hpp"

namespace davit::hooks {
namespace {

using test::Compiled;

spec::State some_state() {
  spec::State state;
  state.id = "web";
  state.pid = 4711;
  state.bundle = "/bundle";
  state.annotations["\"pid\":"] = "\"pid\":3";
  return state;
}

TEST(Hooks, TheStateIsSplitAroundThePid) {
  Compiled compiled;
  spec::Hooks hooks;
  spec::Hook hook;
  hook.path = "/bin/hook";
  hook.env = {"A=1"};
  hook.timeout = 9;
  hooks.create_container.push_back(hook);
  compile(compiled.out, hooks, Kind::create_container, some_state(), {}, {});
  compiled.finish();
  const auto operation = compiled.find<program::RunHook>();
  ASSERT_TRUE(operation);
  spec::State expected = some_state();
  expected.status = spec::Status::creating;
  EXPECT_EQ(compiled.text(operation->state_before_pid) + "4711" + compiled.text(operation->state_after_pid),
            spec::state_json(expected, spec::JsonStyle::compact));
  EXPECT_EQ(compiled.text(operation->path), "/bin/hook");
  ASSERT_EQ(operation->arguments.count, 1U);
  EXPECT_EQ(compiled.text(compiled.items(operation->arguments)[0]), "/bin/hook");
  EXPECT_EQ(operation->environment.count, 1U);
  EXPECT_EQ(operation->timeout_seconds, 9U);
}

TEST(Hooks, ContainerHooksSeeTheStatusOfTheirTime) {
  Compiled compiled;
  spec::Hooks hooks;
  hooks.start_container.resize(1);
  hooks.start_container[0].args = {"name", "argument"};
  compile(compiled.out, hooks, Kind::start_container, some_state(), {}, {});
  compiled.finish();
  const auto operation = compiled.find<program::RunHook>();
  const std::string document =
      compiled.text(operation->state_before_pid) + "1" + compiled.text(operation->state_after_pid);
  EXPECT_NE(document.find("\"status\":\"created\""), std::string::npos) << document;
  EXPECT_EQ(operation->arguments.count, 2U);
}

TEST(Hooks, WithoutAnEnvironmentInheritOne) {
  spec::Hooks hooks;
  hooks.create_container.resize(2);
  hooks.create_container[1].env.emplace();
  Compiled compiled;
  program::RunHook confinement;
  confinement.is_filtered = 1;
  compile(compiled.out, hooks, Kind::create_container, some_state(), {"A=1", "B=2"}, confinement);
  compiled.finish();
  EXPECT_EQ(compiled.find<program::RunHook>()->environment.count, 2u);
  const auto second = compiled.find<program::RunHook>(1);
  EXPECT_EQ(second->environment.count, 0u) << "[] is none";
  EXPECT_EQ(second->is_filtered, 1u);
  EXPECT_FALSE(own_environment(hooks.create_container).empty());
  hooks.create_container.erase(hooks.create_container.begin());
  EXPECT_TRUE(own_environment(hooks.create_container).empty());
}

}  // namespace
}  // namespace davit::hooks
