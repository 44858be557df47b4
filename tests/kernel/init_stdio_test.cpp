// SPDX-License-Identifier: Apache-2.0
// The terminal and the descriptors 0 to 2.
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

class OpensTheConsole : public OperationTest, public testing::WithParamInterface<u32> {};
INSTANTIATE_TEST_SUITE_P(Relayed, OpensTheConsole, testing::Values(0U, 1U));

TEST_P(OpensTheConsole, OfItsOwnDevpts) {
  fs::create_directories(rootfs / "dev/pts");
  in_child([&] {
    ASSERT_EQ(mount_call("devpts", (rootfs / "dev/pts").c_str(), "devpts", 0, "newinstance,ptmxmode=0666"),
              0);
    ASSERT_EQ(chroot(rootfs.c_str()), 0);
    ASSERT_EQ(chdir("/"), 0);
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    const Slot channel = builder.reserve();
    builder.set_channel(channel);
    Program program;
    builder.emit(NewSession{});
    builder.emit(
        OpenConsole{.rows = 11, .columns = 22, .uid = 33, .bind_console = 1, .clear_onlcr = GetParam()});
    program = builder.finish();
    program.inherit(channel, pair[1]);
    const int out = dup(1);
    const Message message = init::perform_all(program.image.data());
    struct termios mode {};
    struct stat own {};
    winsize size{};
    EXPECT_EQ(tcgetattr(0, &mode), 0);
    EXPECT_EQ(fstat(0, &own), 0);
    EXPECT_EQ(ioctl(1, TIOCGWINSZ, &size), 0);
    struct stat console {};
    EXPECT_EQ(stat("/dev/console", &console), 0);
    dup2(out, 1);
    EXPECT_EQ(say(message), "OK");
    EXPECT_EQ((mode.c_oflag & ONLCR) == 0, GetParam() == 1);
    EXPECT_EQ(own.st_uid, 33U);
    EXPECT_EQ(size.ws_row, 11);
    EXPECT_EQ(console.st_rdev, own.st_rdev);
    const Received master = receive(pair[0]);
    EXPECT_EQ(master.message.type, MessageType::console);
    EXPECT_STREQ(master.message.text, "/dev/pts/0");
    EXPECT_GE(master.descriptor, 0);
  });
}

/// What the numbers 0 to 2 of a child are made, and what OwnStdio leaves of them.
class StdioTest : public OperationTest {
 protected:
  void SetUp() override {
    OperationTest::SetUp();
    if (IsSkipped()) return;
    fs::create_directories(rootfs / "dev");
    write_file(scratch / "log", "");
  }
  void make_null() { ASSERT_EQ(mknod((rootfs / "dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0); }
  /// stdin is the host's null, stdout the log, stderr the host's /dev/full; all of them as they were
  /// afterwards.
  Message own() {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int log = open((scratch / "log").c_str(), O_RDWR | O_CLOEXEC);
    const int full = open("/dev/full", O_RDWR | O_CLOEXEC);
    const int before[] = {dup(0), dup(1), dup(2)};
    EXPECT_EQ(chroot(rootfs.c_str()), 0);
    builder.emit(OwnStdio{.uid = 33});
    Program program = builder.finish();
    dup2(null, 0);
    dup2(log, 1);
    dup2(full, 2);
    const Message message = init::perform_all(program.image.data());
    for (int number = 0; number <= 2; ++number) fstat(number, &after[number]);
    for (int number = 0; number <= 2; ++number) dup2(before[number], number);
    EXPECT_EQ(fstat(null, &host_null), 0);
    return message;
  }
  struct stat after[3] = {};
  struct stat host_null {};
};

TEST_F(StdioTest, TheHostsNullGivesWayToTheContainersAndDevicesKeepTheirOwner) {
  in_child([&] {
    make_null();
    const struct stat own_null = status_of(rootfs / "dev/null");
    EXPECT_EQ(say(own()), "OK");
    EXPECT_EQ(after[0].st_dev, own_null.st_dev);
    EXPECT_EQ(after[0].st_ino, own_null.st_ino);
    EXPECT_EQ(after[1].st_uid, 33U);
    EXPECT_EQ(after[2].st_rdev, makedev(1, 7));
    EXPECT_EQ(after[2].st_uid, 0U) << "of the host's device";
    EXPECT_EQ(host_null.st_uid, 0U);
  });
}

TEST_F(StdioTest, WithoutANullOfItsOwnTheContainerDoesNotGetTheHosts) {
  in_child([&] { EXPECT_EQ(own().detail, Detail::no_null_device) << "there is none"; });
  ASSERT_EQ(mknod((rootfs / "dev/null").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
  in_child([&] { EXPECT_EQ(own().detail, Detail::no_null_device) << "it is /dev/zero"; });
}

using ConsoleTest = OperationTest;

TEST_F(ConsoleTest, AFalsePtmxIsNoConsole) {
  write_file(rootfs / "dev/pts/ptmx", "");
  in_child([&] {
    ASSERT_EQ(chroot(rootfs.c_str()), 0);
    builder.emit(OpenConsole{});
    EXPECT_EQ(init::perform_all(builder.finish().image.data()).detail, Detail::not_devpts);
  });
}

}  // namespace
}  // namespace davit::init_test
