// SPDX-License-Identifier: Apache-2.0
// The six kinds of hooks: when, where, with what, and what happens when they fail.
#include <sys/stat.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class Hooks : public ContainerTest {
 protected:
  Hooks() {
    bundle.sh("echo program >>/log");
    write_file(bundle.rootfs() + "/log", "", 0666);
  }
  /// A hook that runs a shell script with the busybox of the host or of the container (the same path in
  /// neither: both have /bin/sh).
  static Json hook(const std::string& script) {
    return Json::object({{"path", "/bin/sh"},
                         {"args", Json(std::vector<std::string>{"sh", "-c", script})},
                         {"env", Json(std::vector<std::string>{"PATH=/bin:/usr/bin", "HOOKED=yes"})}});
  }
  void add(const std::string& kind, const std::string& script) {
    bundle.config["hooks"][kind].push(hook(script));
  }
  std::string log() { return read_file(place / "log"); }
  /// A script for a hook in the runtime's namespace that notes a word.
  std::string note(const std::string& word) {
    return "cat >/dev/null; echo " + word + " >>" + (place / "log");
  }

  Bundle bundle;
  TempDir place;
};

TEST_F(Hooks, InTheirOrder) {
  SKIP_FOR("runc", "1.1.5 runs poststart hooks before the program");
  // The container's own log is the host's file, so that all write to one place.
  write_file(place / "log", "", 0666);
  bundle.config["mounts"].push(mount_entry("/log", "bind", place / "log", {"bind"}));
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "poststart", "poststop"}) {
    if (runtime.name() == "crun" && std::string(kind) == "prestart") continue;
    add(kind, note(std::string(kind) + "1"));
    add(kind, note(std::string(kind) + "2"));
  }
  add("startContainer", "cat >/dev/null; echo startContainer1 >>/log");
  add("startContainer", "cat >/dev/null; echo startContainer2 >>/log");
  bundle.sh("echo program >>/log; while :; do sleep 0.1; done");
  const std::string id = create(bundle);
  std::string expected = "createRuntime1\ncreateRuntime2\ncreateContainer1\ncreateContainer2\n";
  if (runtime.name() != "crun") expected = "prestart1\nprestart2\n" + expected;
  EXPECT_EQ(log(), expected);
  ASSERT_TRUE(runtime({"start", id}).ok());
  ASSERT_TRUE(eventually([&] { return log().find("program") != std::string::npos; }));
  std::string after = log().substr(expected.size());
  after.erase(after.find("program\n"), sizeof "program");  // it runs beside the poststart hooks
  EXPECT_EQ(after, "startContainer1\nstartContainer2\npoststart1\npoststart2\n");
  EXPECT_EQ(log().find("poststop"), std::string::npos);
  EXPECT_TRUE(runtime({"delete", "--force", id}).ok());
  EXPECT_NE(log().find("poststop1\npoststop2\n"), std::string::npos) << log();
}

TEST_F(Hooks, DeleteByForceDoesNotWaitForOne) {
  SKIP_FOR("runc,crun", "take no lock, and leave the start behind");
  add("startContainer", "cat >/dev/null; echo hooked >/log; sleep 1000");
  bundle.config["root"]["readonly"] = false;
  const std::string id = create(bundle);
  Child start = runtime.start({"start", id});
  ASSERT_TRUE(eventually([&] { return read_file(bundle.rootfs() + "/log").find("hooked") == 0; }));
  const Outcome outcome = runtime({"delete", "--force", id});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  const Outcome started = start.wait();
  EXPECT_NE(started.status, 0) << "nothing has been started";
  EXPECT_NE(started.err, "");
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Hooks, ThatTakeLongAreNamed) {
  SKIP_FOR("runc,crun", "wait in silence");
  add("startContainer", "cat >/dev/null; sleep 6");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.err.find("waiting for startContainer hook #0: /bin/sh"), std::string::npos)
      << outcome.err;
}

TEST_F(Hooks, WithoutAnEnvironmentHaveThatOfWhoRunsThem) {
  const auto without = [&](const std::string& kind, const std::string& script) {
    Json entry = hook(script);
    entry.erase("env");
    bundle.config["hooks"][kind].push(entry);
  };
  bundle.config["root"]["readonly"] = false;
  bundle.config["process"]["env"] = Json(std::vector<std::string>{"PATH=/bin", "OF=process"});
  without("createRuntime", "cat >/dev/null; echo createRuntime $OF >>" + (place / "log"));
  without("startContainer", "cat >/dev/null; echo startContainer $OF >>/log");
  const Outcome outcome = run_bundle(bundle, {}, {.env = {"OF=runtime"}});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(log(), "createRuntime runtime\n");
  EXPECT_EQ(read_file(bundle.rootfs() + "/log"), "startContainer process\nprogram\n");
}

TEST_F(Hooks, OfTheStartAreFilteredAsTheProgramIs) {
  bundle.config["root"]["readonly"] = false;
  bundle.config["linux"]["seccomp"] = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]})");
  add("startContainer",
      "cat >/dev/null; /bin/probe call sync >>/log; grep -E 'Seccomp:|CapEff' /proc/self/status >>/log");
  bundle.sh("grep CapEff /proc/self/status >>/log");
  for (const bool no_new_privileges : {false, true}) {
    write_file(bundle.rootfs() + "/log", "");
    bundle.config["process"]["noNewPrivileges"] = no_new_privileges;
    const Outcome outcome = run_bundle(bundle);
    EXPECT_TRUE(outcome.ok()) << outcome.all();
    const auto lines = split(trim(read_file(bundle.rootfs() + "/log")), '\n');
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0], "sync ENOSYS");
    EXPECT_EQ(lines[2], "Seccomp:\t2");
    EXPECT_EQ(lines[1], lines[3]) << "and has no other capabilities";
  }
}

TEST_F(Hooks, GetTheStateOnStdin) {
  bundle.config["annotations"]["org.example"] = "note";
  for (const char* kind : {"createRuntime", "poststart", "poststop"})
    add(kind, std::string("cat >") + (place / kind));
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = create(bundle);
  const pid_t pid = runtime.pid(id);
  Json state = Json::parse(read_file(place / "createRuntime"));
  EXPECT_EQ(state.get("id").str(), id);
  EXPECT_EQ(state.get("pid").number(), pid);
  EXPECT_EQ(state.get("bundle").str(), bundle.path());
  EXPECT_TRUE(state.get("status").str() == "creating" || state.get("status").str() == "created")
      << state.dump();
  EXPECT_NE(state.get("ociVersion").str(), "");
  EXPECT_EQ(state.get("annotations").get("org.example").str(), "note");
  ASSERT_TRUE(runtime({"start", id}).ok());
  state = Json::parse(read_file(place / "poststart"));
  if (!is_runtime(runtime, "runc")) {
    EXPECT_EQ(state.get("status").str(), "running");
  }
  destroy(id);
  state = Json::parse(read_file(place / "poststop"));
  EXPECT_EQ(state.get("status").str(), "stopped");
}

TEST_F(Hooks, RunInTheirNamespaces) {
  const std::string where = "cat >/dev/null; readlink /proc/self/ns/mnt /proc/self/ns/pid >";
  for (const char* kind : {"createRuntime", "createContainer", "poststart"})
    add(kind, where + (place / kind));
  add("startContainer", "cat >/dev/null; readlink /proc/self/ns/mnt >/started");
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  const std::string host = read_link("/proc/self/ns/mnt");
  const std::string inside = read_link("/proc/" + std::to_string(runtime.pid(id)) + "/ns/mnt");
  EXPECT_EQ(read_file(place / "createRuntime").rfind(host, 0), 0U);
  EXPECT_EQ(read_file(place / "poststart").rfind(host, 0), 0U);
  EXPECT_EQ(read_file(place / "createContainer").rfind(inside, 0), 0U)
      << "paths of the host, mounts of the container";
  EXPECT_EQ(trim(read_file(bundle.rootfs() + "/started")), inside);
}

TEST_F(Hooks, HaveTheirOwnArgumentsAndEnvironment) {
  bundle.config["hooks"]["createRuntime"].push(Json::object(
      {{"path", "/bin/sh"},
       {"args",
        Json(std::vector<std::string>{
            "zeroth", "-c", "env >" + (place / "env") + "; echo $0 $1 >" + (place / "args"), "a b", "c"})},
       {"env", Json(std::vector<std::string>{"ONLY=this"})}}));
  EXPECT_TRUE(run_bundle(bundle, {}, {.env = {"OURS=outside"}}).ok());
  EXPECT_EQ(trim(read_file(place / "args")), "a b c");
  const std::string env = read_file(place / "env");
  EXPECT_NE(env.find("ONLY=this"), std::string::npos) << env;
  EXPECT_EQ(env.find("OURS"), std::string::npos) << env;
}

TEST_F(Hooks, AFailureUndoesTheContainer) {
  for (const char* kind : {"prestart", "createRuntime", "createContainer"}) {
    if (runtime.name() == "crun") continue;
    bundle.config.erase("hooks");
    add(kind, "exit 0");
    add(kind, "echo what the hook said >&2; exit 3");
    const std::string error = refused(bundle);
    const std::string which =
        runtime.is_davit() ? std::string("error running ") + kind + " hook #1" : "hook #1";
    EXPECT_NE(error.find(which), std::string::npos) << error;
    EXPECT_NE(error.find("what the hook said"), std::string::npos) << error;
    EXPECT_NE(error.find("exit status 3"), std::string::npos) << error;
  }
}

TEST_F(Hooks, AFailureAtStartStopsTheContainer) {
  SKIP_FOR("crun,runc", "these versions leave it running after a failed poststart hook");
  for (const char* kind : {"startContainer", "poststart"}) {
    bundle.config.erase("hooks");
    bundle.args({"/bin/sleep", "1000"});
    add(kind, "cat >/dev/null; exit 1");
    const std::string id = create(bundle);
    const pid_t pid = runtime.pid(id);
    const Outcome outcome = runtime({"start", id});
    EXPECT_NE(outcome.status, 0) << kind;
    EXPECT_NE(outcome.err.find(std::string("error running ") + kind + " hook"), std::string::npos)
        << outcome.err;
    EXPECT_TRUE(eventually([&] { return !alive(pid); })) << kind;
  }
}

TEST_F(Hooks, PoststartMayDeleteTheContainer) {
  SKIP_FOR("crun,runc", "a matter of davit's own locks");
  for (const char* end : {"", "; exit 1"}) {
    bundle.config.erase("hooks");
    bundle.args({"/bin/sleep", "1000"});
    const std::string id = new_id();
    add("poststart", "exec >/dev/null 2>&1; " + runtime.path() + " --root " + runtime.root() +
                         " delete --force " + id + end);
    bundle.write();
    ASSERT_TRUE(runtime({"create", "--bundle", bundle.path(), id}).ok());
    EXPECT_EQ(runtime({"start", id}).status, *end == '\0' ? 0 : 1);
    EXPECT_TRUE(runtime.state(id).is_null());
  }
}

TEST_F(Hooks, PoststopTakesBackWhatTheOthersMadeForACreateThatFails) {
  SKIP_FOR("crun", "runs them for a container that was created only");
  for (const char* kind : {"createRuntime", "poststop"}) add(kind, note(kind));
  bundle.args({"no-such-program"});
  refused(bundle);
  EXPECT_EQ(log(), "createRuntime\npoststop\n");
  bundle.args({"/bin/true"});
  bundle.write();
  EXPECT_FALSE(runtime({"create", "--pid-file", "/no/such/place", "--bundle", bundle.path(), new_id()}).ok());
  EXPECT_EQ(log(), "createRuntime\npoststop\ncreateRuntime\npoststop\n");
}

TEST_F(Hooks, AFailedPoststopIsAWarning) {
  SKIP_FOR("runc", "1.1.5 stops at the first that fails");
  add("poststop", "exit 1");
  add("poststop", note("second"));
  const std::string id = start(bundle);
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  const Outcome outcome = runtime({"delete", id});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_EQ(log(), "second\n");
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Hooks, TakeNoLongerThanTheirTimeout) {
  Json slow = hook("exec sleep 1000");
  slow["timeout"] = 1;
  bundle.config["hooks"]["createRuntime"].push(slow);
  const std::string error = refused(bundle);
  EXPECT_NE(error.find("hook"), std::string::npos) << error;
}

TEST_F(Hooks, BadOnesAreRefused) {
  SKIP_FOR("crun,runc", "these versions do not look before they run them");
  for (const char* bad :
       {R"({"path": "relative"})", R"({"path": "/bin/true", "timeout": 0})",
        R"({"path": "/bin/true", "timeout": -1})", R"({"args": ["x"]})", R"({"path": ""})"}) {
    bundle.config["hooks"]["createRuntime"] = Json::array({Json::parse(bad)});
    refused(bundle);
  }
}

TEST_F(Hooks, AMissingOneSaysSo) {
  bundle.config["hooks"]["createRuntime"] = Json::parse(R"([{"path": "/no/such/hook"}])");
  const std::string error = refused(bundle);
  EXPECT_NE(error.find("/no/such/hook"), std::string::npos) << error;
}

TEST_F(Hooks, RunOnceWithRunToo) {
  for (const char* kind : {"createRuntime", "poststart", "poststop"}) add(kind, note(kind));
  EXPECT_TRUE(run_bundle(bundle).ok());
  EXPECT_EQ(log(), "createRuntime\npoststart\npoststop\n");
}

/// What a GPU container's hook does: enters the mount namespace by pid, and mounts below the root's path.
class HooksInTheTree : public Hooks, public testing::WithParamInterface<bool> {
 protected:
  HooksInTheTree() {
    write_file(device / "file", "of the host");
    make_dirs(bundle.rootfs() + "/hooked");
    // Made beforehand and open to all: a mapped root owns nothing of the bundle.
    make_dirs(bundle.rootfs() + "/tree");
    EXPECT_EQ(chmod(device.path().c_str(), 0755), 0);
    bundle.config["mounts"].push(mount_entry("/tree", "tmpfs", "tmpfs", {}));
    if (GetParam()) {
      for (const char* kind : {"uidMappings", "gidMappings"})
        bundle.config["linux"][kind] =
            Json::parse(R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
      bundle.config["linux"]["namespaces"].push(Json::parse(R"({"type": "user"})"));
    }
  }
  TempDir device;
};
INSTANTIATE_TEST_SUITE_P(InAUserNamespace, HooksInTheTree, testing::Bool());

TEST_P(HooksInTheTree, AMountMadeThereByPidIsInTheContainer) {
  add("createRuntime",
      "pid=$(sed 's/.*\"pid\":[ ]*\\([0-9]*\\).*/\\1/'); /bin/busybox nsenter -m -t $pid "
      "/bin/busybox mount --bind " +
          device.path() + " " + bundle.rootfs() + "/hooked");
  bundle.sh("cat /hooked/file");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "of the host") << outcome.all();
  EXPECT_FALSE(exists(bundle.rootfs() + "/hooked/file")) << "the host got the mount";
}

TEST_P(HooksInTheTree, InsideTheyFindItWhereTheConfigSays) {
  write_file(place / "log", "", 0666);
  ASSERT_EQ(chmod(place.path().c_str(), 0777), 0);
  add("createContainer",
      "cat >/dev/null; grep -c ' " + bundle.rootfs() + "/tree ' /proc/self/mountinfo >" + (place / "log"));
  bundle.sh("true");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(log(), "1\n");
}

}  // namespace
}  // namespace support
