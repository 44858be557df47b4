// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "davit/features/cgroup.hpp"

namespace davit::cgroup {
namespace {

host::CgroupLayout v2_layout(const std::string& own) {
  return {host::CgroupMode::v2, {{{}, "/sys/fs/cgroup", "/", own}}};
}
host::CgroupLayout v1_layout() {
  return {host::CgroupMode::hybrid,
          {{{"memory"}, "/sys/fs/cgroup/memory", "/docker/x", "/docker/x/own"},
           {{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu", "/", "/"},
           {{}, "/sys/fs/cgroup/unified", "/", "/user"}}};
}

std::vector<std::string> paths(const std::string& wanted, const host::CgroupLayout& layout) {
  spec::Config config;
  config.linux.cgroups_path = wanted;
  auto place = choose(config, "web", layout, Manager::cgroupfs);
  if (!place.ok()) return {"refused"};
  std::vector<std::string> result;
  for (const Directory& directory : place->directories) result.push_back(directory.path);
  return result;
}

using Paths = std::vector<std::string>;

TEST(CgroupChoose, AbsoluteCountsFromTheMountPoint) {
  EXPECT_EQ(paths("/a//b/./c", v2_layout("/own/scope")), Paths{"/sys/fs/cgroup/a/b/c"});
  EXPECT_EQ(paths("/a", v1_layout()),
            (Paths{"/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/cpu/a", "/sys/fs/cgroup/unified/a"}));
}

TEST(CgroupChoose, RelativeAndNoneCountFromOurOwn) {
  EXPECT_EQ(paths("a:b:c", v2_layout("/own/scope")), Paths{"/sys/fs/cgroup/own/a:b:c"});
  EXPECT_EQ(paths("", v2_layout("/own/scope")), Paths{"/sys/fs/cgroup/own/web"});
  EXPECT_EQ(paths("", v2_layout("/")), Paths{"/sys/fs/cgroup/web"});
  EXPECT_EQ(paths("x/y", v1_layout()), (Paths{"/sys/fs/cgroup/memory/own/x/y", "/sys/fs/cgroup/cpu/x/y",
                                              "/sys/fs/cgroup/unified/user/x/y"}));
}

// unshare -C: the namespace's root lies below that of the mounts, which then is "/..", "/../.." and so on.
TEST(CgroupChoose, FromANewNamespaceWithTheOldMountsPathsCountFromTheTop) {
  host::CgroupLayout layout = v1_layout();
  for (host::Hierarchy& hierarchy : layout.hierarchies)
    hierarchy.mount_root = "/../..", hierarchy.own_path = "/";
  EXPECT_EQ(paths("", layout),
            (Paths{"/sys/fs/cgroup/memory/web", "/sys/fs/cgroup/cpu/web", "/sys/fs/cgroup/unified/web"}));
}

TEST(CgroupChoose, NothingLeadsToTheRootOrAbove) {
  for (const char* path : {"/", "/..", "/a/../..", "..", "a/../../b", "/a/..", "."})
    EXPECT_EQ(paths(path, v2_layout("/own/scope")), Paths{"refused"}) << path;
  EXPECT_EQ(paths("/a/../b", v2_layout("/")), Paths{"/sys/fs/cgroup/b"});
}

TEST(CgroupChoose, DisabledHasNoDirectories) {
  auto place = choose({}, "web", v2_layout("/"), Manager::disabled);
  ASSERT_TRUE(place.ok());
  EXPECT_TRUE(place->directories.empty());
}

}  // namespace
}  // namespace davit::cgroup
