// SPDX-License-Identifier: Apache-2.0
// The words that callers of other runtimes look for in an error, each of them once.
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class CallersWords : public ContainerTest {
 protected:
  void SetUp() override { SKIP_UNLESS(runtime.is_davit(), "every runtime has words of its own"); }
  /// What stderr of `create` says of a config that cannot be had.
  std::string said_of(const char* section, const char* key, const char* value) {
    Json config = default_config();
    config[section][key] = Json::parse(value);
    return refused(config);
  }
  static void expect(const std::string& said, const std::string& words) {
    EXPECT_NE(said.find(words), std::string::npos) << words << "\n" << said;
  }
};

TEST_F(CallersWords, OfConfigs) {
  const struct {
    const char* section;
    const char* key;
    const char* value;
    const char* words;
  } cases[] = {
      {"process", "scheduler", R"({"policy": "SCHED_DEADLINE"})", "`SCHED_DEADLINE` requires `runtime`"},
      {"process", "scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 0, "deadline": 9999})",
       "runtime must be greater than 0"},
      {"process", "scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 5000, "deadline": 4000})",
       "runtime (5000) must be <= deadline (4000)"},
      {"process", "scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4000})",
       "must be between 1024 and"},
      {"process", "scheduler", R"({"policy": "SCHED_OTHER", "nice": 40})", "must be between -20 and 19"},
      {"linux", "memoryPolicy", R"({"mode": "MPOL_NOSUCH"})", "invalid memory policy mode"},
      {"linux", "memoryPolicy", R"({"mode": "MPOL_BIND"})", "invalid memory policy"},
      {"linux", "memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "one"})", "invalid memory policy node"},
      {"linux", "memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "9999"})", "invalid memory policy node"},
      {"linux", "memoryPolicy", R"({"mode": "MPOL_DEFAULT", "nodes": "0-1"})",
       "mode requires 0 nodes but got 2"},
  };
  for (const auto& one : cases) expect(said_of(one.section, one.key, one.value), one.words);
}

TEST_F(CallersWords, OfCgroups) {
  Json config = default_config();
  config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  config["linux"]["resources"] = Json::parse(R"({"unified": {"memory.high": "1000000"}})");
  if (missing(View::v1).empty()) {
    runtime.view = View::v1;
    expect(refused(config), "invalid configuration");
  }
  if (missing(View::v2).empty()) {
    runtime.view = View::v2;
    config["linux"]["resources"] = Json::parse(R"({"unified": {"nonsense.max": "1"}})");
    expect(refused(config), "the requested cgroup controller `nonsense` is not available");
  }
}

TEST_F(CallersWords, OfACgroupThatTakesNobody) {
  SKIP_UNLESS(has_v1("cpuset"), "no v1 cpuset controller");
  Bundle bundle;
  const std::string cgroup = cgroup_path(Sandbox::get().new_id());
  bundle.config["linux"]["cgroupsPath"] = cgroup;
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  // A new cpuset has no CPUs, and whoever goes there would have none.
  const std::string empty = v1_mount("cpuset") + cgroup + "/empty";
  make_dirs(empty);
  const std::string said = runtime({"exec", "--cgroup", "cpuset:empty", id, "/bin/true"}).err;
  rmdir(empty.c_str());
  expect(said, "error adding pid ");
  expect(said, " to cgroups: move init into its cgroup: No space left on device");
}

TEST_F(CallersWords, OfHooks) {
  TempDir place;
  write_file(place / "hook", "#!/bin/sh\necho no luck >&2\nexit 7\n", 0755);
  const std::string hook = R"([{"path": ")" + place / "hook" + R"("}])";
  Json config = default_config();
  config["hooks"]["createRuntime"] = Json::parse(hook);
  const std::string said = refused(config);
  expect(said, "error running createRuntime hook #0: " + place / "hook" + ": exit status 7");
  expect(said, "no luck");
  Bundle bundle;
  bundle.config["hooks"]["poststop"] = Json::parse(hook);
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.status, 0);
  expect(outcome.err, "poststop hook failed with exit code: 7");
}

TEST_F(CallersWords, OfTheCommandLine) {
  expect(runtime({"state", "a/b"}).err, "invalid character `/` in the container ID `a/b`");
  expect(runtime({"state", "a/b"}).err, "invalid container ID format");
  expect(runtime({"state", "absent"}).err, "container does not exist");
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.write();
  const std::string said = runtime({"create", "--bundle", bundle.path(), new_id()}).err;
  expect(said, "use --console-socket");
  expect(said, "cannot allocate tty if runc will detach without setting console socket");
}

TEST_F(CallersWords, OfStates) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  expect(runtime({"create", "--bundle", bundle.path(), id}).err, "container with given ID already exists");
  expect(runtime({"start", id}).err, "cannot start an already running container");
  expect(runtime({"delete", id}).err, "that is not stopped: running");
  expect(runtime({"exec", id, "nosuchprogram"}).err, "executable file not found in $PATH");
  expect(runtime({"exec", id, "/no/such"}).err, "no such file or directory");
  expect(runtime({"exec", id, "/etc"}).err, "is a directory");
  runtime({"kill", id, "KILL"});
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  expect(runtime({"kill", id, "TERM"}).err, "container not running");
  expect(runtime({"exec", id, "true"}).err, "cannot exec in a stopped container");
  expect(runtime({"start", id}).err, "cannot start a container that has stopped");
}

}  // namespace
}  // namespace support
