// SPDX-License-Identifier: Apache-2.0
// Bind mounts: where their sources are found, and what becomes of their flags.
#include <sys/statvfs.h>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

using BindsTest = OperationTest;

TEST_F(BindsTest, AMissingTargetBecomesWhatTheTreeIs) {
  fs::create_directories(scratch / "directory/inside");
  write_file(scratch / "file", "content");
  in_child([&] {
    for (const char* name : {"directory", "file"}) {
      const Slot tree = builder.reserve();
      inherited.emplace_back(tree, clone_tree(scratch / name));
      MountTree mount;
      mount.tree = tree;
      mount.root = root;
      mount.target = {.path = builder.text(std::string("/new/") + name), .kind = TargetKind::like_tree};
      builder.emit(mount);
    }
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_TRUE(fs::exists(rootfs / "new/directory/inside"));
    EXPECT_EQ(read_file(rootfs / "new/file"), "content");
  });
}

TEST_F(BindsTest, ALockedReadonlyIsKeptAndALockedNoexecIsAnError) {
  in_child([&] {
    fs::create_directories(scratch / "locked");
    const std::string source = scratch / "locked";
    constexpr unsigned long kFlags = 1 | 8 | 1024;  // read-only, noexec, noatime
    ASSERT_EQ(mount_call("tmpfs", source.c_str(), "tmpfs", kFlags, nullptr), 0);
    ASSERT_NO_FATAL_FAILURE(enter_user_namespace());
    for (const u64 clear : {MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME, MOUNT_ATTR_NOEXEC}) {
      const Slot tree = builder.reserve();
      inherited.emplace_back(tree, clone_tree(source));
      MountTree mount;
      mount.tree = tree;
      mount.root = root;
      mount.target = {.path = builder.text("/data")};
      mount.attributes = {0, clear, 0};
      builder.emit(mount);
      EXPECT_EQ(perform().error, clear == MOUNT_ATTR_NOEXEC ? EPERM : 0);
      inherited.clear();
    }
    EXPECT_EQ(access((rootfs / "data").c_str(), W_OK), -1);
    EXPECT_EQ(errno, EROFS);
  });
}

TEST_F(BindsTest, WhatAnOptionReplacesWithoutNamingItGoesUnlessItIsLocked) {
  in_child([&] {
    const std::string source = scratch / "source";
    fs::create_directories(source);
    constexpr unsigned long kNodev = 4;
    constexpr unsigned long kNoexec = 8;
    constexpr unsigned long kNosuid = 2;
    ASSERT_EQ(mount_call("tmpfs", source.c_str(), "tmpfs", kNodev | kNosuid, nullptr), 0);
    ASSERT_NO_FATAL_FAILURE(enter_user_namespace());  // locks both of them
    ASSERT_EQ(mount_call(source.c_str(), source.c_str(), nullptr, MS_BIND, nullptr), 0);
    constexpr unsigned long kRemount = 32;
    ASSERT_EQ(mount_call(nullptr, source.c_str(), nullptr, MS_BIND | kRemount | kNodev | kNosuid | kNoexec,
                         nullptr),
              0);
    const Slot tree = builder.reserve();
    inherited.emplace_back(tree, clone_tree(source));
    MountTree mount;
    mount.tree = tree;
    mount.root = root;
    mount.target = {.path = builder.text("/data")};
    mount.attributes = {.clear = MOUNT_ATTR_RDONLY};
    mount.replaced = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    builder.emit(mount);
    EXPECT_EQ(say(perform()), "OK");
    struct statvfs info {};
    ASSERT_EQ(statvfs((rootfs / "data").c_str(), &info), 0);
    EXPECT_EQ(info.f_flag & (kNodev | kNosuid | kNoexec), kNodev | kNosuid);
  });
}

TEST_F(BindsTest, OnlyAWholeProcfsGoesOnProc) {
  in_child([&] {
    fs::create_directories(scratch / "fake");
    fs::create_directories(rootfs / "proc");
    for (const auto& [source, error] :
         {std::pair(scratch / "fake", EINVAL), {fs::path("/proc/sys"), EINVAL}, {fs::path("/proc"), 0}}) {
      const Slot tree = builder.reserve();
      inherited.emplace_back(tree, clone_tree(source));
      MountTree mount;
      mount.tree = tree;
      mount.root = root;
      mount.target = {.path = builder.text("/proc"), .flags = kTargetForProc | kTargetInProc};
      builder.emit(mount);
      const Message message = perform();
      EXPECT_EQ(message.error, error) << source;
      EXPECT_EQ(message.detail, error != 0 ? Detail::not_procfs : Detail::none) << source;
      inherited.clear();
    }
  });
}

TEST_F(BindsTest, ASourceBelowTheRootIsFoundThereAndNowhereElse) {
  write_file(rootfs / "there/file", "inside");
  write_file(scratch / "there/file", "outside");
  fs::create_symlink("/../../there", rootfs / "link");
  in_child([&] {
    for (const char* path : {"/there", "/link"}) {
      OpenTree open;
      open.path = builder.text(path);
      open.root = root;
      open.tree = builder.reserve();
      builder.emit(open);
      MountTree mount;
      mount.tree = open.tree;
      mount.root = root;
      mount.target = {.path = builder.text(std::string("/at") + path)};
      builder.emit(mount);
    }
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(read_file(rootfs / "at/there/file"), "inside");
    EXPECT_EQ(read_file(rootfs / "at/link/file"), "inside");
  });
}

TEST_F(BindsTest, ASymlinkItselfCanBeBound) {
  fs::create_symlink("to nowhere", scratch / "link");
  in_child([&] {
    OpenTree open;
    open.path = builder.text((scratch / "link").string());
    open.no_follow = 1;
    open.tree = builder.reserve();
    builder.emit(open);
    MountTree mount;
    mount.tree = open.tree;
    mount.root = root;
    mount.target = {.path = builder.text("/link"), .kind = TargetKind::like_tree};
    builder.emit(mount);
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_EQ(fs::read_symlink(rootfs / "link"), "to nowhere");
  });
}

}  // namespace
}  // namespace davit::init_test
