// SPDX-License-Identifier: Apache-2.0
// `exec`: a further process in a running container.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "support/fixture.hpp"

namespace support {
namespace {

class Exec : public ContainerTest {
 protected:
  /// A running container that does nothing.
  std::string idle(const Json& config = default_config()) {
    bundle_ = std::make_unique<Bundle>(config);
    bundle_->sh("while :; do sleep 1; done");
    return start(*bundle_);
  }
  Outcome exec_args(const std::string& id, std::vector<std::string> flags,
                    const std::vector<std::string>& args, const Options& options = {}) {
    flags.insert(flags.begin(), "exec");
    flags.push_back(id);
    flags.insert(flags.end(), args.begin(), args.end());
    return runtime(flags, options);
  }
  std::unique_ptr<Bundle> bundle_;
};

TEST_F(Exec, RunsBesideTheInit) {
  const std::string id = idle();
  const Outcome outcome = exec(id, "echo hello; cat; exit 5");
  EXPECT_EQ(outcome.out, "hello\n") << outcome.all();
  EXPECT_EQ(outcome.status, 5);
  EXPECT_EQ(exec_args(id, {}, {"cat"}, {.input = "in and out"}).out, "in and out");
}

TEST_F(Exec, SharesEveryNamespace) {
  const std::string id = idle();
  const std::string script = "for n in pid net ipc uts mnt user cgroup; do readlink /proc/";
  const Outcome mine = exec(id, script + "self/ns/$n; done");
  const Outcome inits = exec(id, script + "1/ns/$n; done");
  EXPECT_TRUE(mine.ok()) << mine.all();
  EXPECT_EQ(mine.out, inits.out);
}

TEST_F(Exec, SharesTheCgroup) {
  Json config = default_config();
  config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  const std::string id = idle(config);
  EXPECT_EQ(exec(id, "cat /proc/self/cgroup").out, exec(id, "cat /proc/1/cgroup").out);
}

TEST_F(Exec, SignalsAnd128) {
  const std::string id = idle();
  EXPECT_EQ(exec(id, "kill -KILL $$").status, 137);
}

TEST_F(Exec, ParsingStopsAtTheId) {
  const std::string id = idle();
  const Outcome outcome = exec_args(id, {}, {"ls", "-d", "-1", "/bin"});
  EXPECT_EQ(outcome.out, "/bin\n") << outcome.all();
}

TEST_F(Exec, EnvCwdUserAndGroups) {
  const std::string id = idle();
  if (!is_runtime(runtime, "crun")) {
    EXPECT_EQ(exec(id, "echo $A $TERM", {"--env", "A=b"}).out, "b xterm\n") << "added to the container's own";
  }
  EXPECT_EQ(exec(id, "echo $A", {"-e", "A=b", "-e", "A=c"}).line(), "c");
  EXPECT_EQ(exec_args(id, {"-e", "TERM=one", "-e", "TERM=two"}, {"/bin/sh", "-c", "env | grep ^TERM"}).out,
            "TERM=two\n");
  EXPECT_EQ(exec_args(id, {"-e", "TERM=two"}, {"/bin/env"}).out.find("TERM=xterm"), std::string::npos)
      << "getenv takes the first";
  EXPECT_EQ(exec(id, "pwd", {"--cwd", "/etc"}).out, "/etc\n");
  EXPECT_EQ(exec(id, "id -u; id -g", {"--user", "1000:1001"}).out, "1000\n1001\n");
  EXPECT_EQ(exec(id, "id -u", {"-u", "7"}).out, "7\n");
}

TEST_F(Exec, AdditionalGroups) {
  SKIP_FOR("crun", "has no --additional-gids");
  const std::string id = idle();
  const Outcome outcome =
      exec_args(id, {"--additional-gids", "100", "--additional-gids", "65534"}, {"probe", "report"});
  EXPECT_NE(outcome.out.find("groups 100 65534\n"), std::string::npos) << outcome.all();
}

TEST_F(Exec, AUserIsANumberOrAnError) {
  const std::string id = idle();
  for (const char* user : {"-1", "4294967296", "1:", ":2", "1x", "0x0", " 1", ""}) {
    if (!runtime.is_davit()) break;
    const Outcome outcome = exec(id, "id -u", {"--user", user});
    EXPECT_NE(outcome.status, 0) << user << ": " << outcome.out;
  }
  const Outcome exact = exec(id, "id -u; id -g", {"--user", "1:2"});
  EXPECT_EQ(exact.out, "1\n2\n") << exact.all();
}

TEST_F(Exec, CapabilitiesAreAddedButNotInherited) {
  const std::string id = idle();
  const Outcome outcome = exec(id, "grep Cap /proc/self/status", {"--cap", "CAP_SYS_ADMIN"});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  for (const auto& line : split(outcome.out, '\n')) {
    const auto value = std::stoull(line.substr(line.find('\t') + 1), nullptr, 16);
    const bool has = (value >> 21 & 1U) != 0;
    if (line.rfind("CapInh", 0) == 0) {
      EXPECT_EQ(value, 0U) << line;
    } else if (line.rfind("CapAmb", 0) == 0) {
      EXPECT_EQ(value, 0U) << line;
    } else {
      EXPECT_TRUE(has) << line;
    }
  }
}

TEST_F(Exec, NoNewPrivileges) {
  Json config = default_config();
  config["process"]["noNewPrivileges"] = false;
  const std::string id = idle(config);
  EXPECT_EQ(exec(id, "grep NoNewPrivs /proc/self/status").out, "NoNewPrivs:\t0\n");
  EXPECT_EQ(exec(id, "grep NoNewPrivs /proc/self/status", {"--no-new-privs"}).out, "NoNewPrivs:\t1\n");
}

TEST_F(Exec, ProcessFile) {
  SKIP_FOR("runc,crun", "1.1.5 ignores umask and raises the soft RLIMIT_NOFILE, crun 1.8.1 ignores umask");
  const std::string id = idle();
  Json process = Json::parse(R"({"args": ["/bin/probe", "report"], "cwd": "/tmp", "env": ["ONLY=this"],
      "user": {"uid": 12, "gid": 34, "additionalGids": [56], "umask": 31},
      "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128}],
      "capabilities": {"bounding": ["CAP_KILL"], "effective": [], "permitted": [], "inheritable": [], "ambient": []},
      "noNewPrivileges": true, "oomScoreAdj": 77})");
  TempDir place;
  write_file(place / "process.json", process.dump());
  const Outcome outcome = exec_args(id, {"--process", place / "process.json"}, {});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  for (const char* line :
       {"uid 12 12 12\n", "gid 34 34 34\n", "groups 56\n", "umask 0037\n", "cwd /tmp\n", "env ONLY=this\n",
        "rlimit NOFILE 64 128\n", "CapBnd 0000000000000020\n", "CapEff 0000000000000000\n", "NoNewPrivs 1\n"})
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line << outcome.out;
  if (runtime.is_davit()) {
    EXPECT_NE(outcome.out.find("oom_score_adj  77\n"), std::string::npos) << outcome.out;
  }
  EXPECT_EQ(outcome.out.find("env PATH"), std::string::npos) << "only what the file says";
}

TEST_F(Exec, AProcessFileThatSaysNothingMeansTheContainersConfinement) {
  SKIP_FOR("crun,runc", "leave out the limits");
  Json config = default_config();
  config["process"]["rlimits"] = Json::parse(R"([{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 88}])");
  config["process"]["oomScoreAdj"] = 66;
  config["process"]["capabilities"]["bounding"] = Json(std::vector<std::string>{"CAP_KILL"});
  config["process"]["capabilities"]["effective"] = Json::array();
  config["process"]["capabilities"]["permitted"] = Json(std::vector<std::string>{"CAP_KILL"});
  const std::string id = idle(config);
  TempDir place;
  write_file(place / "process.json",
             R"({"args": ["/bin/probe", "report"], "cwd": "/", "user": {"uid": 0, "gid": 0}})");
  const Outcome outcome = exec_args(id, {"--process", place / "process.json"}, {});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  for (const char* line : {"rlimit NOFILE 77 88\n", "oom_score_adj  66\n", "CapBnd 0000000000000020\n"})
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line << outcome.out;
}

TEST_F(Exec, DetachedWritesThePidFile) {
  const std::string id = idle();
  TempDir place;
  const Outcome outcome =
      exec_args(id, {"--detach", "--pid-file", place / "pid"}, {"/bin/sh", "-c", "sleep 1000; true"});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  const auto pid = static_cast<pid_t>(std::stol("0" + read_file(place / "pid")));
  EXPECT_TRUE(alive(pid));
  ::kill(pid, SIGKILL);
  EXPECT_EQ(wait_orphan(pid), 137) << "its parent is whoever started the runtime";
}

TEST_F(Exec, NoPidFileWhenNothingWasStarted) {
  const std::string id = idle();
  TempDir place;
  const Outcome outcome = exec_args(id, {"--detach", "--pid-file", place / "pid"}, {"no-such-program"});
  EXPECT_NE(outcome.status, 0);
  if (runtime.is_davit()) {
    EXPECT_FALSE(exists(place / "pid")) << "conmon takes the file for a started process";
  }
}

TEST_F(Exec, AProcessThatCannotBeHandedOverIsEnded) {
  SKIP_FOR("crun,runc", "have no --pidfd-socket, or leave the process when there is no pid file");
  const std::string id = idle();
  for (const char* option : {"--pidfd-socket", "--pid-file"}) {
    const Outcome outcome = exec_args(id, {"--detach", option, "/no/such/place"}, {"/bin/sleep", "1234"});
    EXPECT_EQ(outcome.status, 255) << option;
    const auto left = [&] { return exec(id, "ps -o args | grep '[s]leep 1234'").out; };
    EXPECT_TRUE(eventually([&] { return left().empty(); })) << option << ": " << left();
  }
}

TEST_F(Exec, FailuresOfExecItselfAre255) {
  SKIP_FOR("crun", "gave 1 until 2026");
  const std::string id = idle();
  EXPECT_EQ(exec_args(id, {}, {"no-such-program"}).status, 255);
  EXPECT_EQ(exec_args(id, {"--cwd", "/no/such/dir"}, {"true"}).status, 255);
  EXPECT_EQ(runtime({"exec", "no-such-container", "true"}).status, 255);
}

TEST_F(Exec, CanonicalTexts) {
  const std::string id = idle();
  const std::string missing = exec_args(id, {}, {"no-such-program"}).err;
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(missing.find("executable file not found in $PATH"), std::string::npos) << missing;
    EXPECT_NE(exec_args(id, {}, {"/no/such"}).err.find("no such file or directory"), std::string::npos);
  }
}

TEST_F(Exec, NeedsARunningContainer) {
  Bundle bundle;
  const std::string id = start(bundle);
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  const Outcome outcome = exec(id, "true");
  EXPECT_NE(outcome.status, 0);
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(outcome.err.find("cannot exec in a stopped container"), std::string::npos) << outcome.err;
  }
}

TEST_F(Exec, PausedNeedsToBeIgnored) {
  const std::string id = idle();
  ASSERT_TRUE(runtime({"pause", id}).ok());
  const Outcome outcome = exec(id, "true");
  EXPECT_NE(outcome.status, 0);
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(outcome.err.find("cannot exec in a paused container"), std::string::npos) << outcome.err;
    Child late = runtime.start({"exec", "--ignore-paused", id, "/bin/echo", "thawed"});
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_TRUE(runtime({"resume", id}).ok());
    EXPECT_EQ(late.wait().out, "thawed\n");
  } else {
    EXPECT_TRUE(runtime({"resume", id}).ok());
  }
}

TEST_F(Exec, WorksInACreatedContainer) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = create(bundle);
  const Outcome outcome = exec(id, "echo early");
  EXPECT_EQ(outcome.out, "early\n") << outcome.all();
}

TEST_F(Exec, PreserveFds) {
  const std::string id = idle();
  TempDir place;
  write_file(place / "three", "three\n");
  const Fd three(open((place / "three").c_str(), O_RDONLY));
  const Outcome outcome =
      exec_args(id, {"--preserve-fds", "1"}, {"/bin/sh", "-c", "cat <&3"}, {.fds = {{three.get(), 3}}});
  EXPECT_EQ(outcome.out, "three\n") << outcome.all();
  const Outcome plain = exec_args(id, {}, {"/bin/probe", "fds"}, {.fds = {{three.get(), 3}}});
  EXPECT_EQ(split(plain.out, '\n').size(), 3U) << plain.out;
}

TEST_F(Exec, PreserveFdsNeedsThemOpen) {
  SKIP_FOR("crun,runc", "these versions do not look");
  const std::string id = idle();
  // What the runtime opens for itself must not take the place of what the caller left out.
  const Outcome outcome = exec_args(id, {"--preserve-fds", "1"}, {"/bin/probe", "fds"});
  EXPECT_EQ(outcome.status, 255) << outcome.out;
  EXPECT_NE(outcome.err.find("unable to stat preserved-fd"), std::string::npos) << outcome.err;
}

TEST_F(Exec, ClosedDescriptorsThatAManagerPromisedAreNobodysFault) {
  const std::string id = idle();
  const Outcome outcome = exec_args(id, {}, {"/bin/probe", "fds"}, {.env = {"LISTEN_FDS=2"}});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(split(outcome.out, '\n').size(), 3U)
      << "what the runtime opens takes their place: " << outcome.out;
}

TEST_F(Exec, AnUnknownCapabilityIsAWarning) {
  SKIP_FOR("crun", "refuses it");
  const std::string id = idle();
  const Outcome outcome = exec(id, "true", {"--cap", "CAP_FLY"});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.err.find("CAP_FLY"), std::string::npos) << outcome.err;
}

TEST_F(Exec, WhatIsKilledBeforeItExecutesIsNoSuccess) {
  SKIP_FOR("runc,crun", "the profile ends what they need as well, and they say so in other words");
  Json config = default_config();
  config["process"]["noNewPrivileges"] = true;
  config["linux"]["seccomp"] = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
      [{"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS"}]})");
  Bundle bundle(config);
  bundle.write();
  const std::string id = new_id();
  const Outcome ran = runtime({"run", "--detach", "--bundle", bundle.path(), id});
  EXPECT_NE(ran.status, 0) << "a run that never ran";
  EXPECT_NE(ran.err.find("init ended unexpectedly"), std::string::npos) << ran.err;
  const std::string created = create(bundle);
  const Outcome started = runtime({"start", created});
  EXPECT_NE(started.status, 0) << "a start that never started";
  EXPECT_NE(started.err.find("seccomp"), std::string::npos) << started.err;
}

TEST_F(Exec, AProcessIsNotBoundToTheProcessorsOfTheCaller) {
  SKIP_UNLESS(sysconf(_SC_NPROCESSORS_ONLN) > 1, "one processor");
  const auto bind = [] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
  };
  const std::string id = idle();
  const std::string script = "grep Cpus_allowed_list /proc/self/status";
  const std::string all = exec(id, script).out;
  EXPECT_EQ(exec_args(id, {}, {"/bin/sh", "-c", script}, {.in_child = bind}).out, all);
  Bundle bundle;
  bundle.sh(script);
  EXPECT_EQ(run_bundle(bundle, {}, {.in_child = bind}).out, all);
}

TEST_F(Exec, SeccompOfTheContainerApplies) {
  Json config = default_config();
  config["linux"]["seccomp"] = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
      [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]})");
  const std::string id = idle(config);
  const Outcome outcome = exec_args(id, {}, {"/bin/probe", "call", "sethostname"});
  EXPECT_EQ(outcome.out, "sethostname ENOSYS\n") << outcome.all();
}

TEST_F(Exec, InAUserNamespace) {
  Json config = default_config();
  add_user_namespace(config);
  const std::string id = idle(config);
  const Outcome outcome =
      exec(id, "id -u; cat /proc/self/uid_map; grep CapEff /proc/self/status; touch /tmp/x");
  EXPECT_EQ(outcome.out.rfind("0\n", 0), 0U) << outcome.all();
  EXPECT_NE(outcome.out.find("100000"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("CapEff:\t0000000000000000"), std::string::npos) << "capabilities were lost";
}

TEST_F(Exec, ASignalRightAfterTheStartIsForwarded) {
  SKIP_FOR("runc,crun", "these versions have no --pidfd-socket to hold them up there");
  const std::string id = idle();
  TempDir place;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", (place / "pidfd").c_str());
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listener.get(), name, sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(listener.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  // The next connection has to wait until this one is accepted.
  const Fd first(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(first.get(), name, sizeof address), 0);
  Child child = runtime.start({"exec", "--pidfd-socket", place / "pidfd", id, "/bin/sleep", "4321"});
  const std::string connecting = std::to_string(SYS_connect) + " ";
  ASSERT_TRUE(eventually([&] {
    return read_file("/proc/" + std::to_string(child.pid()) + "/syscall").rfind(connecting, 0) == 0;
  }));
  child.kill(SIGTERM);
  const Fd accepted(accept(listener.get(), nullptr, nullptr));
  const Fd davits(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(child.wait().status, 128 + SIGTERM);
  EXPECT_EQ(exec(id, "ps -o args | grep '[s]leep 4321'").out, "") << "it was left behind";
}

TEST_F(Exec, ASignalBeforeTheStartEndsIt) {
  SKIP_FOR("runc,crun", "these versions do not wait in a paused container");
  const std::string id = idle();
  ASSERT_TRUE(runtime({"pause", id}).ok());
  Child child = runtime.start({"exec", "--ignore-paused", id, "/bin/echo", "never"});
  const std::string task = std::to_string(child.pid());
  EXPECT_TRUE(
      eventually([&] { return !read_file("/proc/" + task + "/task/" + task + "/children").empty(); }));
  child.kill(SIGTERM);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.status, 255);
  EXPECT_NE(outcome.err.find("interrupted by SIGTERM"), std::string::npos) << outcome.err;
  EXPECT_TRUE(runtime({"resume", id}).ok());
  EXPECT_EQ(child.out(), "");
}

TEST_F(Exec, ManyAtOnce) {
  const std::string id = idle();
  std::vector<Child> children;
  for (int i = 0; i < 12; ++i)
    children.push_back(runtime.start({"exec", id, "/bin/echo", std::to_string(i)}));
  for (int i = 0; i < 12; ++i) {
    const Outcome outcome = children[static_cast<std::size_t>(i)].wait();
    EXPECT_EQ(outcome.out, std::to_string(i) + "\n") << outcome.all();
  }
}

TEST_F(Exec, GetsIntoAFullCgroup) {
  // A limit is for those who are born inside: an operator who comes from outside still has to look.
  SKIP_UNLESS(has_v1("pids") || has_v2("pids"), "this host has no pids controller");
  for (const int limit : {1, 2}) {
    Json config = default_config();
    config["linux"]["resources"]["pids"] = Json::object({{"limit", limit}});
    Bundle bundle(config);
    bundle.args({"/bin/sleep", "1000"});
    const std::string id = start(bundle);
    const std::string cgroups = read_file("/proc/" + std::to_string(runtime.pid(id)) + "/cgroup");
    const Outcome outcome = exec_args(id, {}, {"cat", "/proc/self/cgroup"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, cgroups) << limit;
    if (limit == 2) continue;
    const Outcome forks = exec(id, "true & wait");
    EXPECT_NE(forks.status, 0) << "the limit holds inside";
  }
}

TEST_F(Exec, ChildOfTheContainersCgroup) {
  SKIP_FOR("runc,crun", "these versions lack it or do it for v2 only");
  Json config = default_config();
  const std::string cgroup = cgroup_path(Sandbox::get().new_id());
  config["linux"]["cgroupsPath"] = cgroup;
  const std::string id = idle(config);
  SKIP_UNLESS(has_v1("pids"), "no v1 pids controller");
  make_dirs(v1_mount("pids") + cgroup + "/sub");
  const Outcome outcome = exec(id, "grep pids /proc/self/cgroup", {"--cgroup", "pids:sub"});
  EXPECT_NE(outcome.out.find("/sub"), std::string::npos) << outcome.all();
  const Outcome several =
      exec(id, "grep -c /sub /proc/self/cgroup", {"--cgroup", "pids:sub", "--cgroup", "devices:/"});
  EXPECT_EQ(several.out, "1\n") << several.all();
  for (const char* bad : {"../..", "pids:../../x", "nocontroller:sub"}) {
    EXPECT_NE(exec(id, "true", {"--cgroup", bad}).status, 0) << bad;
  }
  rmdir((v1_mount("pids") + cgroup + "/sub").c_str());
}

}  // namespace
}  // namespace support
