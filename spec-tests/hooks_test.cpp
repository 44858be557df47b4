// SPDX-License-Identifier: Apache-2.0
// config.md, hooks, and the steps of the lifecycle in runtime.md that call them.
#include "clause.hpp"

namespace spec_tests {
namespace {

using support::alive;
using support::eventually;
using support::read_file;
using support::read_link;
using support::wait_orphan;

class HooksSpec : public SpecTest {
 protected:
  HooksSpec() {
    support::write_file(place / "log", "", 0666);
    bundle.config["mounts"].push(support::mount_entry("/log", "bind", place / "log", {"bind"}));
    bundle.sh("echo program >>/log; while :; do sleep 1; done");
  }
  void add(const std::string& kind, const std::string& script) {
    bundle.config["hooks"][kind].push(
        Json::object({{"path", "/bin/sh"},
                      {"args", Json(std::vector<std::string>{"sh", "-c", script})},
                      {"env", Json(std::vector<std::string>{"PATH=/bin:/usr/bin"})}}));
  }
  void note(const std::string& kind, const std::string& word) {
    const std::string file = kind == "startContainer" ? "/log" : place / "log";
    add(kind, "cat >/dev/null; echo " + word + " >>" + file);
  }
  std::string log() { return read_file(place / "log"); }
  Bundle bundle;
  TempDir place;
};

TEST_F(HooksSpec, CalledInOrderAtTheirSteps) {
  CLAUSE("config-552", "config-591", "config-596", "config-598", "config-607", "config-618", "config-619",
         "config-630", "runtime-62", "runtime-64", "runtime-66", "runtime-69", "runtime-78", "config-646",
         "config-553", "config-563", "config-573", "config-577", "config-581", "config-585");
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "startContainer", "poststop"}) {
    note(kind, std::string(kind) + "-1");
    note(kind, std::string(kind) + "-2");
  }
  const std::string id = create(bundle);
  std::string expected =
      "prestart-1\nprestart-2\ncreateRuntime-1\ncreateRuntime-2\ncreateContainer-1\ncreateContainer-2\n";
  EXPECT_EQ(log(), expected);
  ASSERT_TRUE(runtime({"start", id}).ok());
  expected += "startContainer-1\nstartContainer-2\nprogram\n";
  EXPECT_TRUE(eventually([&] { return log() == expected; })) << log();
  ASSERT_TRUE(runtime({"kill", id, "KILL"}).ok());
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  EXPECT_EQ(log(), expected) << "poststop hooks wait for delete";
  ASSERT_TRUE(runtime({"delete", id}).ok());
  EXPECT_EQ(log(), expected + "poststop-1\npoststop-2\n");
}

TEST_F(HooksSpec, PoststartFollowsTheProgramAndPrecedesTheEndOfStart) {
  CLAUSE("config-638", "runtime-72");
  add("poststart", "cat >/dev/null; i=0; while ! grep -q program " + (place / "log") +
                       " && [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done; echo poststart >>" +
                       (place / "log"));
  const std::string id = start(bundle);
  EXPECT_EQ(log(), "program\npoststart\n");
}

TEST_F(HooksSpec, InTheRuntimesNamespaces) {
  CLAUSE("config-561", "config-562", "config-571", "config-572", "config-583", "config-584", "config-587",
         "config-588", "config-602", "config-603", "config-609", "config-610", "config-641", "config-642",
         "config-649", "config-650");
  const char* kinds[] = {"prestart", "createRuntime", "poststart", "poststop"};
  for (const char* kind : kinds) {
    add(kind,
        std::string("cat >/dev/null; for n in mnt pid uts ipc net; do readlink /proc/self/ns/$n; done >") +
            (place / kind));
  }
  const std::string id = start(bundle);
  destroy(id);
  std::string expected;
  for (const char* name : {"mnt", "pid", "uts", "ipc", "net"})
    expected += read_link(std::string("/proc/self/ns/") + name) + "\n";
  for (const char* kind : kinds) {
    EXPECT_EQ(read_file(place / kind), expected) << kind;
  }
}

TEST_F(HooksSpec, CreateContainerRunsInTheContainersNamespaces) {
  CLAUSE("config-575", "config-576", "config-621", "config-622");
  add("createContainer", "cat >/dev/null; readlink /proc/self/ns/mnt >" + (place / "where"));
  const std::string id = create(bundle);
  EXPECT_EQ(support::trim(read_file(place / "where")),
            read_link("/proc/" + std::to_string(runtime.pid(id)) + "/ns/mnt"));
}

TEST_F(HooksSpec, StartContainerRunsInTheContainer) {
  CLAUSE("config-579", "config-580", "config-633", "config-634");
  // /bin/probe is a path of the container only.
  bundle.config["hooks"]["startContainer"].push(Json::object(
      {{"path", "/bin/busybox"},
       {"args", Json(std::vector<std::string>{"sh", "-c", "test -x /bin/probe && hostname >>/log"})},
       {"env", Json(std::vector<std::string>{"PATH=/bin"})}}));
  const std::string id = start(bundle);
  EXPECT_TRUE(eventually([&] { return log().rfind("davit-test\n", 0) == 0; })) << log();
}

TEST_F(HooksSpec, GetTheState) {
  CLAUSE("config-592");
  for (const char* kind : {"createRuntime", "createContainer", "poststart", "poststop"})
    add(kind, std::string("cat >") + (place / kind));
  add("startContainer", "cat >/state");
  const std::string id = start(bundle);
  const auto pid = runtime.pid(id);
  destroy(id);
  for (const char* kind : {"createRuntime", "createContainer", "poststart", "poststop"}) {
    const Json state = Json::parse(read_file(place / kind));
    EXPECT_EQ(state.get("id").str(), id) << kind;
    EXPECT_NE(state.get("status").str(), "") << kind;
    EXPECT_EQ(state.get("bundle").str(), bundle.path()) << kind;
    if (std::string(kind) == "createRuntime" || std::string(kind) == "poststart") {
      EXPECT_EQ(state.get("pid").number(), pid) << kind;
    }
  }
  EXPECT_EQ(Json::parse(read_file(bundle.rootfs() + "/state")).get("id").str(), id);
}

TEST_F(HooksSpec, AFailureInCreateUndoesIt) {
  CLAUSE("runtime-63", "runtime-65", "runtime-67");
  for (const char* kind : {"prestart", "createRuntime", "createContainer"}) {
    bundle.config.erase("hooks");
    add(kind, "exit 1");
    SCOPED_TRACE(kind);
    refused(bundle);
  }
}

TEST_F(HooksSpec, AFailureOfStartContainerStopsTheContainer) {
  CLAUSE("runtime-70");
  add("startContainer", "exit 1");
  const std::string id = create(bundle);
  const auto pid = runtime.pid(id);
  const Outcome outcome = runtime({"start", id});
  EXPECT_NE(outcome.status, 0);
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
  EXPECT_EQ(log(), "");
}

TEST_F(HooksSpec, AFailureOfPoststartStopsTheContainer) {
  CLAUSE("runtime-73");
  NEEDS_VERSION("1.3");
  add("poststart", "cat >/dev/null; exit 1");
  const std::string id = create(bundle);
  const auto pid = runtime.pid(id);
  EXPECT_NE(runtime({"start", id}).status, 0);
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
}

TEST_F(HooksSpec, AFailureOfPoststopIsAWarning) {
  CLAUSE("runtime-79", "runtime-89");
  add("poststop", "exit 1");
  note("poststop", "second");
  const std::string id = start(bundle);
  EXPECT_TRUE(runtime({"delete", "--force", id}).ok());
  EXPECT_NE(log().find("second"), std::string::npos) << log();
}

TEST_F(HooksSpec, PathsAreAbsolute) {
  CLAUSE("config-556", "config-566");
  for (const char* kind :
       {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}) {
    bundle.config["hooks"] = Json::object();
    bundle.config["hooks"][kind] = Json::parse(R"([{"path": "bin/true"}])");
    refused(bundle);
  }
}

TEST_F(HooksSpec, TimeoutsAreAboveZero) {
  CLAUSE("config-560", "config-570");
  for (const int timeout : {0, -1}) {
    bundle.config["hooks"]["prestart"] =
        Json::array({Json::object({{"path", "/bin/true"}, {"timeout", timeout}})});
    refused(bundle);
    bundle.config["hooks"] = Json::object();
  }
}

TEST_F(HooksSpec, ATimeoutAborts) {
  CLAUSE("config-569", "config-559", "runtime-65");
  bundle.config["hooks"]["createRuntime"] =
      Json::parse(R"([{"path": "/bin/sleep", "args": ["sleep", "1000"], "timeout": 1}])");
  refused(bundle);
}

TEST_F(HooksSpec, ArgumentsAndEnvironment) {
  CLAUSE("config-555", "config-565", "config-557", "config-558", "config-567", "config-568");
  bundle.config["hooks"]["createRuntime"].push(Json::object(
      {{"path", "/bin/sh"},
       {"args", Json(std::vector<std::string>{"name", "-c", "echo $0 $A >" + (place / "out"), "first"})},
       {"env", Json(std::vector<std::string>{"A=value"})}}));
  create(bundle);
  EXPECT_EQ(read_file(place / "out"), "first value\n");
}

}  // namespace
}  // namespace spec_tests
