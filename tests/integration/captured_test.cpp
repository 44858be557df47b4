// SPDX-License-Identifier: Apache-2.0
// Everything that real engines asked for in the captured configurations runs.
#include "captured.hpp"
#include "support/fixture.hpp"

namespace support {
namespace {

class Captured : public ContainerTest, public ::testing::WithParamInterface<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Captured);

std::string short_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.size() - 5);
  for (char& c : name) c = isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Engines, Captured, ::testing::ValuesIn(captured_configs()),
                         [](const auto& parameter) { return short_name(parameter.param); });

TEST_P(Captured, IsCreatedStartedAndDeleted) {
  CapturedBundle captured(GetParam(), "/" + Sandbox::get().new_id());
  captured.bundle.sh("while :; do sleep 1; done");
  const std::string id = create(captured.bundle);
  EXPECT_EQ(runtime.status(id), "created");
  const Outcome started = runtime({"start", id});
  EXPECT_TRUE(started.ok()) << started.all();
  EXPECT_EQ(runtime.status(id), "running");
  const Outcome inside = exec(id, "echo inside");
  EXPECT_EQ(inside.out, "inside\n") << inside.all();
  destroy(id);
}

TEST_P(Captured, Runs) {
  CapturedBundle captured(GetParam(), "/" + Sandbox::get().new_id());
  captured.bundle.sh("echo ran; test -c /dev/null && test -d /proc/self && test -d /sys/kernel");
  const Outcome outcome = run_bundle(captured.bundle);
  EXPECT_EQ(outcome.out, "ran\n") << outcome.all();
  EXPECT_EQ(outcome.status, 0);
}

}  // namespace
}  // namespace support
