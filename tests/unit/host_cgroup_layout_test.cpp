// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_layout.hpp"

#include <gtest/gtest.h>

namespace davit::host {
namespace {

constexpr const char* kHybrid =
    "23 1 0:21 / / rw - ext4 /dev/sda rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,clone_children,release_agent=/x\n"
    "34 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "35 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(CgroupLayout, HybridHasItsUnifiedHierarchyLast) {
  const CgroupLayout layout = parse_mountinfo(kHybrid);
  EXPECT_EQ(layout.mode, CgroupMode::hybrid);
  ASSERT_EQ(layout.hierarchies.size(), 4u);
  EXPECT_EQ(layout.hierarchies[0].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(layout.hierarchies[0].mount_point, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(layout.hierarchies[1].controllers, std::vector<std::string>{"cpuset"});
  EXPECT_EQ(layout.hierarchies[2].controllers, std::vector<std::string>{"name=systemd"});
  EXPECT_TRUE(layout.hierarchies[3].controllers.empty());
}

TEST(CgroupLayout, OwnPathsMatchInAnyOrderOfControllers) {
  CgroupLayout layout = parse_mountinfo(kHybrid);
  ASSERT_TRUE(parse_own_paths("4:cpuacct,cpu:/a:b\n3:cpuset:/\n1:name=systemd:/s\n0::/u\n", layout).ok());
  EXPECT_EQ(layout.hierarchies[0].own_path, "/a:b");
  EXPECT_EQ(layout.hierarchies[1].own_path, "/");
  EXPECT_EQ(layout.hierarchies[2].own_path, "/s");
  EXPECT_EQ(layout.hierarchies[3].own_path, "/u");
}

TEST(CgroupLayout, AHierarchyWithoutOwnPathIsAnError) {
  CgroupLayout layout = parse_mountinfo(kHybrid);
  EXPECT_FALSE(parse_own_paths("0::/\n", layout).ok());
}

TEST(CgroupLayout, OnlyCgroup2IsV2AndOnlyCgroupIsV1) {
  EXPECT_EQ(parse_mountinfo("1 2 0:1 / /sys/fs/cgroup rw - cgroup2 none rw\n").mode, CgroupMode::v2);
  EXPECT_EQ(parse_mountinfo("1 2 0:1 / /c rw - cgroup none rw,pids\n").mode, CgroupMode::v1);
  EXPECT_TRUE(parse_mountinfo("1 2 0:1 / / rw - ext4 none rw\n").hierarchies.empty());
}

TEST(CgroupLayout, TheMountThatShowsMostCounts) {
  const CgroupLayout layout = parse_mountinfo(
      "1 2 0:1 /docker/abc /mnt/x rw - cgroup none rw,pids\n"
      "1 2 0:1 / /sys/fs/cgroup/pids\\040x rw - cgroup none rw,pids\n"
      "1 2 0:1 / /later rw - cgroup none rw,pids\n");
  ASSERT_EQ(layout.hierarchies.size(), 1u);
  EXPECT_EQ(layout.hierarchies[0].mount_point, "/sys/fs/cgroup/pids x");
}

TEST(Facts, AreKnownOnThisMachine) {
  auto facts = probe(true);
  ASSERT_TRUE(facts.ok());
  EXPECT_GE(facts->last_capability, 37);
  EXPECT_LT(facts->last_capability, 64);
}

}  // namespace
}  // namespace davit::host
