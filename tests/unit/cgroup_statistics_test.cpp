// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "features/cgroup/statistics.hpp"

namespace davit::cgroup {
namespace {

class Table : public CounterFiles {
 public:
  std::map<std::string, std::string> files;  ///< "memory/memory.max"
  std::set<std::string, std::less<>> v2_controllers;
  std::vector<std::string> sizes;

  bool is_v2(std::string_view controller) override { return v2_controllers.contains(controller); }
  std::optional<std::string> read(std::string_view controller, const std::string& file) override {
    const auto found = files.find(std::string(controller) + "/" + file);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> hugepage_sizes() override { return sizes; }
};

const std::set<std::string, std::less<>> kAll = {"cpu",   "cpuset",  "memory", "pids",
                                                 "blkio", "hugetlb", "rdma"};

TEST(CgroupStatistics, NothingThereIsNothingCounted) {
  Table table;
  const Statistics statistics = read_statistics(table);
  EXPECT_EQ(statistics.cpu.total, 0U);
  EXPECT_EQ(statistics.pids.current, 0U);
  EXPECT_TRUE(statistics.hugepages.empty());
  EXPECT_FALSE(statistics.memory.pressure);
}

TEST(CgroupStatistics, V2CpuIsInNanoseconds) {
  Table table;
  table.v2_controllers = kAll;
  table.files["cpu/cpu.stat"] =
      "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 7\nnr_throttled 3\nthrottled_usec 9\n";
  table.files["cpu/cpu.pressure"] =
      "some avg10=1.50 avg60=0.25 avg300=0.00 total=42\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
  const CpuStatistics cpu = read_statistics(table).cpu;
  EXPECT_EQ(cpu.total, 3000000U);
  EXPECT_EQ(cpu.user, 2000000U);
  EXPECT_EQ(cpu.kernel, 1000000U);
  EXPECT_EQ(cpu.periods, 7U);
  EXPECT_EQ(cpu.throttled_periods, 3U);
  EXPECT_EQ(cpu.throttled_time, 9000U);
  ASSERT_TRUE(cpu.pressure);
  EXPECT_EQ(cpu.pressure->some.average_10, "1.50");
  EXPECT_EQ(cpu.pressure->some.total, 42U);
  EXPECT_EQ(cpu.pressure->full.total, 7U);
}

TEST(CgroupStatistics, V2SwapIsTheSumAsReadersOfV1Expect) {
  Table table;
  table.v2_controllers = kAll;
  table.files["memory/memory.current"] = "1000\n";
  table.files["memory/memory.max"] = "4096\n";
  table.files["memory/memory.peak"] = "2000\n";
  table.files["memory/memory.events"] = "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\n";
  table.files["memory/memory.swap.current"] = "10\n";
  table.files["memory/memory.swap.max"] = "100\n";
  table.files["memory/memory.stat"] = "anon 1\nfile 33\n";
  MemoryStatistics memory = read_statistics(table).memory;
  EXPECT_EQ(memory.cache, 33U);
  EXPECT_EQ(memory.usage.peak, 2000U);
  EXPECT_EQ(memory.usage.failures, 5U);
  EXPECT_EQ(memory.swap.usage, 1010U);
  EXPECT_EQ(memory.swap.limit, 4196U);
  EXPECT_EQ(memory.raw.at("anon"), 1U);
  table.files["memory/memory.max"] = "max\n";
  memory = read_statistics(table).memory;
  EXPECT_EQ(memory.usage.limit, kUnlimited);
  EXPECT_EQ(memory.swap.limit, kUnlimited);
}

TEST(CgroupStatistics, V2BlockDevices) {
  Table table;
  table.v2_controllers = kAll;
  table.files["blkio/io.stat"] = "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n7:0\nbad\n";
  const BlockStatistics block = read_statistics(table).block;
  const auto& bytes = block.counters.at("ioServiceBytesRecursive");
  ASSERT_EQ(bytes.size(), 3U);
  EXPECT_EQ(bytes[0].major, 8U);
  EXPECT_EQ(bytes[0].minor, 16U);
  EXPECT_EQ(bytes[1].operation, "Write");
  EXPECT_EQ(bytes[1].value, 2U);
  EXPECT_EQ(block.counters.at("ioServicedRecursive")[2].operation, "Discard");
}

TEST(CgroupStatistics, V1HasItsOwnFiles) {
  Table table;
  table.files["cpuacct/cpuacct.usage"] = "30\n";
  table.files["cpuacct/cpuacct.usage_percpu"] = "20 10 \n";
  table.files["cpuacct/cpuacct.usage_all"] = "cpu user system\n0 1 2\n1 3 4\n";
  table.files["cpuset/cpuset.cpus"] = "0-1,4\n";
  table.files["cpuset/cpuset.sched_relax_domain_level"] = "-1\n";
  table.files["memory/memory.memsw.failcnt"] = "9\n";
  table.files["blkio/blkio.throttle.io_service_bytes_recursive"] = "8:0 Read 10\n8:0 Total 10\nTotal 10\n";
  table.files["blkio/blkio.bfq.io_service_bytes_recursive"] = "Total 0\n";
  const Statistics statistics = read_statistics(table);
  EXPECT_EQ(statistics.cpu.per_cpu, (std::vector<std::uint64_t>{20, 10}));
  EXPECT_EQ(statistics.cpu.per_cpu_kernel, (std::vector<std::uint64_t>{2, 4}));
  EXPECT_EQ(statistics.cpuset.cpus, (std::vector<std::uint32_t>{0, 1, 4}));
  EXPECT_EQ(statistics.cpuset.flags.at("sched_relax_domain_level"), -1);
  EXPECT_EQ(statistics.memory.swap.failures, 9U);
  ASSERT_EQ(statistics.block.counters.at("ioServiceBytesRecursive").size(), 2U);
  EXPECT_EQ(statistics.block.counters.at("ioServiceBytesRecursive")[0].value, 10U);
}

TEST(CgroupStatistics, HybridAsksEachControllerWhereItIs) {
  Table table;
  table.v2_controllers = {"hugetlb"};
  table.sizes = {"1GB", "2MB"};
  table.files["hugetlb/hugetlb.2MB.current"] = "4096\n";
  table.files["hugetlb/hugetlb.2MB.events"] = "max 2\n";
  table.files["memory/memory.usage_in_bytes"] = "77\n";
  const Statistics statistics = read_statistics(table);
  EXPECT_EQ(statistics.memory.usage.usage, 77U);
  ASSERT_EQ(statistics.hugepages.size(), 1U);
  EXPECT_EQ(statistics.hugepages.at("2MB").usage, 4096U);
  EXPECT_EQ(statistics.hugepages.at("2MB").failures, 2U);
}

TEST(CgroupStatistics, PidsAndRdma) {
  Table table;
  table.files["pids/pids.current"] = "3\n";
  table.files["pids/pids.max"] = "max\n";
  table.files["rdma/rdma.current"] = "mlx4_0 hca_handle=2 hca_object=5\n";
  table.files["rdma/rdma.max"] = "mlx4_0 hca_handle=max hca_object=7\n";
  const Statistics statistics = read_statistics(table);
  EXPECT_EQ(statistics.pids.current, 3U);
  EXPECT_EQ(statistics.pids.limit, 0U);
  ASSERT_EQ(statistics.rdma.current.size(), 1U);
  EXPECT_EQ(statistics.rdma.current[0].device, "mlx4_0");
  EXPECT_EQ(statistics.rdma.current[0].hca_objects, 5U);
  EXPECT_EQ(statistics.rdma.limit[0].hca_handles, kUnlimited);
}

TEST(CgroupStatistics, DamagedListsDoNotFillTheMemory) {
  EXPECT_EQ(list_of("0-4294967295").size(), 65536U);
  EXPECT_EQ(list_of("3-1"), (std::vector<std::uint32_t>{}));
  EXPECT_EQ(list_of("x"), (std::vector<std::uint32_t>{}));
  EXPECT_EQ(list_of("\n"), (std::vector<std::uint32_t>{}));
}

}  // namespace
}  // namespace davit::cgroup
