// SPDX-License-Identifier: Apache-2.0
// Masked and read-only paths, and what is done to mounts that are there already.
#include <sys/sysmacros.h>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

class MasksTest : public OperationTest {};

TEST_F(MasksTest, MasksAndProtects) {
  write_file(rootfs / "secret/inner", "x");
  write_file(rootfs / "other/inner", "x");
  write_file(rootfs / "kcore", "x");
  write_file(rootfs / "sys/value", "x");
  in_child([&] {
    for (const char* path : {"/secret", "/other", "/kcore", "/missing"})
      builder.emit(MaskPath{.path = builder.text(path), .root = root});
    builder.emit(ProtectPath{.path = builder.text("/sys"), .root = root});
    builder.emit(ProtectPath{.path = builder.text("/missing"), .root = root});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_TRUE(fs::is_empty(rootfs / "secret"));
    EXPECT_TRUE(fs::is_empty(rootfs / "other"));
    EXPECT_NE(mkdir((rootfs / "secret/x").c_str(), 0755), 0);
    EXPECT_EQ(status_of(rootfs / "kcore").st_rdev, makedev(1, 3));
    EXPECT_EQ(read_file(rootfs / "sys/value"), "x");
    EXPECT_LT(open((rootfs / "sys/value").c_str(), O_WRONLY | O_CLOEXEC), 0);
    EXPECT_EQ(errno, EROFS);
  });
}

/// Root of a container without a user namespace is root of the host.
TEST_F(MasksTest, ThroughAMaskNobodyReachesTheHostsNode) {
  write_file(rootfs / "first", "x");
  write_file(rootfs / "second", "x");
  in_child([&] {
    for (const char* path : {"/first", "/second"})
      builder.emit(MaskPath{.path = builder.text(path), .root = root});
    EXPECT_EQ(say(perform()), "OK");
    expect_unchangeable(rootfs / "first");
    expect_unchangeable(rootfs / "second");
    const int file = open((rootfs / "first").c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(write(file, "x", 1), 1) << "what is written to it vanishes, as before";
    close(file);
  });
}

class ProcMasksTest : public MasksTest {
 protected:
  void mount_proc() {
    MountFilesystem mount = tmpfs("/proc");
    mount.type = builder.text("proc");
    mount.target.flags = kTargetMustBeOrdinary;
    builder.emit(mount);
  }
  void mask(const char* path) { builder.emit(MaskPath{.path = builder.text(path), .root = root}); }
  void protect(const char* path) { builder.emit(ProtectPath{.path = builder.text(path), .root = root}); }
  void expect_null(const char* name) {
    EXPECT_EQ(status_of(rootfs / "proc" / name).st_rdev, makedev(1, 3)) << name;
    expect_unchangeable(rootfs / "proc" / name);
  }
};

TEST_F(ProcMasksTest, ItsNamesAreMaskedAndProtected) {
  in_child([&] {
    mount_proc();
    protect("/proc/sys");
    protect("/proc/missing");
    protect("/proc/uptime");
    for (const char* path : {"/proc/missing", "/proc/version", "/proc/missing too", "/proc/uptime"})
      mask(path);
    EXPECT_EQ(say(perform()), "OK");
    expect_null("version");
    expect_null("uptime");
    EXPECT_LT(open((rootfs / "proc/sys/kernel/hostname").c_str(), O_WRONLY | O_CLOEXEC), 0);
    EXPECT_EQ(errno, EROFS);
    EXPECT_EQ(access((rootfs / "proc/self").c_str(), F_OK), 0) << "the rest stays as it was";
  });
}

TEST_F(ProcMasksTest, ADirectoryIsCoveredByAnEmptyOne) {
  in_child([&] {
    mount_proc();
    mask("/proc/fs");
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_TRUE(fs::is_empty(rootfs / "proc/fs"));
  });
}

/// What somebody has mounted into it is what there is to mask and to protect.
TEST_F(ProcMasksTest, WhatIsMountedOverItCounts) {
  in_child([&] {
    mount_proc();
    MountFilesystem over = tmpfs("/proc");
    over.target.flags = kTargetInProc;
    builder.emit(over);
    MakeDirectory directory;
    directory.path = builder.text("/proc/version");
    directory.root = root;
    directory.mode = 0755;
    builder.emit(directory);
    mask("/proc/version");
    directory.path = builder.text("/proc/sys");
    builder.emit(directory);
    protect("/proc/sys");
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_NE(mkdir((rootfs / "proc/version/x").c_str(), 0755), 0) << "the empty read-only tmpfs";
    EXPECT_NE(mkdir((rootfs / "proc/sys/x").c_str(), 0755), 0);
  });
}

TEST_F(ProcMasksTest, ProtectedAsAWholeItIsCovered) {
  fs::create_symlink("/proc", rootfs / "link");
  for (const char* path : {"/proc", "/link"}) {
    in_child([&] {
      mount_proc();
      builder.emit(ProtectPath{.path = builder.text(path), .root = root});
      protect("/proc/uptime");
      mask("/proc/version");
      EXPECT_EQ(say(perform()), "OK");
      expect_null("version");
      EXPECT_LT(open((rootfs / "proc/uptime").c_str(), O_WRONLY | O_CLOEXEC), 0);
      EXPECT_EQ(errno, EROFS);
    });
  }
}

TEST_F(MasksTest, AFalseNullMasksNothing) {
  write_file(rootfs / "kcore", "x");
  write_file(scratch / "null", "false");
  in_child([&] {
    ASSERT_EQ(mount_call((scratch / "null").c_str(), "/dev/null", nullptr, MS_BIND, nullptr), 0);
    builder.emit(MaskPath{.path = builder.text("/kcore"), .root = root});
    EXPECT_EQ(perform().detail, Detail::not_dev_null);
  });
}

TEST_F(MasksTest, RemountsInPlace) {
  in_child([&] {
    builder.emit(tmpfs("/t"));
    Remount remount;
    remount.root = root;
    remount.target.path = builder.text("/t");
    remount.attributes = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME};
    builder.emit(remount);
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_NE(mkdir((rootfs / "t/x").c_str(), 0755), 0);
  });
}

TEST_F(MasksTest, ChangesAndSealsTheRoot) {
  write_file(rootfs / "marker", "inside");
  in_child([&] {
    const Slot tree = builder.reserve();
    inherited.emplace_back(tree, clone_tree(rootfs));
    builder.emit(EnterPlace{.host_path = builder.text(rootfs.string())});
    builder.emit(AttachRoot{.tree = tree});
    SealRoot seal;
    seal.root = tree;
    seal.recursive_propagation = 1;
    seal.attributes = {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
    builder.emit(seal);
    builder.emit(PivotRoot{.root = tree});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(read_file("/marker"), "inside");
    EXPECT_FALSE(fs::exists("/usr"));
    EXPECT_NE(mkdir("/x", 0755), 0);
    EXPECT_EQ(errno, EROFS);
  });
  in_child([&] {
    const Slot tree = builder.reserve();
    inherited.clear();
    inherited.emplace_back(tree, clone_tree(rootfs));
    builder.emit(EnterPlace{.host_path = builder.text(rootfs.string())});
    builder.emit(AttachRoot{.tree = tree});
    builder.emit(ChangeRoot{.root = tree});
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(read_file("/marker"), "inside");
    EXPECT_EQ(fs::current_path(), "/");
  });
}

}  // namespace
}  // namespace davit::init_test
