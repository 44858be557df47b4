// SPDX-License-Identifier: Apache-2.0
// Whether the init of a container still lives, asked of the kernel.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "container/open.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/mount.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {
namespace {

void* sleep_on(void* /*nothing*/) {
  for (;;) ::pause();
}

char state_of(pid_t pid) {
  const auto stat = sys::process_stat(pid);
  return stat.ok() ? stat->state : 'X';
}

class ContainerInit : public testing::Test {
 protected:
  void SetUp() override {
    pid_ = ::fork();
    if (pid_ == 0) {
      // The first thread ends, the second does not.
      pthread_t thread;
      if (::pthread_create(&thread, nullptr, sleep_on, nullptr) != 0) ::_exit(1);
      ::syscall(SYS_exit, 0);
    }
    while (state_of(pid_) != 'Z') ::usleep(1000);
    const auto pidfd = sys::open_pidfd(pid_);
    init_ = {pid_, sys::process_stat(pid_)->start_time, *sys::pidfd_number(*pidfd), *boot_id()};
  }
  void TearDown() override {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, __WALL);
  }
  pid_t pid_ = -1;
  Init init_;
};

TEST_F(ContainerInit, LivesAsLongAsOneOfItsThreads) {
  const Init older = {init_.pid, init_.start_time, 0, init_.boot_id};
  EXPECT_TRUE(init_alive(init_));
  EXPECT_TRUE(open_init(init_).ok());
  EXPECT_TRUE(init_alive(older)) << "as before Linux 6.9";
  EXPECT_TRUE(open_init(older).ok());
  ::kill(pid_, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT), 0);
  for (const Init& ended : {init_, older}) {
    EXPECT_FALSE(init_alive(ended)) << "a zombie has ended";
    EXPECT_FALSE(open_init(ended).ok());
  }
}

TEST_F(ContainerInit, IsNotAnotherProcessOfThatNumber) {
  Init other = init_;
  other.number = 0;
  ++other.start_time;
  EXPECT_FALSE(init_alive(other));
  EXPECT_FALSE(open_init(other).ok());
  other = init_;
  other.number = init_.number + 1;
  EXPECT_FALSE(init_alive(other)) << "and the start time does not help, as it is too coarse";
  EXPECT_FALSE(open_init(other).ok());
  other = init_;
  other.boot_id = "another boot";
  EXPECT_FALSE(init_alive(other));
  EXPECT_FALSE(open_init(other).ok());
}

TEST(BootId, IsRememberedWhereTheRecordOutlivesTheBoot) {
  const auto on_disk = sys::open(DAVIT_TESTS_DIR, O_RDONLY | O_DIRECTORY);
  if (*sys::filesystem_type(*on_disk) == TMPFS_MAGIC) GTEST_SKIP() << "the sources are on a tmpfs";
  EXPECT_EQ(*boot_id_for(*on_disk), *boot_id());
  const auto in_memory = sys::open("/dev/shm", O_RDONLY | O_DIRECTORY);
  if (!in_memory.ok() || *sys::filesystem_type(*in_memory) != TMPFS_MAGIC)
    GTEST_SKIP() << "there is no tmpfs at /dev/shm";
  EXPECT_EQ(*boot_id_for(*in_memory), "");
}

}  // namespace
}  // namespace davit::container
