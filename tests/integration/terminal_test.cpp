// SPDX-License-Identifier: Apache-2.0
// Terminals: handed to an engine over a socket, or in the foreground on the caller's own.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cstring>

#include "support/fixture.hpp"

namespace support {
namespace {

/// What an engine does: listens for the master of the container's terminal.
class ConsoleSocket {
 public:
  ConsoleSocket() : path_(dir_ / "console") {
    listener_ = Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path_.c_str());
    if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_.get(), 1) != 0)
      ADD_FAILURE() << "listen";
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The descriptor that came; invalid if none did.
  Fd receive() {
    pollfd wait = {listener_.get(), POLLIN, 0};
    if (poll(&wait, 1, 60000) != 1) return Fd();
    const Fd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char text[256];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part = {text, sizeof text};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (size <= 0 || header == nullptr || header->cmsg_type != SCM_RIGHTS) return Fd();
    name_ = std::string(text, static_cast<std::size_t>(size));
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return Fd(fd);
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  TempDir dir_;
  std::string path_;
  std::string name_;
  Fd listener_;
};

/// Reads until the other side is closed or `until` was seen.
std::string read_terminal(const Fd& master, const std::string& until = "\x01") {
  std::string text;
  pollfd wait = {master.get(), POLLIN, 0};
  while (text.find(until) == std::string::npos && poll(&wait, 1, 60000) == 1) {
    char buffer[4096];
    const ssize_t size = read(master.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

class Terminal : public ContainerTest {
 protected:
  static Bundle with_terminal(std::string_view script) {
    Bundle bundle;
    bundle.config["process"]["terminal"] = true;
    bundle.sh(script);
    return bundle;
  }
};

TEST_F(Terminal, IsSentToTheConsoleSocket) {
  Bundle bundle = with_terminal("probe tty; read line; echo got $line");
  bundle.config["process"]["consoleSize"] = Json::parse(R"({"height": 33, "width": 111})");
  ConsoleSocket console;
  const std::string id = create(bundle, {"--console-socket", console.path()});
  const Fd master = console.receive();
  ASSERT_TRUE(master.valid());
  EXPECT_NE(console.name(), "");
  ASSERT_TRUE(runtime({"start", id}).ok());
  std::string text = read_terminal(master, "console chr");
  EXPECT_NE(text.find("isatty 1 1 1"), std::string::npos) << text;
  EXPECT_NE(text.find("controlling 1"), std::string::npos) << text;
  EXPECT_NE(text.find("rows 33 columns 111"), std::string::npos) << text;
  EXPECT_EQ(write(master.get(), "hello\n", 6), 6);
  text = read_terminal(master, "got hello");
  EXPECT_NE(text.find("got hello"), std::string::npos) << text;
}

TEST_F(Terminal, Cve_2025_52565_TheConsoleIsThePtyWhateverItsNameLeadsTo) {
  SKIP_FOR("crun,runc", "these versions are older than the fix");
  TempDir crafted("pts");
  make_symlink("/dev/real/ptmx", crafted / "ptmx");
  for (int number = 0; number < 10; ++number)
    make_symlink("/proc/uptime", crafted / std::to_string(number).c_str());
  Bundle bundle = with_terminal("stat -c %t /dev/console; stat -L -c %t /proc/self/fd/1; cat /proc/uptime");
  *find_mount(bundle.config, "/dev/pts") =
      mount_entry("/dev/real", "devpts", "devpts", {"newinstance", "ptmxmode=0666"});
  bundle.config["mounts"].push(mount_entry("/dev/pts", "bind", crafted.path(), {"rbind"}));
  ConsoleSocket console;
  const std::string id = create(bundle, {"--console-socket", console.path()});
  const Fd master = console.receive();
  ASSERT_TRUE(master.valid());
  ASSERT_TRUE(runtime({"start", id}).ok());
  const std::string text = read_terminal(master, ".");
  EXPECT_EQ(text.substr(0, 8), "88\r\n88\r\n") << text;  // 136, a pty
}

TEST_F(Terminal, Cve_2025_52565_AFalseMultiplexerIsRefused) {
  SKIP_FOR("crun,runc", "these versions are older than the fix");
  TempDir crafted("pts");
  make_symlink("/dev/zero", crafted / "ptmx");
  Bundle bundle = with_terminal("true");
  *find_mount(bundle.config, "/dev/pts") = mount_entry("/dev/pts", "bind", crafted.path(), {"rbind"});
  ConsoleSocket console;
  bundle.write();
  const Outcome outcome =
      runtime({"create", "--bundle", bundle.path(), "--console-socket", console.path(), new_id()});
  EXPECT_FALSE(outcome.ok());
  EXPECT_NE(outcome.err.find("devpts"), std::string::npos) << outcome.all();
}

/// Whoever holds the master decides about ONLCR: an engine's user would see a staircase without it.
TEST_F(Terminal, BehindASocketItsOutputIsTranslatedAsOnAnyTerminal) {
  Bundle bundle = with_terminal("probe tty; printf 'a\\nb\\n'");
  ConsoleSocket console;
  const std::string id = create(bundle, {"--console-socket", console.path()});
  const Fd master = console.receive();
  ASSERT_TRUE(master.valid());
  ASSERT_TRUE(runtime({"start", id}).ok());
  const std::string text = read_terminal(master, "b\r\n");
  EXPECT_NE(text.find("onlcr 1"), std::string::npos) << text;
  EXPECT_NE(text.find("a\r\nb\r\n"), std::string::npos) << text;
}

TEST_F(Terminal, DevConsoleIsThatTerminal) {
  Bundle bundle = with_terminal("echo through the console >/dev/console; probe tty");
  ConsoleSocket console;
  const std::string id = create(bundle, {"--console-socket", console.path()});
  const Fd master = console.receive();
  ASSERT_TRUE(master.valid());
  ASSERT_TRUE(runtime({"start", id}).ok());
  const std::string text = read_terminal(master, "console chr");
  EXPECT_NE(text.find("through the console"), std::string::npos) << text;
  EXPECT_NE(text.find("console chr 136"), std::string::npos) << text;
}

TEST_F(Terminal, NeedsASocketWhenNobodyStays) {
  Bundle bundle = with_terminal("true");
  bundle.write();
  const Outcome outcome = runtime({"create", "--bundle", bundle.path(), new_id()});
  EXPECT_NE(outcome.status, 0);
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(outcome.err.find("cannot allocate tty if runc will detach without setting console socket"),
              std::string::npos)
        << outcome.err;
  }
}

TEST_F(Terminal, ASocketNeedsATerminal) {
  SKIP_FOR("crun", "ignores the socket");
  Bundle bundle;
  bundle.write();
  ConsoleSocket console;
  EXPECT_NE(
      runtime({"create", "--console-socket", console.path(), "--bundle", bundle.path(), new_id()}).status, 0);
}

TEST_F(Terminal, OwnedByTheUser) {
  Bundle bundle = with_terminal("stat -c '%u' $(tty)");
  bundle.config["process"]["user"]["uid"] = 1000;
  bundle.config["process"]["user"]["gid"] = 1000;
  ConsoleSocket console;
  const std::string id = create(bundle, {"--console-socket", console.path()});
  const Fd master = console.receive();
  ASSERT_TRUE(master.valid());
  ASSERT_TRUE(runtime({"start", id}).ok());
  const std::string text = read_terminal(master, "1000");
  EXPECT_NE(text.find("1000"), std::string::npos) << text;
}

TEST_F(Terminal, ExecHasItsOwn) {
  Bundle bundle;
  bundle.sh("while :; do sleep 1; done");
  const std::string id = start(bundle);
  ConsoleSocket console;
  Child child =
      runtime.start({"exec", "--tty", "--detach", "--console-socket", console.path(), id, "probe", "tty"});
  const Fd master = console.receive();
  ASSERT_TRUE(master.valid()) << child.err();
  const std::string text = read_terminal(master);
  EXPECT_NE(text.find("isatty 1 1 1"), std::string::npos) << text;
  EXPECT_NE(text.find("ttyname /dev/pts/"), std::string::npos) << text;
  EXPECT_TRUE(child.wait().ok());
}

/// A person's terminal, with the runtime as the leader of its session.
struct Person {
  Fd master{posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
  Fd terminal;
  Person() {
    grantpt(master.get());
    unlockpt(master.get());
    terminal = Fd(open(ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    const winsize size = {.ws_row = 40, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(terminal.get(), TIOCSWINSZ, &size);
  }
  [[nodiscard]] Options options() const {
    const int fd = terminal.get();
    return {.fds = {{fd, 0}, {fd, 1}, {fd, 2}}, .in_child = [] {
              setsid();
              ioctl(0, TIOCSCTTY, 0);
            }};
  }
};

TEST_F(Terminal, InTheForegroundThePersonsTerminalIsConnected) {
  Bundle bundle = with_terminal("probe tty; read line; echo got $line; exit 4");
  bundle.write();
  Person person;
  termios before{};
  tcgetattr(person.terminal.get(), &before);
  Child child = runtime.start({"run", "--bundle", bundle.path(), new_id()}, person.options());
  std::string text = read_terminal(person.master, "console chr");
  EXPECT_NE(text.find("isatty 1 1 1"), std::string::npos) << text;
  EXPECT_NE(text.find("onlcr 0"), std::string::npos) << "the person's own terminal translates: " << text;
  EXPECT_NE(text.find("rows 40 columns 100"), std::string::npos)
      << "the size of the person's terminal: " << text;
  EXPECT_EQ(write(person.master.get(), "typed\r", 6), 6);
  text = read_terminal(person.master, "got typed");
  EXPECT_NE(text.find("got typed"), std::string::npos) << text;
  EXPECT_EQ(child.wait().status, 4);
  termios after{};
  tcgetattr(person.terminal.get(), &after);
  EXPECT_EQ(before.c_lflag, after.c_lflag) << "the terminal must be as it was";
  EXPECT_EQ(before.c_oflag, after.c_oflag);
}

TEST_F(Terminal, InTheForegroundControlCReachesTheProgram) {
  Bundle bundle = with_terminal("trap 'exit 23' INT; echo ready; while :; do sleep 0.05; done");
  bundle.write();
  Person person;
  Child child = runtime.start({"run", "--bundle", bundle.path(), new_id()}, person.options());
  read_terminal(person.master, "ready");
  EXPECT_EQ(write(person.master.get(), "\x03", 1), 1);
  EXPECT_EQ(child.wait().status, 23);
}

TEST_F(Terminal, ANewSizeIsPassedOn) {
  Bundle bundle = with_terminal("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done");
  bundle.write();
  Person person;
  Child child = runtime.start({"run", "--bundle", bundle.path(), new_id()}, person.options());
  read_terminal(person.master, "ready");
  const winsize size = {.ws_row = 55, .ws_col = 66, .ws_xpixel = 0, .ws_ypixel = 0};
  ioctl(person.master.get(), TIOCSWINSZ, &size);
  child.kill(SIGWINCH);
  const std::string text = read_terminal(person.master, "55 66");
  EXPECT_NE(text.find("55 66"), std::string::npos) << text;
  EXPECT_EQ(child.wait().status, 0);
}

TEST_F(Terminal, AllOutputArrivesBeforeTheEnd) {
  Bundle bundle = with_terminal("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done");
  bundle.write();
  Person person;
  Child child = runtime.start({"run", "--bundle", bundle.path(), new_id()}, person.options());
  const std::string text = read_terminal(person.master, "line 1999");
  EXPECT_NE(text.find("line 1999"), std::string::npos);
  EXPECT_EQ(child.wait().status, 0);
}

TEST_F(Terminal, ASlowReaderOfTheLastOutputCostsNoTime) {
  SKIP_FOR("crun,runc", "about the end of davit's own relay");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  // A page is a pipe's least, and may be filled to half only: small writes do not share one with large ones.
  ASSERT_EQ(fcntl(writer.get(), F_SETPIPE_SZ, 4096), 4096);
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.sh(
      "yes | head -c 7000");  // more than this pipe holds, and less than it and a terminal (8192) together
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"run", "--bundle", bundle.path(), id}, {.fds = {{writer.get(), 1}}});
  writer = Fd();
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; })) << child.err();
  EXPECT_TRUE(eventually([&] {
    const std::string stat = read_file("/proc/" + std::to_string(child.pid()) + "/stat");
    return stat.substr(stat.rfind(')') + 1, 2) == " S";
  })) << "it must sleep until somebody reads";
  std::size_t total = 0;
  eventually([&] {
    char data[65536];
    ssize_t count = 0;
    while ((count = read(reader.get(), data, sizeof data)) > 0) total += static_cast<std::size_t>(count);
    return count == 0;
  });
  EXPECT_EQ(total, 7000U);
  EXPECT_EQ(child.wait().status, 0);
}

}  // namespace
}  // namespace support
