// SPDX-License-Identifier: Apache-2.0
// exec finds the container by a number, which may be another process's by the time it is used.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "davit/launch/launch.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/process.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

TEST(LaunchExec, RefusesANumberThatBelongsToAnotherProcessByNow) {
  const auto read = spec::read_config(
      R"({"ociVersion": "1.0.0", "root": {"path": "/"},
          "process": {"args": ["/bin/true"], "cwd": "/", "user": {"uid": 0, "gid": 0}}})",
      "config.json");
  ASSERT_TRUE(read.ok());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const auto pidfd = sys::open_pidfd(child);
  ASSERT_TRUE(pidfd.ok());
  ASSERT_TRUE(sys::wait_for(child).ok());
  // The number has been given to us since.
  const ExecRequest request{.config = read.value,
                            .process = *read.value.process,
                            .id = "reused",
                            .bundle = "/",
                            .container_pid = ::getpid(),
                            .container = *pidfd,
                            .place = {},
                            .cgroups = {},
                            .options = {}};
  const auto launched = exec(request);
  ASSERT_FALSE(launched.ok());
  EXPECT_EQ(launched.error().code, Code::wrong_state) << launched.error().message.view();
}

TEST(LaunchExec, ANameThatCannotBeReadIsNoProofOfExecution) {
  const spec::Config config;
  Session session{.subject = {config, nullptr, "unread", "/"}};
  session.launched.pid = ::fork();
  if (session.launched.pid == 0) ::_exit(::pause());
  auto pidfd = sys::open_pidfd(session.launched.pid);
  ASSERT_TRUE(pidfd.ok());
  session.launched.pidfd = std::move(*pidfd);
  EXPECT_TRUE(check_executed(session).ok());
  const auto limit = sys::limit_of(0, RLIMIT_NOFILE);
  ASSERT_TRUE(limit.ok());
  ASSERT_TRUE(sys::set_limit(0, RLIMIT_NOFILE, {1, limit->rlim_max}).ok());  // one for poll(2)
  const auto checked = check_executed(session);
  ASSERT_TRUE(sys::set_limit(0, RLIMIT_NOFILE, *limit).ok());
  EXPECT_FALSE(checked.ok());
  ::kill(session.launched.pid, SIGKILL);
  EXPECT_TRUE(sys::wait_for(session.launched.pid).ok());
}

TEST(LaunchExec, AnInitThatIsStoppedIsNotWaitedForForEver) {
  const spec::Config config;
  Session session{.subject = {config, nullptr, "stopped", "/"}};
  auto channel = make_channel();
  ASSERT_TRUE(channel.ok());
  session.channel = std::move(channel->first);
  session.launched.pid = ::fork();
  if (session.launched.pid == 0) ::_exit(::raise(SIGSTOP));
  auto pidfd = sys::open_pidfd(session.launched.pid);
  ASSERT_TRUE(pidfd.ok());
  session.launched.pidfd = std::move(*pidfd);
  const auto served = serve(session, program::Point::none);
  ::kill(session.launched.pid, SIGKILL);
  EXPECT_TRUE(sys::wait_for(session.launched.pid).ok());
  ASSERT_FALSE(served.ok());
  EXPECT_NE(served.error().message.view().find("stopped"), std::string_view::npos)
      << served.error().message.view();
}

TEST(LaunchExec, AnInitThatSomebodyElseReapedHasNotExecuted) {
  spec::Config config;
  Session session{.subject = {config, nullptr, "reaped", "/"}};
  session.launched.pid = ::fork();
  if (session.launched.pid == 0) ::_exit(::raise(SIGILL));
  auto pidfd = sys::open_pidfd(session.launched.pid);
  ASSERT_TRUE(pidfd.ok());
  session.launched.pidfd = std::move(*pidfd);
  EXPECT_FALSE(sys::reaped_status(session.launched.pidfd)) << "before it is reaped";
  ASSERT_TRUE(sys::wait_for(session.launched.pid).ok());
  const auto status = sys::reaped_status(session.launched.pidfd);
  if (!status) GTEST_SKIP() << "this kernel does not say how a reaped process ended (before 6.15)";
  EXPECT_TRUE(WIFSIGNALED(*status) && WTERMSIG(*status) == SIGILL) << *status;
  EXPECT_TRUE(check_executed(session).ok()) << "a program may end so";
  config.linux.seccomp.emplace();
  EXPECT_FALSE(check_executed(session).ok()) << "and an init whose filter refuses even the end";
}

}  // namespace
}  // namespace davit::launch
