// SPDX-License-Identifier: Apache-2.0
// What davit does from outside for a process: hooks, limits, the console, standing in the foreground.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "davit/features/hooks.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/seccomp.hpp"
#include "davit/features/terminal.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"

namespace davit {
namespace {

class ProcessHost : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/davit-process-host-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream file(path_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static spec::Hook shell(const std::string& script) {
    spec::Hook hook;
    hook.path = "/bin/sh";
    hook.args = {"sh", "-c", script};
    return hook;
  }
  [[nodiscard]] spec::State state() const {
    spec::State result;
    result.id = "web";
    result.pid = 17;
    result.bundle = path_;
    return result;
  }
  /// The exit status of a child that runs `body` as the caller of a foreground container.
  static int in_child(const std::function<int()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(body());
    return sys::wait_for(pid).value();
  }
  std::string path_;
};

/// A child that runs a shell script, and its pidfd.
struct Child {
  explicit Child(const char* script, int stdio = -1) {
    pid = ::fork();
    if (pid == 0) {
      sigset_t none;
      sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      if (stdio >= 0) ::login_tty(stdio);
      ::execl("/bin/sh", "sh", "-c", script, nullptr);
      ::_exit(127);
    }
    pidfd = sys::open_pidfd(pid).value();
  }
  pid_t pid;
  sys::UniqueFd pidfd;
};

TEST_F(ProcessHost, ANumberThatIsOnlyAGroupsByNowIsNobody) {
  int link[2];
  ASSERT_EQ(::pipe(link), 0);
  const pid_t leader = ::fork();
  if (leader == 0) {
    ::setpgid(0, 0);
    ::close(link[1]);
    char byte = 0;
    if (::fork() == 0)
      ::_exit(::read(link[0], &byte, 1) == 0 ? 0 : 1);  // stays in the group until the end of the test
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(leader, nullptr, 0), leader);
  ::close(link[0]);
  EXPECT_EQ(::kill(-leader, 0), 0);
  const auto pidfd = sys::open_pidfd(leader);
  ASSERT_FALSE(pidfd.ok());
  EXPECT_EQ(pidfd.error().errno_value, ESRCH);
  ::close(link[1]);
}

TEST_F(ProcessHost, HooksGetTheStateAndExactlyTheirEnvironment) {
  spec::Hooks hooks;
  hooks.create_runtime.push_back(shell("cat > state; pwd > cwd; /usr/bin/env > env; ls /proc/self/fd > fds"));
  hooks.create_runtime[0].env = {"ONLY=this"};
  const auto ran = hooks::run(hooks, hooks::Kind::create_runtime, state());
  ASSERT_TRUE(ran.ok()) << describe(ran.error()).view();
  spec::State expected = state();
  expected.status = spec::Status::creating;
  EXPECT_EQ(content("state"), spec::state_json(expected, spec::JsonStyle::compact));
  EXPECT_EQ(content("cwd"), path_ + "\n");
  EXPECT_NE(content("env").find("ONLY=this\n"), std::string::npos);
  EXPECT_EQ(content("env").find("PATH="), std::string::npos);
  // 0, 1, 2 and the directory that ls reads.
  EXPECT_EQ(content("fds"), "0\n1\n2\n3\n");
}

TEST_F(ProcessHost, AFailedHookStopsTheOthersAndSaysWhy) {
  spec::Hooks hooks;
  hooks.create_runtime.push_back(shell("touch first"));
  hooks.create_runtime.push_back(shell("echo out; echo oops >&2; exit 3"));
  hooks.create_runtime.push_back(shell("touch third"));
  const auto ran = hooks::run(hooks, hooks::Kind::create_runtime, state());
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().code, Code::hook_failed);
  EXPECT_EQ(ran.error().message.view(),
            "error running createRuntime hook #1: /bin/sh: exit status 3, stdout: out, stderr: oops");
  EXPECT_TRUE(std::filesystem::exists(path_ + "/first"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/third"));
}

TEST_F(ProcessHost, AHookThatIsNotThereOrDiesIsNamed) {
  spec::Hooks hooks;
  hooks.poststart.resize(1);
  hooks.poststart[0].path = "/no/such/hook";
  auto ran = hooks::run(hooks, hooks::Kind::poststart, state());
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(describe(ran.error()).view(),
            "error running poststart hook #0: exec /no/such/hook: No such file or directory");
  hooks.poststart[0] = shell("kill -KILL $$");
  ran = hooks::run(hooks, hooks::Kind::poststart, state());
  EXPECT_NE(ran.error().message.view().find("signal: SIGKILL"), std::string_view::npos);
}

TEST_F(ProcessHost, AHookBeyondItsTimeIsKilled) {
  spec::Hooks hooks;
  hooks.prestart.push_back(shell("echo $$ > pid; exec sleep 1000"));
  hooks.prestart[0].timeout = 1;
  const auto ran = hooks::run(hooks, hooks::Kind::prestart, state());
  ASSERT_FALSE(ran.ok());
  EXPECT_NE(ran.error().message.view().find("hook ran past specified timeout of 1.0s"),
            std::string_view::npos);
  EXPECT_EQ(::kill(std::atoi(content("pid").c_str()), 0), -1);
}

TEST_F(ProcessHost, MuchOutputNeitherBlocksNorGrows) {
  spec::Hooks hooks;
  hooks.prestart.push_back(shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 1"));
  const auto ran = hooks::run(hooks, hooks::Kind::prestart, state());
  ASSERT_FALSE(ran.ok());
  EXPECT_NE(ran.error().message.view().find("line 19999, stderr: "), std::string_view::npos);
}

TEST_F(ProcessHost, ADaemonThatKeepsTheOutputOpenIsNotWaitedFor) {
  spec::Hooks hooks;
  hooks.prestart.push_back(shell("sleep 1000 & echo $! > pid"));
  EXPECT_TRUE(hooks::run(hooks, hooks::Kind::prestart, state()).ok());
  EXPECT_EQ(::kill(std::atoi(content("pid").c_str()), SIGKILL), 0);
}

TEST_F(ProcessHost, PoststopHooksAllRunAndFailuresAreWarnings) {
  spec::Hooks hooks;
  hooks.poststop.push_back(shell("exit 1"));
  hooks.poststop.push_back(shell("cat > state"));
  EXPECT_EQ(hooks::run_all(hooks, hooks::Kind::poststop, state()).size(), 1U);
  EXPECT_NE(content("state").find("\"status\":\"stopped\""), std::string::npos);
}

TEST_F(ProcessHost, LimitsReachTheProcess) {
  Child child("exec sleep 1000");
  spec::Process process;
  process.rlimits = {{"RLIMIT_NOFILE", 100, 200, {}}, {"RLIMIT_CORE", 0, 0, {}}};
  process.oom_score_adj = 321;
  EXPECT_TRUE(limits::wanted(process));
  EXPECT_TRUE(limits::apply(child.pid, process, false).ok());
  struct rlimit files = {};
  ASSERT_EQ(::prlimit(child.pid, RLIMIT_NOFILE, nullptr, &files), 0);
  EXPECT_EQ(files.rlim_cur, 100U);
  EXPECT_EQ(files.rlim_max, 200U);
  EXPECT_EQ(sys::read_file("/proc/" + std::to_string(child.pid) + "/oom_score_adj").value(), "321\n");
  ::kill(child.pid, SIGKILL);
  (void)sys::wait_for(child.pid);
}

TEST_F(ProcessHost, ALimitThatCannotBeSetIsExplained) {
  Child child("exec sleep 1000");
  spec::Process process;
  process.rlimits = {{"RLIMIT_NOFILE", 100, std::uint64_t{1} << 40, {}}};
  const auto applied = limits::apply(child.pid, process, false);
  ::kill(child.pid, SIGKILL);
  (void)sys::wait_for(child.pid);
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(describe(applied.error()).view(),
            "error setting rlimit RLIMIT_NOFILE to 100:1099511627776: Operation not permitted");
  EXPECT_FALSE(applied.error().advice.empty());
}

TEST_F(ProcessHost, AnEndIsSeenWhoeverElseHoldsTheSocket) {
  const auto pair = sys::packet_pair();
  ASSERT_TRUE(pair.ok());
  for (const bool speaks : {false, true}) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(!speaks || ::write(pair->second.number(), "", 1) == 1 ? 0 : 1);
    const auto pidfd = sys::open_pidfd(child);
    ASSERT_TRUE(pidfd.ok());
    const auto sign = sys::wait_sign(pair->first, *pidfd, 60000);
    ASSERT_TRUE(sign.ok());
    EXPECT_EQ(*sign, speaks ? sys::Sign::word : sys::Sign::end);
    EXPECT_EQ(sys::wait_for(child).value(), 0);
  }
  char byte = 0;
  ASSERT_EQ(::read(pair->first.number(), &byte, 1), 1);
  EXPECT_EQ(sys::wait_sign(pair->first, sys::open_pidfd(::getpid()).value(), 1).value(), sys::Sign::none);
}

TEST_F(ProcessHost, DescriptorsReachAConsoleSocketWithTheirName) {
  const sys::UniqueFd directory = sys::open(path_, O_PATH | O_DIRECTORY).value();
  const sys::UniqueFd listener = sys::listen_at(directory, "console.sock", SOCK_STREAM).value();
  const sys::UniqueFd null = sys::open("/dev/null", O_RDONLY).value();
  ASSERT_TRUE(terminal::send_descriptor(path_ + "/console.sock", null, "/dev/pts/0").ok());
  const sys::UniqueFd connection = sys::UniqueFd::adopt(::accept(listener.number(), nullptr, nullptr));
  char name[64] = {};
  const auto received = sys::receive_with_fd(connection, name, sizeof name).value();
  EXPECT_STREQ(name, "/dev/pts/0");
  EXPECT_EQ(sys::stat_of(received.descriptor)->st_rdev, sys::stat_of(null)->st_rdev);
  EXPECT_FALSE(terminal::send_descriptor(path_ + "/nobody.sock", null, "x").ok());
}

TEST_F(ProcessHost, TheSeccompAgentGetsTheProcessState) {
  const sys::UniqueFd directory = sys::open(path_, O_PATH | O_DIRECTORY).value();
  const sys::UniqueFd listener = sys::listen_at(directory, "agent.sock", SOCK_STREAM).value();
  const sys::UniqueFd null = sys::open("/dev/null", O_RDONLY).value();
  spec::Seccomp profile;
  profile.listener_path = path_ + "/agent.sock";
  profile.listener_metadata = "meta";
  ASSERT_TRUE(seccomp::send_listener(profile, state(), state().pid, null).ok());
  const sys::UniqueFd connection = sys::UniqueFd::adopt(::accept(listener.number(), nullptr, nullptr));
  char document[4096] = {};
  const auto received = sys::receive_with_fd(connection, document, sizeof document - 1).value();
  EXPECT_TRUE(received.descriptor.valid());
  EXPECT_NE(std::string_view(document).find("\"seccompFd\""), std::string_view::npos) << document;
  EXPECT_NE(std::string_view(document).find("\"metadata\":\"meta\""), std::string_view::npos) << document;
  EXPECT_NE(std::string_view(document).find("\"pid\":17"), std::string_view::npos) << document;
  profile.listener_path = path_ + "/nobody.sock";
  const auto refused = seccomp::send_listener(profile, state(), state().pid, null);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().message.view().starts_with("failed to connect with seccomp agent"));
}

TEST(Sockets, LastWordsAreHeardFromWhoeverDidNotListen) {
  auto [ours, theirs] = sys::packet_pair().value();
  ASSERT_TRUE(sys::send_with_fd(ours, "unread", 6, {}).ok());
  ASSERT_TRUE(sys::send_with_fd(theirs, "farewell", 8, {}).ok());
  theirs.reset();
  char text[16] = {};
  EXPECT_EQ(sys::receive_with_fd(ours, text, sizeof text)->size, 8U);
  EXPECT_STREQ(text, "farewell");
  EXPECT_EQ(sys::receive_with_fd(ours, text, sizeof text)->size, 0U);
}

TEST_F(ProcessHost, ForegroundReturnsTheStatusOrTheSignal) {
  const auto status_of = [](const char* script) {
    return in_child([&] {
      Child child(script);
      auto supervisor = terminal::Supervisor::open().value();
      return supervisor.supervise(child.pid, child.pidfd, nullptr).value();
    });
  };
  EXPECT_EQ(WEXITSTATUS(status_of("exit 42")), 42);
  EXPECT_EQ(WEXITSTATUS(status_of("kill -TERM $$")), 128 + SIGTERM);
}

TEST_F(ProcessHost, ForegroundPassesSignalsOn) {
  const int status = in_child([&] {
    Child child("trap 'exit 7' USR1; while :; do sleep 0.01; done");
    auto supervisor = terminal::Supervisor::open().value();
    // Pending before anybody waits for it: it must not be lost.
    ::raise(SIGUSR1);
    return supervisor.supervise(child.pid, child.pidfd, nullptr).value();
  });
  // Before the trap was set the signal kills; either way it has arrived.
  EXPECT_TRUE(WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 128 + SIGUSR1) << status;
}

/// A davit in the foreground with a terminal in front of it and a container's terminal behind it.
struct Foreground {
  explicit Foreground(const char* script) {
    struct winsize size = {33, 99, 0, 0};
    pid = ::forkpty(&outer, nullptr, nullptr, &size);
    if (pid != 0) return;
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) ::_exit(99);
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    Child child(script, slave);
    ::close(slave);
    int status = 98;
    {
      auto relay = terminal::Relay::open(sys::UniqueFd::adopt(master)).value();
      auto supervisor = terminal::Supervisor::open().value();
      status = supervisor.supervise(child.pid, child.pidfd, &relay).value_or(97);
    }
    struct termios restored = {};
    if (::tcgetattr(0, &restored) != 0 || (restored.c_lflag & ICANON) == 0) status = 96;
    ::_exit(status);
  }
  ~Foreground() { ::close(outer); }
  /// What appears on the outer terminal until `text` does.
  std::string read_until(std::string_view text) const {
    std::string seen;
    char chunk[1024];
    for (ssize_t count = 0; seen.find(text) == std::string::npos;
         seen.append(chunk, static_cast<size_t>(count))) {
      struct pollfd entry = {outer, POLLIN, 0};
      if (::poll(&entry, 1, 60000) <= 0) break;
      if ((count = ::read(outer, chunk, sizeof chunk)) <= 0) break;
    }
    return seen;
  }
  int outer = -1;
  pid_t pid = -1;
};

TEST_F(ProcessHost, RelayCarriesBothWaysAndRestoresTheTerminal) {
  Foreground davit("stty size; read line; echo got $line; exit 5");
  EXPECT_NE(davit.read_until("33 99").find("33 99"), std::string::npos);
  ASSERT_EQ(::write(davit.outer, "hello\r", 6), 6);
  EXPECT_NE(davit.read_until("got hello").find("got hello"), std::string::npos);
  EXPECT_EQ(WEXITSTATUS(sys::wait_for(davit.pid).value()), 5);
}

TEST_F(ProcessHost, RelayFollowsTheSizeAndPassesControlCharacters) {
  Foreground davit(
      "trap 'stty size; exit 6' WINCH; trap 'echo interrupted' INT; echo up; while :; do sleep 0.01; done");
  EXPECT_NE(davit.read_until("up").find("up"), std::string::npos);
  ASSERT_EQ(::write(davit.outer, "\x03", 1), 1);
  EXPECT_NE(davit.read_until("interrupted").find("interrupted"), std::string::npos);
  const struct winsize size = {44, 111, 0, 0};
  ASSERT_EQ(::ioctl(davit.outer, TIOCSWINSZ, &size), 0);
  EXPECT_NE(davit.read_until("44 111").find("44 111"), std::string::npos);
  EXPECT_EQ(WEXITSTATUS(sys::wait_for(davit.pid).value()), 6);
}

TEST_F(ProcessHost, RelayDeliversTheLastOutput) {
  Foreground davit("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done");
  EXPECT_NE(davit.read_until("line 2999").find("line 2999"), std::string::npos);
  EXPECT_EQ(WEXITSTATUS(sys::wait_for(davit.pid).value()), 0);
}

TEST_F(ProcessHost, RelayWorksWithoutATerminalInFront) {
  const int status = in_child([&] {
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = ::open((path_ + "/out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(null, 0);
    ::dup2(out, 1);
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) return 99;
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    Child child("echo fine; exit 3", slave);
    ::close(slave);
    auto relay = terminal::Relay::open(sys::UniqueFd::adopt(master)).value();
    auto supervisor = terminal::Supervisor::open().value();
    return supervisor.supervise(child.pid, child.pidfd, &relay).value_or(97);
  });
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(content("out"), "fine\r\n");
}

}  // namespace
}  // namespace davit
