// SPDX-License-Identifier: Apache-2.0
#include "davit/host/mountinfo.hpp"

#include <gtest/gtest.h>

namespace davit::host {
namespace {

TEST(MountInfo, TellsOfTheMountsOfAType) {
  std::string seen;
  each_mount(
      "23 1 0:21 / / rw - ext4 /dev/sda rw\n"
      "cut off\n"
      "40 23 0:40 /g /mnt/a\\040b rw shared:3 master:1 - resctrl a\\040-\\040resctrl rw,cdp\n"
      "41 23 0:40 / /sys/fs/resctrl rw - resctrl resctrl rw",
      [](std::string_view type) { return type == "resctrl"; },
      [&](const MountInfo& mount) {
        seen += std::string(mount.device) + " " + mount.root + " " + mount.mount_point + " " +
                std::string(mount.options) + "\n";
      });
  EXPECT_EQ(seen, "0:40 /g /mnt/a b rw,cdp\n0:40 / /sys/fs/resctrl rw\n");
}

}  // namespace
}  // namespace davit::host
