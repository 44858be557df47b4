// exec finds the container by a number, which may be another process's by the time it is used.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "davit/launch/launch.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/process.hpp"

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

}  // namespace
}  // namespace davit::launch
