// SPDX-License-Identifier: Apache-2.0
// `run` in the foreground and detached: what comes in, what goes out, how it ends.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class Run : public ContainerTest {};

TEST_F(Run, GivesTheExitStatusOfTheProgram) {
  for (const int status : {0, 1, 42, 255}) {
    Bundle bundle;
    bundle.sh("exit " + std::to_string(status));
    EXPECT_EQ(run_bundle(bundle).status, status);
  }
}

TEST_F(Run, ASignalIsA128) {
  for (const int signal : {SIGKILL, SIGSEGV, SIGTERM}) {
    Bundle bundle;
    remove_namespace(bundle.config, "pid");
    bundle.sh("kill -" + std::to_string(signal) + " $$");
    EXPECT_EQ(run_bundle(bundle).status, 128 + signal);
  }
}

TEST_F(Run, PassesStdinStdoutAndStderr) {
  Bundle bundle;
  bundle.sh("cat; echo error >&2");
  const Outcome outcome = run_bundle(bundle, {}, {.input = "from outside\n"});
  EXPECT_EQ(outcome.out, "from outside\n");
  EXPECT_EQ(outcome.err, "error\n");
}

TEST_F(Run, LeavesNothingWhenItReturns) {
  Bundle bundle;
  const HostSnapshot before = HostSnapshot::take(runtime.root());
  const Outcome outcome = run_bundle(bundle);
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(HostSnapshot::take(runtime.root()).leaked_since(before), "");
}

TEST_F(Run, PassesSignalsOn) {
  Bundle bundle;
  bundle.args({"/bin/probe", "signals", "4"});
  bundle.write();
  Child child = runtime.start({"run", "--bundle", bundle.path(), new_id()});
  ASSERT_TRUE(eventually([&] { return child.out() == "ready\n"; })) << child.err();
  std::string expected = "ready\n";
  for (const int signal : {SIGHUP, SIGINT, SIGUSR1, SIGTERM}) {
    child.kill(signal);
    expected += "signal " + std::to_string(signal) + "\n";
    EXPECT_TRUE(eventually([&] { return child.out() == expected; })) << child.out();
  }
  EXPECT_EQ(child.wait().status, 0);
}

TEST_F(Run, DetachedReturnsWhileTheProgramRuns) {
  Bundle bundle;
  bundle.sh("while :; do sleep 1; done");
  bundle.write();
  const std::string id = new_id();
  TempDir place;
  const std::string pid_file = place / "pid";
  const Outcome outcome = runtime({"run", "--detach", "--pid-file", pid_file, "--bundle", bundle.path(), id});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_EQ(read_file(pid_file), std::to_string(runtime.pid(id))) << "decimal, no newline";
}

TEST_F(Run, KeepLeavesTheStateBehind) {
  SKIP_FOR("crun,runc", "these versions have no --keep");
  Bundle bundle;
  bundle.write();
  const std::string id = new_id();
  EXPECT_TRUE(runtime({"run", "--keep", "--bundle", bundle.path(), id}).ok());
  EXPECT_EQ(runtime.status(id), "stopped");
  EXPECT_TRUE(runtime({"delete", id}).ok());
}

TEST_F(Run, PidFileIsRelativeToTheCaller) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  TempDir place;
  const std::string id = create(bundle, {"--pid-file", "here.pid"}, {.cwd = place.path()});
  EXPECT_EQ(read_file(place / "here.pid"), std::to_string(runtime.pid(id)));
}

TEST_F(Run, TheBundleIsTheWorkingDirectoryByDefault) {
  Bundle bundle;
  bundle.sh("echo here");
  bundle.write();
  const Outcome outcome = runtime({"run", new_id()}, {.cwd = bundle.path()});
  EXPECT_EQ(outcome.out, "here\n") << outcome.all();
}

TEST_F(Run, ARelativeBundleWorks) {
  Bundle bundle;
  bundle.sh("echo here");
  bundle.write();
  const Outcome outcome =
      runtime({"run", "-b", "./" + bundle.path().substr(bundle.path().rfind('/') + 1), new_id()},
              {.cwd = Sandbox::get().dir()});
  EXPECT_EQ(outcome.out, "here\n") << outcome.all();
}

TEST_F(Run, OnlyTheThreeStandardDescriptorsArePassed) {
  Bundle bundle;
  bundle.args({"/bin/probe", "fds"});
  const Fd leaked(open("/", O_RDONLY | O_DIRECTORY));
  const Outcome outcome = run_bundle(bundle, {}, {.fds = {{leaked.get(), 9}}});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(split(outcome.out, '\n').size(), 3U) << outcome.out;
}

TEST_F(Run, PreserveFdsPassesThatMany) {
  Bundle bundle;
  bundle.sh("cat <&3; cat <&4; probe fds");
  TempDir place;
  write_file(place / "three", "three\n");
  write_file(place / "four", "four\n");
  const Fd three(open((place / "three").c_str(), O_RDONLY));
  const Fd four(open((place / "four").c_str(), O_RDONLY));
  const Outcome outcome = run_bundle(bundle, {"--preserve-fds", "2"},
                                     {.fds = {{three.get(), 3}, {four.get(), 4}, {four.get(), 5}}});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(outcome.out.rfind("three\nfour\n", 0), 0U) << outcome.out;
  EXPECT_EQ(outcome.out.find("fd 5 "), std::string::npos) << outcome.out;
}

TEST_F(Run, PreserveFdsNeedsThemOpen) {
  SKIP_FOR("crun,runc", "these versions do not look");
  Bundle bundle;
  const Outcome outcome = run_bundle(bundle, {"--preserve-fds", "3"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("unable to stat preserved-fd"), std::string::npos) << outcome.err;
}

TEST_F(Run, ListenFdsAreHandedOn) {
  SKIP_FOR("runc", "1.1.5 hands on the descriptors to detached containers only");
  Bundle bundle;
  bundle.sh("echo $LISTEN_FDS $LISTEN_PID; cat <&3");
  TempDir place;
  write_file(place / "three", "three\n");
  const Fd three(open((place / "three").c_str(), O_RDONLY));
  const Outcome outcome = run_bundle(bundle, {}, {.env = {"LISTEN_FDS=1"}, .fds = {{three.get(), 3}}});
  EXPECT_EQ(outcome.out, "1 1\nthree\n") << outcome.all();
}

TEST_F(Run, FlagsMayComeAfterTheId) {
  SKIP_FOR("crun,runc", "these versions stop at the first argument");
  Bundle bundle;
  bundle.sh("echo late");
  bundle.write();
  const Outcome outcome = runtime({"run", new_id(), "--bundle", bundle.path()});
  EXPECT_EQ(outcome.out, "late\n") << outcome.all();
}

TEST_F(Run, AMissingProgramIsAnErrorWithItsCanonicalText) {
  Bundle bundle;
  bundle.args({"no-such-program"});
  const Outcome outcome = run_bundle(bundle);
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("executable file"), std::string::npos) << outcome.err;
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(outcome.err.find("executable file not found in $PATH"), std::string::npos) << outcome.err;
  }
  bundle.args({"/no/such/path"});
  EXPECT_NE(run_bundle(bundle).err.find("no such file or directory"), std::string::npos)
      << "lower case, as engines match it";
  bundle.args({"/etc"});
  const std::string directory = run_bundle(bundle).err;
  EXPECT_TRUE(directory.find("is a directory") != std::string::npos ||
              directory.find("permission denied") != std::string::npos ||
              directory.find("Permission denied") != std::string::npos)
      << directory;
  write_file(bundle.rootfs() + "/plain", "text\n", 0644);
  bundle.args({"/plain"});
  const std::string plain = run_bundle(bundle).err;
  EXPECT_TRUE(plain.find("ermission denied") != std::string::npos) << plain;
}

TEST_F(Run, DoesNotWaitForProcessesThatTheProgramLeftBehind) {
  Bundle bundle;
  bundle.sh("sleep 1000 & exit 3");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.status, 3) << outcome.all();
}

TEST_F(Run, WithoutPidNamespaceTheRestIsKilled) {
  SKIP_FOR("runc,crun", "these versions leave it running in the cgroup, or delete --force does it");
  Bundle bundle;
  remove_namespace(bundle.config, "pid");
  bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  bundle.sh("sleep 1000 & exit 3");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.status, 3) << outcome.all();
}

TEST_F(Run, SurvivesTheEnginesEmptyEnvironment) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle, {}, {.only_env = true});
  EXPECT_TRUE(runtime({"kill", id, "KILL"}, {.env = {"XDG_RUNTIME_DIR=/nowhere"}, .only_env = true}).ok());
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  EXPECT_TRUE(runtime({"delete", id}, {.env = {"XDG_RUNTIME_DIR=/nowhere"}, .only_env = true}).ok());
}

TEST_F(Run, ACallerMayIgnoreItsChildren) {
  // signal(7): then the kernel reaps them, and waitpid(2) finds none.
  Bundle bundle;
  add_user_namespace(bundle.config);
  bundle.config["hooks"]["createRuntime"] = Json::parse(R"([{"path": "/bin/true"}])");
  bundle.sh("exit 7");
  Options options;
  options.in_child = [] { signal(SIGCHLD, SIG_IGN); };
  const Outcome outcome = run_bundle(bundle, {}, options);
  EXPECT_EQ(outcome.status, 7) << outcome.all();
}

TEST_F(Run, WithoutCgroupsItsInitCanStillBeFound) {
  SKIP_FOR("crun,runc", "the option is crun's, whose kill --all needs a cgroup");
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.config["linux"].erase("resources");
  bundle.write();
  const std::string id = new_id();
  ASSERT_TRUE(
      runtime({"--cgroup-manager", "disabled", "run", "--detach", "--bundle", bundle.path(), id}).ok());
  const pid_t pid = runtime.pid(id);
  EXPECT_EQ(runtime({"ps", "--format", "json", id}).line(), "[" + std::to_string(pid) + "]");
  EXPECT_TRUE(runtime({"kill", "--all", id, "KILL"}).ok());
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  EXPECT_TRUE(runtime({"kill", "--all", id, "KILL"}).ok());
}

TEST_F(Run, ForwardsReadinessToTheCaller) {
  SKIP_FOR("crun", "mounts the caller's own socket instead");
  TempDir place;
  const std::string path = place / "notify";
  const Fd socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path.c_str());
  ASSERT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  Bundle bundle;
  bundle.args({"/bin/probe", "notify", "READY=1"});
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"run", "--bundle", bundle.path(), id}, {.env = {"NOTIFY_SOCKET=" + path}});
  timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char message[256] = {};
  const ssize_t size = recv(socket_.get(), message, sizeof message - 1, 0);
  EXPECT_GT(size, 0) << child.err();
  EXPECT_NE(std::string(message).find("READY=1"), std::string::npos) << message;
  EXPECT_TRUE(child.wait().ok());
}

}  // namespace
}  // namespace support
