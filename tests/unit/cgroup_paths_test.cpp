// SPDX-License-Identifier: Apache-2.0
// Where a container's init has gone, by what /proc/PID/cgroup says of it.
#include <gtest/gtest.h>

#include "features/cgroup/tree.hpp"

namespace davit::cgroup {
namespace {

TEST(CgroupPaths, ThePartBelowTheContainersOwn) {
  struct Case {
    const char* own;
    const char* found;
    std::optional<std::string> part;
  };
  const Case cases[] = {
      {"/a", "/a", ""},
      {"/a", "/a/child", "/child"},
      {"/a/a", "/a/a", ""},
      {"/a/a", "/a/a/a", "/a"},
      {"/a/b/a", "/a/b/a/c", "/c"},
      {"/x/y/a", "/y/a/child", "/child"},  // /proc counts from /x
      {"/x/y/a", "/a", ""},
      {"/a", "/x/y/a/child", "/child"},  // the mount does
      {"/a", "/ab/a", ""},
      {"/a", "/ab", std::nullopt},
      {"/a", "/", std::nullopt},
      {"", "/a", std::nullopt},
  };
  for (const Case& one : cases) EXPECT_EQ(part_below(one.own, one.found), one.part) << one.own << one.found;
}

}  // namespace
}  // namespace davit::cgroup
