// SPDX-License-Identifier: Apache-2.0
// What is mounted right below a filesystem of init's own, where everything may be in the way.
#include <fstream>

#include "init_support.hpp"

namespace davit::init_test {
namespace {

using namespace program;

struct OwnParentTest : OperationTest {
  void link(const char* path, const char* content) {
    MakeSymlink operation;
    operation.path = builder.text(path);
    operation.content = builder.text(content);
    operation.root = root;
    builder.emit(operation);
  }
  /// The line of mountinfo for a place below the rootfs; empty: nothing is mounted there.
  std::string mounted(const char* path) const {
    std::ifstream table("/proc/self/mountinfo");
    const std::string place = " " + (rootfs / path).string() + " ";
    for (std::string line; std::getline(table, line);)
      if (line.find(place) != std::string::npos) return line;
    return {};
  }
};

TEST_F(OwnParentTest, MountsByNameInAFilesystemOfItsOwn) {
  in_child([&] {
    builder.emit(tmpfs("/own"));
    builder.emit(tmpfs("/own/a"));
    builder.emit(tmpfs("/own/b"));
    builder.emit(tmpfs("/other"));  // another parent
    builder.emit(tmpfs("/own/c"));
    builder.emit(tmpfs("/own/c"));  // once more over it
    builder.emit(tmpfs("/own/c/d"));
    EXPECT_EQ(say(perform()), "OK");
    for (const char* path : {"own/a", "own/b", "other", "own/c", "own/c/d"})
      EXPECT_FALSE(mounted(path).empty()) << path;
  });
}

TEST_F(OwnParentTest, ANameThatIsASymlinkLeadsNowhereElse) {
  fs::create_directories(scratch / "outside");
  fs::create_directories(rootfs / "inside");
  in_child([&] {
    builder.emit(tmpfs("/own"));
    link("/own/out", (scratch / "outside").c_str());
    link("/own/in", "/inside");
    builder.emit(tmpfs("/own/in"));
    builder.emit(tmpfs("/own/out"));
    EXPECT_EQ(say(perform()), "OK");
    EXPECT_FALSE(mounted("inside").empty());
    struct stat outside {};
    struct stat beside {};
    EXPECT_EQ(lstat((scratch / "outside").c_str(), &outside), 0);
    EXPECT_EQ(lstat(scratch.path().c_str(), &beside), 0);
    EXPECT_EQ(outside.st_dev, beside.st_dev) << "mounted outside of the root";
  });
}

TEST_F(OwnParentTest, AnOrdinaryPlaceIsOneOnlyWithoutSymlinks) {
  fs::create_directories(rootfs / "elsewhere");
  fs::create_symlink("elsewhere", rootfs / "link");
  in_child([&] {
    builder.emit(tmpfs("/link"));
    MountFilesystem mount = tmpfs("/link/proc");
    mount.target.flags = kTargetMustBeOrdinary;
    builder.emit(mount);
    EXPECT_EQ(perform().detail, Detail::not_ordinary_directory);
    EXPECT_TRUE(mounted("elsewhere/proc").empty());
  });
}

TEST_F(OwnParentTest, ATreeGoesRightIntoAFilesystemOfInits) {
  write_file(rootfs / "source/marker", "tree");
  fs::create_directories(rootfs / "inside");
  in_child([&] {
    builder.emit(tmpfs("/own"));
    link("/own/in", "/inside");
    for (const char* path : {"/own/new", "/own/in"}) {
      MountTree operation;
      operation.tree = builder.reserve();
      operation.root = root;
      operation.target.path = builder.text(path);
      inherited.emplace_back(operation.tree, clone_tree(rootfs / "source"));
      builder.emit(operation);
    }
    EXPECT_EQ(say(perform()), "OK");
    for (const char* path : {"own/new", "inside"})
      EXPECT_EQ(read_file(rootfs / path / "marker"), "tree") << path;
  });
}

TEST_F(OwnParentTest, IsSealedWithAllThatIsMountedInIt) {
  in_child([&] {
    MountFilesystem holder = tmpfs("/own");
    holder.flags = kMountKeepSlot;
    holder.mount = builder.reserve();
    builder.emit(holder);
    builder.emit(tmpfs("/own/a"));
    SealRoot seal;
    seal.root = holder.mount;
    seal.recursive = 1;
    seal.attributes.set = MOUNT_ATTR_RDONLY;
    builder.emit(seal);
    EXPECT_EQ(say(perform()), "OK");
    for (const char* path : {"own/x", "own/a/x"}) {
      EXPECT_NE(mkdir((rootfs / path).c_str(), 0755), 0) << path;
      EXPECT_EQ(errno, EROFS) << path;
    }
    EXPECT_NE(mounted("own/a").find(" ro,relatime - tmpfs tmpfs rw"), std::string::npos)
        << "only the mount is read-only, not the filesystem: " << mounted("own/a");
  });
}

}  // namespace
}  // namespace davit::init_test
