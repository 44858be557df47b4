// SPDX-License-Identifier: Apache-2.0
// Mounts, nodes and masks below a root that does its worst.
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <fstream>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

using RootfsTest = OperationTest;

TEST_F(RootfsTest, MakesMissingTargets) {
  in_child([&] {
    builder.emit(tmpfs("/a/b/c"));
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_TRUE(is_mounted(rootfs / "a/b/c"));
    EXPECT_EQ(status_of(rootfs / "a/b").st_mode & 07777, 0755U);
  });
}

TEST_F(RootfsTest, SymlinksLeadNowhereElse) {
  fs::create_directories(scratch / "outside");
  fs::create_symlink("/../../.." + (scratch / "outside").string(), rootfs / "absolute");
  fs::create_symlink("../../../../../etc", rootfs / "upward");
  in_child([&] {
    builder.emit(tmpfs("/absolute/new"));
    builder.emit(tmpfs("/upward/new"));
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_FALSE(fs::exists(scratch / "outside/new"));
    EXPECT_FALSE(fs::exists("/etc/new"));
    EXPECT_TRUE(is_mounted(rootfs / "etc/new"));
  });
}

TEST_F(RootfsTest, FollowsADanglingSymlinkInsideTheRoot) {
  fs::create_directories(rootfs / "etc");
  fs::create_symlink("../run/resolved/stub.conf", rootfs / "etc/resolv.conf");
  write_file(scratch / "resolv.conf", "nameserver ::1\n");
  in_child([&] {
    const Slot tree = builder.reserve();
    inherited.emplace_back(tree, clone_tree(scratch / "resolv.conf"));
    MountTree mount;
    mount.tree = tree;
    mount.root = root;
    mount.target = {.path = builder.text("/etc/resolv.conf"), .kind = TargetKind::file};
    builder.emit(mount);
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(read_file(rootfs / "run/resolved/stub.conf"), "nameserver ::1\n");
  });
}

TEST_F(RootfsTest, WhatIsMadeInARowFollowsWhatIsMountedMeanwhile) {
  fs::create_directories(rootfs / "real");
  fs::create_symlink("real", rootfs / "dev");
  fs::create_symlink("..", rootfs / "real/up");
  const auto link = [&](const char* path) {
    MakeSymlink operation;
    operation.path = builder.text(path);
    operation.content = builder.text("x");
    operation.root = root;
    builder.emit(operation);
  };
  in_child([&] {
    link("/dev/before");
    link("/dev/beside");
    MountFilesystem over = tmpfs("/real");  // the same directory by another path
    over.type = builder.text("ramfs");
    builder.emit(over);
    link("/dev/after");
    builder.emit(tmpfs("/dev/shm"));
    link("/dev/last");
    EXPECT_EQ(say(perform()), "OK");
    for (const char* name : {"after", "last"}) EXPECT_TRUE(fs::is_symlink(rootfs / "real" / name)) << name;
    EXPECT_TRUE(is_mounted(rootfs / "real/shm"));
    syscall(SYS_umount2, (rootfs / "real/shm").c_str(), 2 /* MNT_DETACH */);
    syscall(SYS_umount2, (rootfs / "real").c_str(), 2 /* MNT_DETACH */);
    for (const char* name : {"before", "beside"}) EXPECT_TRUE(fs::is_symlink(rootfs / "real" / name)) << name;
  });
}

TEST_F(RootfsTest, AnEntryThatLeadsUpIsNoEntryOfItsDirectory) {
  fs::create_directories(rootfs / "dev/inner");
  fs::create_symlink("..", rootfs / "dev/inner/up");
  in_child([&] {
    MakeSymlink operation;
    operation.path = builder.text("/dev/inner/before");
    operation.content = builder.text("x");
    operation.root = root;
    builder.emit(operation);
    MountFilesystem over = tmpfs("/dev/inner/up");  // covers /dev, and with it what was open
    over.type = builder.text("ramfs");
    builder.emit(over);
    operation.path = builder.text("/dev/inner/after");
    builder.emit(operation);
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_TRUE(fs::is_symlink(rootfs / "dev/inner/after"));
    syscall(SYS_umount2, (rootfs / "dev").c_str(), 2 /* MNT_DETACH */);
    EXPECT_FALSE(fs::is_symlink(rootfs / "dev/inner/after"));
    EXPECT_TRUE(fs::is_symlink(rootfs / "dev/inner/before"));
  });
}

TEST_F(RootfsTest, EndlessSymlinksAreAnError) {
  fs::create_symlink("b", rootfs / "a");
  fs::create_symlink("a", rootfs / "b");
  in_child([&] {
    builder.emit(tmpfs("/a/x"));
    EXPECT_EQ(perform().error, ELOOP);
  });
}

TEST_F(RootfsTest, ProcGoesOnAnOrdinaryDirectoryOnly) {
  fs::create_directories(rootfs / "elsewhere");
  fs::create_symlink("elsewhere", rootfs / "proc");
  in_child([&] {
    MountFilesystem mount = tmpfs("/proc");
    mount.target.flags = kTargetMustBeOrdinary;
    builder.emit(mount);
    EXPECT_EQ(perform().detail, Detail::not_ordinary_directory);
    mount = tmpfs("/proc/missing");
    mount.target.flags = kTargetMustBeOrdinary;
    builder.emit(mount);
    EXPECT_EQ(perform().detail, Detail::not_ordinary_directory);
    EXPECT_FALSE(fs::exists(rootfs / "elsewhere/missing"));
  });
}

TEST_F(RootfsTest, NoSymlinkLeadsIntoProc) {
  fs::create_directories(rootfs / "proc");
  fs::create_directories(rootfs / "host/proc");
  fs::create_symlink("/proc", rootfs / "link");
  in_child([&] {
    for (const char* proc : {"proc", "host/proc"})
      ASSERT_EQ(mount_call("proc", (rootfs / proc).c_str(), "proc", 0, nullptr), 0);
    for (const char* target : {"/link", "/link/sys", "/proc/acpi"}) {
      builder.emit(tmpfs(target));
      const Message message = perform();
      EXPECT_EQ(message.detail, Detail::inside_proc) << target;
    }
    MountFilesystem meant = tmpfs("/proc/sys");
    meant.target.flags = kTargetInProc;
    builder.emit(meant);
    builder.emit(tmpfs("/host/proc/sys"));  // another one, which is not the container's own
    EXPECT_EQ(say(perform()), "OK");
  });
}

TEST_F(RootfsTest, AFileIsNoPlaceForADirectory) {
  write_file(rootfs / "file", "");
  in_child([&] {
    builder.emit(tmpfs("/file"));
    EXPECT_EQ(perform().error, ENOTDIR);
  });
}

TEST_F(RootfsTest, ADirectoryIsNoPlaceForAFile) {
  fs::create_directories(rootfs / "directory");
  write_file(scratch / "file", "");
  in_child([&] {
    const Slot tree = builder.reserve();
    inherited.emplace_back(tree, clone_tree(scratch / "file"));
    MountTree mount;
    mount.tree = tree;
    mount.root = root;
    mount.target = {.path = builder.text("/directory"), .kind = TargetKind::file};
    builder.emit(mount);
    EXPECT_EQ(perform().error, ENOTDIR);
  });
}

TEST_F(RootfsTest, TheHostsSysfsComesReadOnlyEvenIfNobodyAskedForThat) {
  in_child([&] {
    ASSERT_NO_FATAL_FAILURE(enter_user_namespace());
    MountFilesystem mount = tmpfs("/sys");
    mount.type = builder.text("sysfs");
    mount.flags = kMountSysfsFallback;
    builder.emit(mount);
    EXPECT_EQ(say(perform()), "OK");
    expect_unchangeable(rootfs / "sys/kernel");
    expect_unchangeable(rootfs / "sys/fs/cgroup");
  });
}

TEST_F(RootfsTest, ABadOptionOfSysfsDoesNotBringTheHosts) {
  in_child([&] {
    MountFilesystem mount = tmpfs("/sys");
    mount.type = builder.text("sysfs");
    mount.flags = kMountSysfsFallback;
    const FilesystemOption option{builder.text("nonsense"), builder.text("1")};
    mount.options = builder.list(std::span(&option, 1));
    builder.emit(mount);
    const Message message = perform();
    EXPECT_EQ(message.error, EINVAL);
    EXPECT_NE(std::strstr(message.text, "nonsense"), nullptr) << message.text;
    EXPECT_FALSE(fs::exists(rootfs / "sys"));
  });
}

TEST_F(RootfsTest, AnOptionalValueIsLeftOutWhereItIsInvalid) {
  in_child([&] {
    ASSERT_NO_FATAL_FAILURE(enter_user_namespace());  // it has no group 5
    MountFilesystem mount = tmpfs("/pts");
    mount.type = builder.text("devpts");
    for (const u32 is_optional : {0U, 1U}) {
      const FilesystemOption option{builder.text("gid"), builder.text("5"), 0, is_optional};
      mount.options = builder.list(std::span(&option, 1));
      builder.emit(mount);
      EXPECT_EQ(perform().error, is_optional != 0 ? 0 : EINVAL);
      mount = tmpfs("/pts");
      mount.type = builder.text("devpts");
    }
  });
}

TEST_F(RootfsTest, TheKernelSaysWhatIsWrong) {
  in_child([&] {
    MountFilesystem mount = tmpfs("/t");
    const FilesystemOption option{builder.text("nonsense"), builder.text("1")};
    mount.options = builder.list(std::span(&option, 1));
    builder.emit(mount);
    const Message message = perform();
    EXPECT_EQ(message.detail, Detail::configure_filesystem);
    EXPECT_NE(std::strstr(message.text, "nonsense"), nullptr) << message.text;
    mount = tmpfs("/t");
    mount.type = builder.text("nosuchfs");
    builder.emit(mount);
    EXPECT_EQ(perform().detail, Detail::open_filesystem);
  });
}

TEST_F(RootfsTest, ATmpfsTakesTheModeOfWhatItCovers) {
  fs::create_directories(rootfs / "old");
  chmod((rootfs / "old").c_str(), 0711);
  in_child([&] {
    MountFilesystem old = tmpfs("/old");
    old.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
    builder.emit(old);
    builder.emit(tmpfs("/new"));
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(status_of(rootfs / "old").st_mode & 07777, 0711U);
    EXPECT_EQ(status_of(rootfs / "new").st_mode & 07777, 01777U);
    std::string shown;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);)
      if (line.find("/root/old ") != std::string::npos) shown = line;
    EXPECT_NE(shown.find("mode=711"), std::string::npos) << "as it does where the config says it: " << shown;
    EXPECT_NE(mkdir((rootfs / "old/x").c_str(), 0755), 0);
  });
}

TEST_F(RootfsTest, CopiesUp) {
  write_file(rootfs / "data/deep/er/file", std::string(100000, 'x'));
  fs::create_symlink("/etc/passwd", rootfs / "data/link");
  ASSERT_EQ(mkfifo((rootfs / "data/fifo").c_str(), 0600), 0);
  ASSERT_EQ(chown((rootfs / "data/deep").c_str(), 12, 34), 0);
  ASSERT_EQ(chmod((rootfs / "data/deep").c_str(), 02751), 0);
  setxattr((rootfs / "data/deep/er/file").c_str(), "security.test", "v", 1, 0);
  in_child([&] {
    MountFilesystem mount = tmpfs("/data");
    mount.flags = kMountCopyUp;
    mount.attributes.set = MOUNT_ATTR_RDONLY;
    builder.emit(mount);
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_TRUE(is_mounted(rootfs / "data"));
    EXPECT_EQ(fs::file_size(rootfs / "data/deep/er/file"), 100000U);
    EXPECT_EQ(fs::read_symlink(rootfs / "data/link"), "/etc/passwd");
    EXPECT_TRUE(fs::is_fifo(rootfs / "data/fifo"));
    EXPECT_EQ(status_of(rootfs / "data/deep").st_uid, 12U);
    EXPECT_EQ(status_of(rootfs / "data/deep").st_mode & 07777, 02751U);
  });
}

TEST_F(RootfsTest, CopyUpHasAnEnd) {
  fs::path deep = rootfs / "data";
  for (int i = 0; i < 80; ++i) deep /= "d";
  fs::create_directories(deep);
  in_child([&] {
    MountFilesystem mount = tmpfs("/data");
    mount.flags = kMountCopyUp;
    builder.emit(mount);
    EXPECT_EQ(perform().detail, Detail::copy_up);
  });
}

TEST_F(RootfsTest, MakesDevicesAndKnowsThemAgain) {
  MakeDevice null;
  null.mode = S_IFCHR | 0666;
  null.uid = 5;
  null.major = 1;
  null.minor = 3;
  in_child([&] {
    for (int round = 0; round < 2; ++round) {
      null.path = builder.text("/dev/null");
      null.root = root;
      builder.emit(null);
      EXPECT_EQ(say(perform()), "OK");
    }
    const struct stat made = status_of(rootfs / "dev/null");
    EXPECT_EQ(made.st_rdev, makedev(1, 3));
    EXPECT_EQ(made.st_uid, 5U);
    null.minor = 5;
    null.path = builder.text("/dev/null");
    null.root = root;
    builder.emit(null);
    EXPECT_EQ(perform().detail, Detail::wrong_device);
  });
}

TEST_F(RootfsTest, BindsTheHostsDevice) {
  MakeDevice null;
  null.mode = S_IFCHR | 0666;
  null.major = 1;
  null.minor = 3;
  null.bind = 1;
  in_child([&] {
    null.path = builder.text("/dev/null");
    null.host_path = builder.text("/dev/null");
    null.root = root;
    builder.emit(null);
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(status_of(rootfs / "dev/null").st_rdev, makedev(1, 3));
    expect_unchangeable(rootfs / "dev/null");
    const int file = open((rootfs / "dev/null").c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(write(file, "x", 1), 1);
    close(file);
    null.path = builder.text("/dev/other");
    null.host_path = builder.text("/dev/zero");
    null.root = root;
    builder.emit(null);
    EXPECT_EQ(perform().detail, Detail::wrong_device);
  });
}

TEST_F(RootfsTest, MakesSymlinks) {
  write_file(rootfs / "dev/ptmx", "");
  write_file(rootfs / "dev/core", "mine");
  const auto emit = [&](const char* path, bool keep, bool replace) {
    MakeSymlink link;
    link.content = builder.text("pts/ptmx");
    link.path = builder.text(path);
    link.root = root;
    link.keep_existing = keep;
    link.replace = replace;
    builder.emit(link);
    return perform();
  };
  EXPECT_EQ(say(emit("/dev/new", false, false)), "OK");
  EXPECT_EQ(say(emit("/dev/new", false, false)), "OK");
  EXPECT_EQ(say(emit("/dev/ptmx", false, true)), "OK");
  EXPECT_EQ(fs::read_symlink(rootfs / "dev/ptmx"), "pts/ptmx");
  EXPECT_EQ(say(emit("/dev/core", true, false)), "OK");
  EXPECT_EQ(read_file(rootfs / "dev/core"), "mine");
  EXPECT_EQ(emit("/dev/core", false, false).error, EEXIST);
}

}  // namespace
}  // namespace davit::init_test
