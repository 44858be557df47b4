// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/duration.hpp"
#include "cli/event_json.hpp"
#include "cli/usage_table.hpp"

namespace davit::cli {
namespace {

TEST(CliDuration, AsGoWritesThem) {
  EXPECT_EQ(parse_duration("5s").value(), 5000);
  EXPECT_EQ(parse_duration("500ms").value(), 500);
  EXPECT_EQ(parse_duration("1m30s").value(), 90000);
  EXPECT_EQ(parse_duration("1.5h").value(), 5400000);
  EXPECT_EQ(parse_duration("2").value(), 2000);
  EXPECT_EQ(parse_duration("0.57s").value(), 570);
  EXPECT_EQ(parse_duration(".5s").value(), 500);
  for (const char* bad :
       {"", "s", "5x", "-1s", "0s", "0", "1us", "5s ", "inf", "nan", "1e9h", "99999999999h"})
    EXPECT_FALSE(parse_duration(bad).ok()) << bad;
  EXPECT_NE(std::string(parse_duration("0s").error().message.view()).find("greater than 0"),
            std::string::npos);
}

TEST(CliEvents, HaveTheShapeOfRunc) {
  container::Usage usage;
  usage.cgroup.cpu.total = 5;
  usage.cgroup.cpu.pressure.emplace();
  usage.cgroup.memory.usage.limit = cgroup::kUnlimited;
  usage.cgroup.pids.current = 2;
  usage.cgroup.block.counters["ioServicedRecursive"] = {{8, 0, "Read", 3}};
  usage.cgroup.hugepages["2MB"].usage = 9;
  EXPECT_EQ(
      usage_event("c", usage),
      "{\"type\":\"stats\",\"id\":\"c\",\"data\":{\"cpu\":{\"usage\":{\"total\":5,\"kernel\":0,\"user\":0},"
      "\"throttling\":{},\"psi\":{\"some\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0},"
      "\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0}}},"
      "\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,"
      "\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0,"
      "\"sched_relax_domain_level\":0},"
      "\"memory\":{\"usage\":{\"limit\":18446744073709551615,\"failcnt\":0},"
      "\"swap\":{\"limit\":0,\"failcnt\":0},\"kernel\":{\"limit\":0,\"failcnt\":0},"
      "\"kernelTCP\":{\"limit\":0,\"failcnt\":0}},\"pids\":{\"current\":2},"
      "\"blkio\":{\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":3}]},"
      "\"hugetlb\":{\"2MB\":{\"usage\":9,\"failcnt\":0}},\"intel_rdt\":{},\"network_interfaces\":null}}\n");
  EXPECT_EQ(oom_event("c"), "{\"type\":\"oom\",\"id\":\"c\"}\n");
}

TEST(CliEvents, SoAreTheMembersOfResctrl) {
  container::Usage usage;
  usage.resctrl.emplace();
  usage.resctrl->cache = resctrl::CacheInfo{.mask = "fff", .minimum_bits = 2, .classes = 16};
  usage.resctrl->root_cache_schema = "L3:0=fff";
  usage.resctrl->cache_schema = "L3:0=f";
  usage.resctrl->bandwidth = resctrl::BandwidthInfo{.granularity = 10, .minimum = 10, .classes = 8};
  usage.resctrl->root_bandwidth_schema = "MB:0=100";
  usage.resctrl->bandwidth_schema = "MB:0=50";
  usage.resctrl->bandwidth_use = {{7, 0}, {8, 4}};
  usage.resctrl->cache_occupancy = {9, 0};
  EXPECT_NE(
      usage_event("c", usage)
          .find(
              "\"intel_rdt\":{\"l3_cache_info\":{\"cbm_mask\":\"fff\",\"min_cbm_bits\":2,\"num_closids\":16},"
              "\"l3_cache_schema_root\":\"L3:0=fff\",\"l3_cache_schema\":\"L3:0=f\","
              "\"mem_bw_info\":{\"bandwidth_gran\":10,\"min_bandwidth\":10,\"num_closids\":8},"
              "\"mem_bw_schema_root\":\"MB:0=100\",\"mem_bw_schema\":\"MB:0=50\","
              "\"mbm_stats\":[{\"mbm_total_bytes\":7,\"mbm_local_bytes\":0},"
              "{\"mbm_total_bytes\":8,\"mbm_local_bytes\":4}],"
              "\"cmt_stats\":[{\"llc_occupancy\":9},{\"llc_occupancy\":0}]}"),
      std::string::npos);
}

TEST(CliEvents, InterfacesAreNamedAsRuncNamesThem) {
  const auto interfaces = container::parse_interfaces(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo "
      "colls\n"
      "    lo:       1       2    3    4    0     0          0         0        5       6    7    8    0     "
      "0\n");
  ASSERT_EQ(interfaces.size(), 1U);
  container::Usage usage;
  usage.interfaces = interfaces;
  EXPECT_NE(usage_event("c", usage)
                .find("[{\"Name\":\"lo\",\"RxBytes\":1,\"RxPackets\":2,\"RxErrors\":3,\"RxDropped\":4,"
                      "\"TxBytes\":5,\"TxPackets\":6,\"TxErrors\":7,\"TxDropped\":8}]"),
            std::string::npos);
}

TEST(CliStats, AreReadable) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(150 << 20), "150 MiB");
  UsageSpan span{.id = "web", .before = {}, .after = {}, .milliseconds = 1000};
  span.after.cgroup.cpu.total = 500000000;
  span.after.cgroup.memory.usage = {.limit = 4 << 20, .usage = 1 << 20};
  span.after.cgroup.pids.current = 3;
  EXPECT_EQ(usage_table({span}),
            "ID          CPU         MEMORY      LIMIT       SHARE       PIDS        READ        WRITTEN     "
            "RECEIVED    SENT\n"
            "web         50.0 %      1.0 MiB     4.0 MiB     25.0 %      3           0 B         0 B         "
            "0 B         0 B\n");
  span.after.cgroup.memory.usage.limit = UINT64_C(9223372036854771712);
  EXPECT_NE(usage_table({span}).find("1.0 MiB     -           -  "), std::string::npos);
}

}  // namespace
}  // namespace davit::cli
