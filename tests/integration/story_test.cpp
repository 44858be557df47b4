// SPDX-License-Identifier: Apache-2.0
// What davit tells of its own work when it is asked to: --debug, --trace, --help.
#include "support/fixture.hpp"

namespace support {
namespace {

class Story : public ContainerTest {
 protected:
  void SetUp() override { SKIP_UNLESS(runtime.is_davit(), "every runtime tells another story"); }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(Story, DebugTellsWhatWasFoundAndDone) {
  Bundle bundle;
  bundle.config["linux"]["seccomp"] =
      Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]})");
  bundle.config["hooks"]["createRuntime"] = Json::parse(R"([{"path": "/bin/true"}])");
  bundle.write();
  const Outcome outcome = runtime({"--debug", "run", "--bundle", bundle.path(), new_id()});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  for (const char* part : {"level=debug", "davit: cgroups: v", "davit: compile (",
                           "init: mount_filesystem: ", "init: pivot_root", "hook: createRuntime: /bin/true (",
                           "\"seccomp filter flags: 2\"", "process: runs"})
    EXPECT_TRUE(has(outcome.err, part)) << part << "\n" << outcome.err;
}

TEST_F(Story, DebugInJsonIsOneObjectPerLine) {
  TempDir place;
  Bundle bundle;
  bundle.write();
  const std::string log = place / "log";
  const Outcome outcome =
      runtime({"--debug", "--log", log, "--log-format", "json", "run", "--bundle", bundle.path(), new_id()});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  const auto lines = split(trim(read_file(log)), '\n');
  EXPECT_GT(lines.size(), 20U);
  for (const std::string& line : lines) EXPECT_EQ(Json::parse(line).get("level").str(), "debug") << line;
}

TEST_F(Story, DebugOfExecHasTheAffinity) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.config["process"]["execCPUAffinity"] = Json::parse(R"({"initial": "0"})");
  const std::string id = start(bundle);
  const Outcome outcome = runtime({"--debug", "exec", id, "true"});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_TRUE(has(outcome.err, "nsexec: affinity: 0x1")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "stage: ")) << outcome.err;
}

TEST_F(Story, ATraceIsAFileForPerfetto) {
  TempDir place;
  Bundle bundle;
  bundle.config["hooks"]["createRuntime"] =
      Json::parse(R"([{"path": "/bin/sh", "args": ["sh", "-c", "echo $TRACEPARENT > )" + place / "parent" +
                  R"("], "env": []}])");
  bundle.write();
  const std::string id = "0123456789abcdef0123456789abcdef";
  const Outcome outcome = runtime({"run", "--trace", place / "trace", "--bundle", bundle.path(), new_id()},
                                  {.env = {"TRACEPARENT=00-" + id + "-0123456789abcdef-01"}});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_EQ(outcome.err, "");
  const std::string text = read_file(place / "trace");
  const Json trace = Json::parse(text);
  EXPECT_EQ(trace.get("otherData").get("traceId").str(), id);
  for (const char* part : {"\"name\":\"compile\"", "\"cat\":\"init\"", "\"cat\":\"hook\"",
                           "\"cat\":\"process\"", "\"ph\":\"X\"", "\"name\":\"pivot_root\""})
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  EXPECT_EQ(read_file(place / "parent").rfind("00-" + id + "-", 0), 0U) << read_file(place / "parent");
}

TEST_F(Story, ATraceOnStderrIsATable) {
  Bundle bundle;
  bundle.write();
  const std::string id = create(bundle);
  const Outcome outcome = runtime({"start", "--trace", "-", id});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_TRUE(has(outcome.err, "took ms")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "=")) << outcome.err;
}

TEST_F(Story, ATraceThatCannotBeWrittenIsAnErrorBeforeAnything) {
  Bundle bundle;
  bundle.write();
  const std::string id = new_id();
  const Outcome outcome = runtime({"--trace", "/no/such/place", "create", "--bundle", bundle.path(), id});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(has(outcome.err, "/no/such/place")) << outcome.err;
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Story, HooksHearOfNoTraceWhenThereIsNone) {
  TempDir place;
  Bundle bundle;
  bundle.config["hooks"]["createRuntime"] =
      Json::parse(R"([{"path": "/bin/sh", "args": ["sh", "-c", "echo =$TRACEPARENT > )" + place / "parent" +
                  R"("], "env": []}])");
  EXPECT_EQ(run_bundle(bundle).status, 0);
  EXPECT_EQ(read_file(place / "parent"), "=\n");
}

TEST_F(Story, HelpOfEveryCommandIsNoError) {
  for (const char* command :
       {"create", "start", "run", "exec", "state", "list", "wait", "ps", "events", "stats", "kill", "delete",
        "pause", "resume", "update", "spec", "features", "completion"})
    for (const char* option : {"-h", "--help"}) {
      const Outcome outcome = run({runtime.path(), command, option});
      EXPECT_EQ(outcome.status, 0) << command;
      EXPECT_TRUE(has(outcome.out, std::string("Usage: davit ") + command)) << outcome.out;
      EXPECT_EQ(outcome.err, "");
    }
}

}  // namespace
}  // namespace support
