// SPDX-License-Identifier: Apache-2.0
#include "davit/features/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "compiled.hpp"
#include "davit/sys/process.hpp"

namespace davit::terminal {
namespace {

using test::Compiled;

TEST(Terminal, ConsoleSocketGoesWithDetachedTerminalsOnly) {
  spec::Process with;
  with.terminal = true;
  const spec::Process without;
  EXPECT_TRUE(check(with, true, true).ok());
  EXPECT_TRUE(check(with, false, false).ok());
  EXPECT_TRUE(check(without, true, false).ok());
  EXPECT_TRUE(check(without, false, false).ok());
  EXPECT_EQ(check(with, true, false).error().message.view(),
            "cannot allocate tty if runc will detach without setting console socket");
  EXPECT_FALSE(check(with, false, true).ok());
  EXPECT_FALSE(check(without, true, true).ok());
  EXPECT_FALSE(check(without, false, true).ok());
}

TEST(Terminal, OpensAConsoleOrOwnsStdio) {
  spec::Process process;
  process.user.uid = 5;
  Compiled plain;
  compile(plain.out, process, true);
  plain.finish();
  EXPECT_EQ(plain.find<program::OwnStdio>()->uid, 5U);
  EXPECT_FALSE(plain.find<program::OpenConsole>());

  process.terminal = true;
  process.console_size = spec::ConsoleSize{24, 80};
  Compiled console;
  compile(console.out, process, true);
  console.finish();
  const auto operation = console.find<program::OpenConsole>();
  EXPECT_EQ(operation->rows, 24U);
  EXPECT_EQ(operation->columns, 80U);
  EXPECT_EQ(operation->uid, 5U);
  EXPECT_EQ(operation->bind_console, 1U);
  EXPECT_EQ(operation->clear_onlcr, 0U) << "whoever has the master may want it";
}

TEST(Terminal, OnlyBehindOurOwnRelayNothingIsTranslated) {
  spec::Process process;
  process.terminal = true;
  Compiled relayed;
  relayed.out.call.relays_terminal = true;
  compile(relayed.out, process, true);
  relayed.finish();
  EXPECT_EQ(relayed.find<program::OpenConsole>()->clear_onlcr, 1U);
}

/// Puts a pipe in the place of stdout as long as it lives.
class Stdout {
 public:
  Stdout() : saved_(::dup(STDOUT_FILENO)) {
    int ends[2] = {};
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_GE(::fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    reader = ends[0];
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[1]);
  }
  ~Stdout() {
    put_back();
    ::close(reader);
  }
  Stdout(const Stdout&) = delete;
  Stdout& operator=(const Stdout&) = delete;
  void put_back() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDOUT_FILENO);
    ::close(std::exchange(saved_, -1));
  }
  int reader = -1;

 private:
  int saved_;
};

TEST(Terminal, WhoWritesForEverIsNotListenedToForEver) {
  constexpr std::size_t kForEver = 4 << 20;
  auto master = sys::UniqueFd::adopt(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master.valid());
  ASSERT_EQ(::unlockpt(master.number()), 0);
  char name[64];
  ASSERT_EQ(::ptsname_r(master.number(), name, sizeof name), 0);
  const int slave = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(slave, 0);
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  auto supervisor = Supervisor::open();
  ASSERT_TRUE(supervisor.ok());

  std::atomic<bool> is_over = false;
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&] {
      const std::string line(4000, 'x');
      while (!is_over && ::write(slave, line.data(), line.size()) > 0) continue;
    });
  Stdout out;
  std::size_t heard = 0;
  std::thread listener([&] {
    char block[4096];
    for (ssize_t got = 0; (got = ::read(out.reader, block, sizeof block)) > 0;) {
      heard += static_cast<std::size_t>(got);
      if (heard > kForEver) is_over = true;
      if (!is_over) ::usleep(2000);  // slower than the writers, so that there is always more
    }
  });
  const pid_t child = ::fork();
  if (child == 0) ::_exit(7);
  const auto pidfd = sys::open_pidfd(child);
  EXPECT_TRUE(sys::wait_end(*pidfd, -1).value_or(false));
  {
    auto relay = Relay::open(std::move(master));
    EXPECT_EQ(supervisor->supervise(child, *pidfd, &*relay).value_or(-1), 7);
  }
  is_over = true;
  out.put_back();
  listener.join();
  for (std::thread& writer : writers) writer.join();
  ::close(slave);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_LT(heard, kForEver);
}

}  // namespace
}  // namespace davit::terminal
