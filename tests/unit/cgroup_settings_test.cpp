// SPDX-License-Identifier: Apache-2.0
#include "features/cgroup/settings.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "davit/sys/file.hpp"
#include "features/cgroup/former.hpp"

namespace davit::cgroup {
namespace {

using Lines = std::vector<std::string>;

Lines lines(const Result<std::vector<Setting>>& settings) {
  if (!settings.ok()) return {"error: " + std::string(settings.error().message.view())};
  Lines result;
  for (const Setting& setting : settings.value()) result.push_back(setting.file + "=" + setting.value);
  return result;
}
Lines v1(const spec::Resources& resources) {
  return lines(translate_v1(resources));
}
Lines v2(const spec::Resources& resources) {
  return lines(translate_v2(resources));
}
bool refused(const Lines& result) {
  return result.size() == 1 && result[0].starts_with("error: ");
}

TEST(CgroupSettings, NothingAskedIsNothingWritten) {
  EXPECT_EQ(v1({}), Lines());
  EXPECT_EQ(v2({}), Lines());
}

TEST(CgroupSettings, Memory) {
  spec::Resources resources;
  resources.memory.limit = 100;
  resources.memory.swap = 150;
  resources.memory.reservation = 50;
  EXPECT_EQ(v1(resources), (Lines{"memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=150",
                                  "memory.soft_limit_in_bytes=50"}));
  EXPECT_EQ(v2(resources), (Lines{"memory.max=100", "memory.swap.max=50", "memory.low=50"}));
  resources.memory.swap = -1;
  EXPECT_EQ(v2(resources)[1], "memory.swap.max=max");
  resources.memory.swap = 100;
  EXPECT_EQ(v2(resources)[1], "memory.swap.max=0");
  resources.memory.swap = 99;
  EXPECT_TRUE(refused(v1(resources)));
  EXPECT_TRUE(refused(v2(resources)));
}

TEST(CgroupSettings, UnlimitedMemoryLiftsSwapToo) {
  spec::Resources resources;
  resources.memory.limit = -1;
  EXPECT_EQ(v1(resources), (Lines{"memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"}));
  EXPECT_EQ(v2(resources), (Lines{"memory.max=max", "memory.swap.max=max"}));
}

TEST(CgroupSettings, SwapWithoutLimitHasNoMeaningOnV2) {
  spec::Resources resources;
  resources.memory.swap = 5;
  EXPECT_EQ(v2(resources), Lines{"error: unable to set swap limit without memory limit"});
}

TEST(CgroupSettings, MemoryThatV2CannotDoIsRefused) {
  spec::Resources resources;
  resources.memory.swappiness = 10;
  EXPECT_EQ(v1(resources), Lines{"memory.swappiness=10"});
  EXPECT_TRUE(refused(v2(resources)));
  resources.memory.swappiness = 101;
  EXPECT_TRUE(refused(v1(resources)));
  resources = {};
  resources.memory.disable_oom_killer = true;
  EXPECT_EQ(v1(resources), Lines{"memory.oom_control=1"});
  EXPECT_TRUE(refused(v2(resources)));
  resources.memory.disable_oom_killer = false;
  EXPECT_EQ(v2(resources), Lines());
  resources = {};
  resources.memory.limit = -2;
  EXPECT_TRUE(refused(v1(resources)));
  EXPECT_TRUE(refused(v2(resources)));
}

TEST(CgroupSettings, SharesBecomeWeightsThroughThreeFixedPoints) {
  EXPECT_EQ(weight_of_shares(2), 1u);
  EXPECT_EQ(weight_of_shares(1024), 100u);
  EXPECT_EQ(weight_of_shares(262144), 10000u);
  std::uint64_t before = 0;
  for (std::uint64_t shares = 0; shares < 300000; shares += 97) {
    const std::uint64_t weight = weight_of_shares(shares);
    EXPECT_GE(weight, std::max<std::uint64_t>(before, 1));
    EXPECT_LE(weight, 10000u);
    before = weight;
  }
}

TEST(CgroupSettings, Cpu) {
  spec::Resources resources;
  resources.cpu.shares = 1024;
  resources.cpu.quota = 50000;
  resources.cpu.period = 100000;
  resources.cpu.burst = 1000;
  resources.cpu.cpus = "0-1";
  resources.cpu.mems = "0";
  EXPECT_EQ(v1(resources), (Lines{"cpu.shares=1024", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000",
                                  "cpu.cfs_burst_us=1000", "cpuset.cpus=0-1", "cpuset.mems=0"}));
  EXPECT_EQ(v2(resources), (Lines{"cpu.weight=100", "cpu.max=50000 100000", "cpu.max.burst=1000",
                                  "cpuset.cpus=0-1", "cpuset.mems=0"}));
  resources.cpu.idle = 1;  // an idle group has no weight
  EXPECT_EQ(v2(resources)[0], "cpu.idle=1");
  EXPECT_EQ(v2(resources)[1], "cpu.max=50000 100000");
}

TEST(CgroupSettings, QuotaOrPeriodAlone) {
  spec::Resources resources;
  resources.cpu.quota = -1;
  EXPECT_EQ(v2(resources), Lines{"cpu.max=max"});
  resources = {};
  resources.cpu.period = 5000;
  EXPECT_EQ(v2(resources), Lines{"cpu.max=max 5000"});
  EXPECT_TRUE(translate_v2(resources)->front().keep_quota);
  resources.cpu.quota = 0;  // as engines write it for "not set"
  resources.cpu.shares = 0;
  resources.cpu.period = 0;
  EXPECT_EQ(v1(resources), Lines());
  EXPECT_EQ(v2(resources), Lines());
}

TEST(CgroupSettings, RealtimeIsV1Only) {
  spec::Resources resources;
  resources.cpu.realtime_runtime = 10;
  resources.cpu.realtime_period = 100;
  EXPECT_EQ(v1(resources), (Lines{"cpu.rt_period_us=100", "cpu.rt_runtime_us=10"}));
  EXPECT_TRUE(refused(v2(resources)));
}

TEST(CgroupSettings, Pids) {
  spec::Resources resources;
  resources.pids.limit = -1;
  EXPECT_EQ(v1(resources), Lines{"pids.max=max"});
  EXPECT_EQ(v2(resources), Lines{"pids.max=max"});
  resources.pids.limit = 0;
  EXPECT_EQ(v1(resources), Lines{"pids.max=0"});
  EXPECT_EQ(v2(resources), Lines{"pids.max=0"});
}

TEST(CgroupSettings, BlockIo) {
  spec::Resources resources;
  resources.block_io.weight = 500;
  spec::WeightDevice weight;
  weight.major = 8;
  weight.weight = 10;
  resources.block_io.weight_devices = {weight};
  spec::ThrottleDevice throttle;
  throttle.major = 8;
  throttle.minor = 1;
  throttle.rate = 7;
  resources.block_io.throttle_read_bps = {throttle};
  resources.block_io.throttle_write_iops = {throttle};
  EXPECT_EQ(v1(resources),
            (Lines{"blkio.weight=500", "blkio.weight_device=8:0 10", "blkio.throttle.read_bps_device=8:1 7",
                   "blkio.throttle.write_iops_device=8:1 7"}));
  EXPECT_EQ(v2(resources),
            (Lines{"io.bfq.weight=500", "io.bfq.weight=8:0 10", "io.max=8:1 rbps=7", "io.max=8:1 wiops=7"}));
  const auto settings = translate_v2(resources);
  EXPECT_EQ(settings->at(0).other_file, "io.weight");
  EXPECT_EQ(settings->at(0).other_value, "default 4950");
  EXPECT_EQ(settings->at(1).other_value, "8:0 1");
  resources = {};
  resources.block_io.leaf_weight = 5;
  EXPECT_EQ(v1(resources), Lines{"blkio.leaf_weight=5"});
  EXPECT_TRUE(refused(v2(resources)));
}

TEST(CgroupSettings, HugepagesReservationsFirst) {
  spec::Resources resources;
  resources.hugepage_limits = {{"2MB", 4096, {}}};
  EXPECT_EQ(v1(resources),
            (Lines{"hugetlb.2MB.rsvd.limit_in_bytes=4096", "hugetlb.2MB.limit_in_bytes=4096"}));
  EXPECT_EQ(v2(resources), (Lines{"hugetlb.2MB.rsvd.max=4096", "hugetlb.2MB.max=4096"}));
  EXPECT_TRUE(translate_v2(resources)->front().optional);
  EXPECT_FALSE(translate_v2(resources)->back().optional);
}

TEST(CgroupSettings, NetworkIsV1OnlyAndRdmaBoth) {
  spec::Resources resources;
  resources.network.class_id = 16;
  resources.network.priorities = {{"eth0", 5, {}}};
  EXPECT_EQ(v1(resources), (Lines{"net_cls.classid=16", "net_prio.ifpriomap=eth0 5"}));
  EXPECT_TRUE(refused(v2(resources)));
  resources = {};
  resources.rdma = {{"mlx5_1", 3, 10000, {}}};
  EXPECT_EQ(v1(resources), Lines{"rdma.max=mlx5_1 hca_handle=3 hca_object=10000"});
  EXPECT_EQ(v2(resources), v1(resources));
}

TEST(CgroupSettings, Unified) {
  spec::Resources resources;
  resources.unified = {{"memory.high", "5", {}}, {"io.max", "8:0 rbps=1\n8:1 rbps=2", {}}};
  EXPECT_EQ(v2(resources), (Lines{"memory.high=5", "io.max=8:0 rbps=1", "io.max=8:1 rbps=2"}));
  EXPECT_EQ(translate_v2(resources)->front().controller, "memory");
  EXPECT_TRUE(refused(v1(resources)));
  for (const char* file : {"cgroup.procs", "cgroup.freeze", "cgroup.kill", "../x.y", "memory", ".x"}) {
    resources.unified = {{file, "1", {}}};
    EXPECT_TRUE(refused(v2(resources))) << file;
  }
}

TEST(CgroupFormer, GivesBackTheLineOfOneDevice) {
  struct Case {
    Setting setting;
    const char* file;
    const char* before;
    const char* restored;
  };
  const Setting device{.controller = "blkio",
                       .file = "blkio.weight_device",
                       .value = "8:0 500",
                       .position = {},
                       .other_file = "blkio.bfq.weight_device"};
  const Setting all{.controller = "io", .file = "io.bfq.weight", .value = "500", .position = {}};
  const Case cases[] = {{device, "blkio.bfq.weight_device", "8:16 200\n8:0 300\n", "8:0 300"},
                        {device, "blkio.bfq.weight_device", "8:16 200\n", "8:0 default"},
                        {all, "io.bfq.weight", "default 100\n8:0 300\n", "default 100"}};
  for (const Case& one : cases) {
    char path[] = "/tmp/davit-former-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    const std::string file = std::string(path) + "/" + one.file;
    ASSERT_TRUE(sys::replace_file(file, one.before, 0600).ok());
    Former former;
    former.remember({.directories = {{{one.setting.controller}, path, "/tmp"}}}, {one.setting});
    ASSERT_TRUE(sys::replace_file(file, "", 0600).ok());
    former.restore();
    EXPECT_EQ(sys::read_file(file).value(), one.restored) << one.file;
    std::filesystem::remove_all(path);
  }
}

}  // namespace
}  // namespace davit::cgroup
