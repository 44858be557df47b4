// SPDX-License-Identifier: Apache-2.0
// The real image and its host: start sockets, user namespaces, seccomp listeners, what must not leak.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "davit/sys/fd.hpp"
#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

struct ProtocolTest : testing::Test {
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root for namespaces";
    channel = builder.reserve();
    builder.set_channel(channel);
    filter = builder.reserve();
  }
  void emit_shell(const std::string& script) {
    const std::vector<std::string> arguments = {"/bin/sh", "-c", script};
    const std::vector<std::string> environment = {"OUT=" + (scratch / "out").string()};
    builder.emit(FindProgram{.name = builder.text("/bin/sh")});
    builder.emit(CloseDescriptors{});
    builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts(environment)});
  }
  std::string output() {
    std::string text(4096, '\0');
    const int file = open((scratch / "out").c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = read(file, text.data(), text.size());
    close(file);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  void emit_filter(const std::vector<sock_filter>& instructions, u32 flags = 0, Slot pids = kNoSlot) {
    const std::size_t size = instructions.size() * sizeof(sock_filter);
    filter_file = sys::UniqueFd::adopt(sealed_memfd("filter", instructions.data(), size));
    builder.emit(NoNewPrivileges{});
    builder.emit(LoadSeccomp{.flags = flags, .filter = filter, .pid_namespace = pids});
  }
  Program finish_filtered() {
    Program program = builder.finish();
    program.inherit(filter, filter_file.number());
    return program;
  }

  Scratch scratch;
  Builder builder;
  Slot channel{};
  Slot filter = kNoSlot;
  sys::UniqueFd filter_file;
};

/// With an init that is on record and waits at its start socket.
class StartTest : public ProtocolTest {
 protected:
  Started start_waiting() {
    const int listener = listen_at(scratch / "start.sock");
    const Slot slot = builder.reserve();
    builder.emit(TellHost{.point = Point::ready});
    builder.emit(AwaitHost{.point = Point::created});
    builder.emit(WaitStart{.listener = slot});
    builder.emit(FindProgram{.name = builder.text("/no/such/program")});
    Program program = builder.finish();
    program.inherit(slot, listener);
    Started started = start_image(std::move(program), channel);
    close(listener);
    EXPECT_EQ(receive(started.channel).message.point, Point::ready);
    tell(started.channel, Point::created);
    return started;
  }
};

TEST_F(StartTest, WaitsWithoutItsCreator) {
  Started started = start_waiting();
  close(started.channel);
  started.channel = -1;

  close(connect_to(scratch / "start.sock"));  // somebody who changed his mind
  const int caller = connect_to(scratch / "start.sock");
  tell(caller, Point::start);
  const Message failed = receive(caller).message;
  EXPECT_EQ(failed.type, MessageType::failed);
  EXPECT_EQ(failed.detail, Detail::no_such_file);
  EXPECT_EQ(started.wait(), 1);
  close(caller);
}

TEST_F(StartTest, EndsIfItsStarterIsKilledAfterItTookTheAddressAway) {
  Started started = start_waiting();
  const int caller = connect_to(scratch / "start.sock");
  tell(caller, Point::starting);
  close(caller);
  EXPECT_EQ(started.wait(), 1);
}

/// Stops a process, to follow it to where it waits with a time limit.
class Follower {
 public:
  explicit Follower(pid_t pid) : pid_(pid) {
    EXPECT_EQ(ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACESYSGOOD), 0);
    EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
  }
  /// Lets the n-th such wait be over at once, and the process go on alone.
  void cut_wait_short(int number) {
    constexpr int kSystemCallStop = SIGTRAP | 0x80;
    int status = 0;
    while (waitpid(pid_, &status, __WALL) == pid_ && WIFSTOPPED(status)) {
      if (WSTOPSIG(status) == kSystemCallStop && waits() && --number == 0) {
        ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
        return;
      }
      ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr);
    }
    ADD_FAILURE() << "it ended before";
  }

 private:
  /// At the entry of such a wait; one whose time is over by now.
  [[nodiscard]] bool waits() const {
    __ptrace_syscall_info info{};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof info, &info) <= 0) return false;
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_ppoll) return false;
    const auto limit = info.entry.args[2];
    if (limit == 0 || ptrace(PTRACE_PEEKDATA, pid_, limit, nullptr) <= 0) return false;
    return ptrace(PTRACE_POKEDATA, pid_, limit, nullptr) == 0;
  }

  pid_t pid_;
};

TEST_F(StartTest, WhoSaysNothingIsNotWaitedForForEver) {
  Started started = start_waiting();
  Follower follower(started.pid);
  const int silent = connect_to(scratch / "start.sock");
  const int caller = connect_to(scratch / "start.sock");
  tell(caller, Point::start);
  follower.cut_wait_short(1);
  EXPECT_EQ(receive(caller).message.detail, Detail::no_such_file);
  EXPECT_EQ(started.wait(), 1);
  close(silent);
  close(caller);
}

TEST_F(StartTest, EndsIfItsStarterSaysNothingMoreAfterItTookTheAddressAway) {
  Started started = start_waiting();
  Follower follower(started.pid);
  const int caller = connect_to(scratch / "start.sock");
  tell(caller, Point::starting);
  follower.cut_wait_short(2);
  const Message failed = receive(caller).message;
  EXPECT_EQ(failed.type, MessageType::failed);
  EXPECT_EQ(failed.error, ETIMEDOUT);
  EXPECT_EQ(started.wait(), 1);
  close(caller);
}

TEST_F(ProtocolTest, DiesWithItsCreatorBeforeReady) {
  builder.emit(TellHost{.point = Point::started});
  builder.emit(AwaitHost{.point = Point::attached});
  Program program = builder.finish();
  int report[2];
  ASSERT_EQ(pipe2(report, O_CLOEXEC), 0);
  const pid_t creator = fork();
  if (creator == 0) {
    Started started = start_image(std::move(program), channel);
    receive(started.channel);
    // The channel stays open elsewhere, so that only the death signal can end init.
    const pid_t keeper = fork();
    if (keeper == 0) {
      sleep(20);
      _exit(0);
    }
    const pid_t pids[2] = {started.pid, keeper};
    _exit(write(report[1], pids, sizeof pids) == sizeof pids ? 0 : 1);
  }
  pid_t pids[2] = {};
  ASSERT_EQ(read(report[0], pids, sizeof pids), static_cast<ssize_t>(sizeof pids));
  waitpid(creator, nullptr, 0);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pids[0], 0));
  if (pidfd >= 0) {  // else it is gone already
    pollfd end{pidfd, POLLIN, 0};
    EXPECT_EQ(poll(&end, 1, 60000), 1) << "init outlives a davit that died";
    close(pidfd);
  }
  kill(pids[1], SIGKILL);
  close(report[0]);
  close(report[1]);
}

TEST_F(ProtocolTest, EntersAUserNamespace) {
  builder.emit(Unshare{.types = CLONE_NEWUSER});
  builder.emit(TellHost{.point = Point::user_namespace});
  builder.emit(AwaitHost{.point = Point::user_namespace});
  builder.emit(BecomeNamespaceRoot{});
  builder.emit(Unshare{.types = CLONE_NEWTIME | CLONE_NEWNET | CLONE_NEWUTS});
  builder.emit(SetTimeOffsets{.text = builder.text("boottime 1000000 0\n")});
  builder.emit(ForkInit{.types = CLONE_NEWPID});
  builder.emit(LoopbackUp{});
  builder.emit(SetHostname{.name = builder.text("inner")});
  builder.emit(NewSession{});
  emit_shell("id -u; echo $$; hostname; cut -d. -f1 /proc/uptime");
  int output_pipe[2];
  ASSERT_EQ(pipe2(output_pipe, O_CLOEXEC), 0);
  Started stage = start_image(builder.finish(), channel, [&] { dup2(output_pipe[1], 1); });
  close(output_pipe[1]);
  EXPECT_EQ(receive(stage.channel).message.point, Point::user_namespace);
  for (const char* file : {"uid_map", "gid_map"}) {
    const std::string path = "/proc/" + std::to_string(stage.pid) + "/" + file;
    const int map = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_GT(write(map, "0 100000 65536", 14), 0);
    close(map);
  }
  tell(stage.channel, Point::user_namespace);
  const Received child = receive(stage.channel);
  ASSERT_EQ(child.message.type, MessageType::child)
      << child.message.operation << " " << std::strerror(child.message.error);
  EXPECT_EQ(stage.wait(), 0);
  Started init(child.message.pid, -1);
  EXPECT_EQ(receive(stage.channel).message.type, MessageType{});
  std::string text(256, '\0');
  std::size_t size = 0;
  for (ssize_t got; (got = read(output_pipe[0], text.data() + size, text.size() - size)) > 0;)
    size += static_cast<std::size_t>(got);
  text.resize(size);
  close(output_pipe[0]);
  EXPECT_EQ(text.substr(0, 10), "0\n1\ninner\n");
  EXPECT_GE(std::atol(text.c_str() + (text.size() > 10 ? 10 : 0)), 1000000);
  EXPECT_EQ(init.wait(), 0);
}

TEST_F(ProtocolTest, LeaksNothing) {
  emit_shell(
      "exec >$OUT; ls /proc/$$/fd; umask; grep -E 'SigBlk|SigIgn' "
      "/proc/self/status");
  Program program = builder.finish();
  reinterpret_cast<Header*>(program.image.data())->ignored_signals = u64{1} << (SIGPIPE - 1);
  Started started = start_image(std::move(program), channel, [] {
    umask(0027);
    signal(SIGPIPE, SIG_IGN);
    for (const int number : {SIGINT, SIGQUIT})
      signal(number, SIG_DFL);  // ignored by who runs in the background
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    open("/", O_RDONLY);  // NOLINT: meant to leak
  });
  EXPECT_EQ(receive(started.channel).message.type, MessageType{});
  EXPECT_EQ(started.wait(), 0);
  EXPECT_EQ(output(), "0\n1\n2\n0027\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ProtocolTest, KeepsPreservedDescriptors) {
  const std::vector<std::string> arguments = {"/bin/sh", "-c", "cat <&9"};
  builder.emit(FindProgram{.name = builder.text("/bin/sh")});
  builder.emit(CloseDescriptors{.first = 10});
  builder.emit(Execute{.arguments = builder.texts(arguments), .environment = builder.texts({})});
  int pair[2];
  ASSERT_EQ(pipe2(pair, O_CLOEXEC), 0);
  Started started = start_image(builder.finish(), channel, [&] {
    const int out = fcntl(pair[1], F_DUPFD, 20);
    const int text = memfd_create("text", 0);
    if (write(text, "kept", 4) != 4) _exit(1);
    lseek(text, 0, SEEK_SET);
    dup2(text, 9);
    dup2(out, 1);
  });
  close(pair[1]);
  char text[16] = {};
  EXPECT_EQ(read(pair[0], text, sizeof text - 1), 4);
  EXPECT_STREQ(text, "kept");
  close(pair[0]);
}

TEST_F(ProtocolTest, TracesEveryOperation) {
  builder.set_trace(true);
  builder.emit(NewSession{});
  builder.emit(SetUmask{.mask = 022});
  Started started = start_image(builder.finish(), channel);
  const Message first = receive(started.channel).message;
  const Message second = receive(started.channel).message;
  EXPECT_EQ(first.type, MessageType::reached);
  EXPECT_EQ(first.point, Point::none);
  EXPECT_EQ(second.operation, 1U);
  EXPECT_GE(second.value, first.value);
  EXPECT_GT(first.value, 0U);
}

/// Everything is allowed but mkdir(2), which is decided by `action`.
std::vector<sock_filter> filter_mkdir(unsigned action) {
  return {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 1, 0),
#ifdef SYS_mkdir
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
#else
          BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
#endif
          BPF_STMT(BPF_RET | BPF_K, action), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
}

TEST_F(ProtocolTest, SweepsFromAnyNumberOn) {
  for (const u32 first : {3U, 255U, 256U, 300U}) {
    SetUp();
    const Slot slot = builder.reserve();
    builder.emit(CloseDescriptors{.first = first, .sweep = 1});
    emit_shell("exit 5");
    const int last = fcntl(0, F_DUPFD_CLOEXEC, 255);
    ASSERT_EQ(last, 255);
    Program program = builder.finish();
    program.inherit(slot, last);
    Started started = start_image(std::move(program), channel);
    EXPECT_EQ(receive(started.channel).message.type, MessageType{}) << first;
    EXPECT_EQ(started.wait(), 5);
    close(last);
  }
}

TEST_F(ProtocolTest, LoadsAFilterThatComesLate) {
  builder.emit(AwaitHost{.point = Point::seccomp, .slot = filter});
  emit_filter(filter_mkdir(SECCOMP_RET_ERRNO | EPERM));
  emit_shell("mkdir $OUT 2>/dev/null && exit 1; exit 5");
  Started started = start_image(builder.finish(), channel);
  tell(started.channel, Point::seccomp, filter_file.number());
  EXPECT_EQ(receive(started.channel).message.type, MessageType{});
  EXPECT_EQ(started.wait(), 5);
}

/// With a filter whose agent decides of what init says and hears: only a task outside of it can send the
/// listener, and wait for what becomes of it.
class ListenerTest : public ProtocolTest {
 protected:
  /// `pids`: see LoadSeccomp::pid_namespace.
  void emit_agents_filter(Slot pids = kNoSlot) {
    emit_filter(
        {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 1, 0),
         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvmsg, 0, 1),
         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)},
        SECCOMP_FILTER_FLAG_NEW_LISTENER, pids);
  }
  static void take_listener(const Started& started) {
    const Received listener = receive(started.channel);
    EXPECT_EQ(listener.message.type, MessageType::seccomp_listener);
    EXPECT_GE(listener.descriptor, 0);
    close(listener.descriptor);
  }
};

TEST_F(ListenerTest, SendsTheListenerPastItsOwnFilter) {
  emit_agents_filter();
  emit_shell("exit 6");
  Started started = start_image(finish_filtered(), channel);
  take_listener(started);
  tell(started.channel, Point::owned);
  EXPECT_EQ(receive(started.channel).message.type, MessageType{});
  EXPECT_EQ(started.wait(), 6);
}

TEST_F(ListenerTest, DoesNotGoOnBeforeTheListenerHasAnOwner) {
  emit_agents_filter();
  emit_shell("exit 6");
  Started started = start_image(finish_filtered(), channel);
  take_listener(started);
  close(started.channel);
  started.channel = -1;
  EXPECT_EQ(started.wait(), 1);
}

TEST_F(ListenerTest, OfAStageComesFromOutsideOfThePidNamespace) {
  const Slot pids = builder.reserve();
  emit_agents_filter(pids);
  builder.emit(ForkInit{.awaits_owner = 1});
  emit_shell("exit 7");
  Program program = finish_filtered();
  const pid_t maker = fork();
  if (maker == 0) {
    if (unshare(CLONE_NEWPID) == 0 && fork() == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(pause());
  }
  const std::string path = "/proc/" + std::to_string(maker) + "/ns/pid_for_children";
  // The namespace is there once it has its first process.
  int file = -1;
  for (int tries = 0; file < 0 && tries < 1000; ++tries, usleep(10000))
    file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  program.inherit(pids, file);
  Started stage = start_image(std::move(program), channel);
  take_listener(stage);
  tell(stage.channel, Point::owned);
  const Message child = receive(stage.channel).message;
  ASSERT_EQ(child.type, MessageType::child) << std::strerror(child.error);
  tell(stage.channel, Point::owned);
  EXPECT_EQ(stage.wait(), 0);
  Started init(child.pid, -1);
  EXPECT_EQ(receive(stage.channel).message.type, MessageType{});
  EXPECT_EQ(init.wait(), 7);
  close(file);
  kill(maker, SIGKILL);
  waitpid(maker, nullptr, 0);
}

TEST_F(ProtocolTest, ADirectoryThatCannotBeLookedIntoHidesNoProgram) {
  emit_filter({
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_faccessat2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  });
  builder.emit(FindProgram{
      .name = builder.text("sh"), .search_path = builder.text("/nowhere:/bin:/usr/bin"), .has_path = 1});
  Started started = start_image(finish_filtered(), channel);
  const Message failed = receive(started.channel).message;
  EXPECT_EQ(failed.type, MessageType::failed);
  EXPECT_EQ(failed.error, EIO);
  EXPECT_EQ(started.wait(), 1);
}

TEST_F(ProtocolTest, AChildDoesNotGoOnBeforeWhatItsStageSentHasAnOwner) {
  builder.emit(ForkInit{.awaits_owner = 1});
  emit_shell("exit 7");
  Started stage = start_image(builder.finish(), channel);
  const Message child = receive(stage.channel).message;
  ASSERT_EQ(child.type, MessageType::child);
  Started init(child.pid, -1);
  close(stage.channel);
  stage.channel = -1;
  EXPECT_EQ(stage.wait(), 1);
  EXPECT_EQ(init.wait(), 1);
}

TEST_F(StartTest, IsSmallWhileItWaits) {
  Started started = start_waiting();
  const std::string path = "/proc/" + std::to_string(started.pid) + "/statm";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char text[128] = {};
  EXPECT_GT(read(file, text, sizeof text - 1), 0);
  close(file);
  long total = 0;
  long resident = 0;
  ASSERT_EQ(sscanf(text, "%ld %ld", &total, &resident), 2);
  EXPECT_LE(resident * getpagesize(), 200 * 1024);
}

}  // namespace
}  // namespace davit::init_test
