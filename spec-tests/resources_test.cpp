// SPDX-License-Identifier: Apache-2.0
// config-linux.md, the resources of a control group, on v1, v2 and hybrid hosts.
#include "cgroup.hpp"
#include "clause.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::list_dir;
using support::read_file;

class Resources : public SpecTest {
 protected:
  static Json with(std::string_view resources) {
    Json config = default_config();
    config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
    config["linux"]["resources"] = Json::parse(resources);
    return config;
  }
  /// The pid of a container that waits.
  pid_t pid_of(const Json& config) {
    Bundle bundle(config);
    bundle.args({"/bin/sleep", "1000"});
    return runtime.pid(start(bundle));
  }
  /// The value is in the file where the host has it; elsewhere it cannot be applied, which is an error.
  void applied_or_refused(std::string_view resources, const CgroupFile& file, const std::string& value) {
    if (!host_has(file)) {
      CLAUSE("runtime-116");
      refused(with(resources));
      return;
    }
    EXPECT_EQ(value_of(pid_of(with(resources)), file), value) << resources;
  }
};

/// For what only one of the hierarchies can do.
#define NEEDS_FILE(file)      \
  SKIP_UNLESS(host_has(file), \
              "this host's cgroups have no " + (file).v1 + (file).v2 + " in " + (file).controller)

const CgroupFile kMemory = {"memory", "memory.limit_in_bytes", "memory.max"};
const CgroupFile kPids = {"pids", "pids.max", "pids.max"};

TEST_F(Resources, Memory) {
  CLAUSE("config-linux-444", "config-linux-449", "config-linux-450");
  NEEDS_FILE(kMemory);
  const pid_t pid = pid_of(with(R"({"memory": {"limit": 73400320, "reservation": 41943040}})"));
  EXPECT_EQ(value_of(pid, kMemory), "73400320");
  EXPECT_EQ(value_of(pid, {"memory", "memory.soft_limit_in_bytes", "memory.low"}), "41943040");
}

TEST_F(Resources, Swap) {
  CLAUSE("config-linux-451");
  // On v1 it is memory and swap together.
  const bool v2 = on_v2("memory");
  applied_or_refused(R"({"memory": {"limit": 73400320, "swap": 83886080}})",
                     {"memory", "memory.memsw.limit_in_bytes", "memory.swap.max"},
                     v2 ? "10485760" : "83886080");
}

TEST_F(Resources, Swappiness) {
  CLAUSE("config-linux-457");
  applied_or_refused(R"({"memory": {"swappiness": 20}})", {"memory", "memory.swappiness", ""}, "20");
}

TEST_F(Resources, OomKiller) {
  CLAUSE("config-linux-459");
  const CgroupFile file = {"memory", "memory.oom_control", ""};
  NEEDS_FILE(file);
  const std::string text =
      value_of(pid_of(with(R"({"memory": {"limit": 73400320, "disableOOMKiller": true}})")), file);
  EXPECT_EQ(text.rfind("oom_kill_disable 1", 0), 0U) << text;
}

TEST_F(Resources, Hierarchy) {
  CLAUSE("config-linux-463");
  NEEDS_FILE(kMemory);
  const pid_t pid = pid_of(with(R"({"memory": {"useHierarchy": true}})"));
  const CgroupFile file = {"memory", "memory.use_hierarchy", ""};
  if (host_has(file)) {
    EXPECT_EQ(value_of(pid, file), "1");
  }
}

TEST_F(Resources, KernelMemory) {
  const std::pair<const char*, const char*> cases[] = {{"kernel", "memory.kmem.limit_in_bytes"},
                                                       {"kernelTCP", "memory.kmem.tcp.limit_in_bytes"}};
  for (const auto& [key, file] : cases) {
    CLAUSE(key == std::string("kernel") ? "config-linux-452" : "config-linux-453");
    Bundle bundle(with(std::string(R"({"memory": {")") + key + R"(": 52428800}})"));
    bundle.args({"/bin/sleep", "1000"});
    bundle.write();
    const std::string id = new_id();
    const Outcome outcome = runtime({"create", "--bundle", bundle.path(), id});
    // Kernels have given it up; whoever asks must hear of it.
    if (!outcome.ok() || support::trim(outcome.err) != "") continue;
    EXPECT_EQ(value_of(runtime.pid(id), {"memory", file, ""}), "52428800") << key << " was ignored silently";
  }
}

TEST_F(Resources, CheckBeforeUpdate) {
  CLAUSE("config-linux-465", "config-linux-466");
  NEEDS_VERSION("1.1");
  NEEDS_FILE(kMemory);
  Bundle bundle(with(R"({"memory": {"limit": 104857600}})"));
  bundle.sh("while :; do sleep 1; done");
  const std::string id = start(bundle);
  const Outcome outcome = runtime({"update", "--resources", "-", id},
                                  {.input = R"({"memory": {"limit": 4096, "checkBeforeUpdate": true}})"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_EQ(value_of(runtime.pid(id), kMemory), "104857600");
}

TEST_F(Resources, Cpu) {
  CLAUSE("config-linux-487", "config-linux-492");
  const CgroupFile shares = {"cpu", "cpu.shares", "cpu.weight"};
  NEEDS_FILE(shares);
  const pid_t pid = pid_of(with(R"({"cpu": {"shares": 400, "quota": 20000, "period": 50000}})"));
  if (on_v2("cpu")) {
    EXPECT_LT(std::stol("0" + value_of(pid, shares)), 100)
        << "less than the default, as 400 is less than 1024";
  } else {
    EXPECT_EQ(value_of(pid, shares), "400");
  }
  CLAUSE("config-linux-493", "config-linux-497");
  if (on_v2("cpu")) {
    EXPECT_EQ(value_of(pid, {"cpu", "", "cpu.max"}), "20000 50000");
  } else {
    EXPECT_EQ(value_of(pid, {"cpu", "cpu.cfs_quota_us", ""}), "20000");
    EXPECT_EQ(value_of(pid, {"cpu", "cpu.cfs_period_us", ""}), "50000");
  }
}

TEST_F(Resources, CpuBurst) {
  CLAUSE("config-linux-495");
  NEEDS_VERSION("1.1");
  applied_or_refused(R"({"cpu": {"quota": 20000, "period": 50000, "burst": 10000}})",
                     {"cpu", "cpu.cfs_burst_us", "cpu.max.burst"}, "10000");
}

TEST_F(Resources, BurstIsNoLargerThanQuota) {
  CLAUSE("config-linux-494", "config-linux-496");
  NEEDS_VERSION("1.1");
  refused(with(R"({"cpu": {"quota": 10000, "period": 100000, "burst": 20000}})"));
}

TEST_F(Resources, CpuIdle) {
  CLAUSE("config-linux-502");
  NEEDS_VERSION("1.1");
  applied_or_refused(R"({"cpu": {"idle": 1}})", {"cpu", "cpu.idle", "cpu.idle"}, "1");
}

TEST_F(Resources, CpuRealtime) {
  CLAUSE("config-linux-498", "config-linux-499");
  applied_or_refused(R"({"cpu": {"realtimeRuntime": 0, "realtimePeriod": 900000}})",
                     {"cpu", "cpu.rt_period_us", ""}, "900000");
}

TEST_F(Resources, Cpuset) {
  CLAUSE("config-linux-500", "config-linux-501");
  const CgroupFile cpus = {"cpuset", "cpuset.cpus", "cpuset.cpus"};
  NEEDS_FILE(cpus);
  const pid_t pid = pid_of(with(R"({"cpu": {"cpus": "0", "mems": "0"}})"));
  EXPECT_EQ(value_of(pid, cpus), "0");
  EXPECT_EQ(value_of(pid, {"cpuset", "cpuset.mems", "cpuset.mems"}), "0");
}

TEST_F(Resources, Pids) {
  CLAUSE("config-linux-664", "config-linux-669");
  NEEDS_FILE(kPids);
  EXPECT_EQ(value_of(pid_of(with(R"({"pids": {"limit": 66}})")), kPids), "66");
}

TEST_F(Resources, NoPidsIsALimit) {
  CLAUSE("config-linux-671");
  NEEDS_VERSION("1.3");
  NEEDS_FILE(kPids);
  EXPECT_EQ(value_of(pid_of(with(R"({"pids": {"limit": 0}})")), kPids), "0");
}

/// A disk of this host as "major:minor", or ""; one with that scheduler, if it is named.
std::string disk(const std::string& scheduler = "") {
  for (const auto& name : list_dir("/sys/block")) {
    const std::string dir = "/sys/block/" + name;
    const std::string size = read_file(dir + "/size");
    const bool fits = scheduler.empty() ||
                      read_file(dir + "/queue/scheduler").find("[" + scheduler + "]") != std::string::npos;
    if (fits && !size.empty() && size != "0\n") return support::trim(read_file(dir + "/dev"));
  }
  return "";
}

TEST_F(Resources, BlockIoThrottles) {
  CLAUSE("config-linux-522");
  const std::string device = disk();
  SKIP_UNLESS(!device.empty(), "this host has no disk");
  const CgroupFile any = {on_v2("io") ? "io" : "blkio", "blkio.throttle.read_bps_device", "io.max"};
  NEEDS_FILE(any);
  const auto colon = device.find(':');
  const std::string entry = R"([{"major": )" + device.substr(0, colon) + R"(, "minor": )" +
                            device.substr(colon + 1) + R"(, "rate": 1048576}])";
  const struct {
    const char* key;
    const char* v1;
    const char* v2;
    std::vector<std::string> clauses;
  } cases[] = {
      {"throttleReadBpsDevice",
       "blkio.throttle.read_bps_device",
       "rbps=",
       {"config-linux-540", "config-linux-542", "config-linux-544"}},
      {"throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps=", {"config-linux-540"}},
      {"throttleReadIOPSDevice",
       "blkio.throttle.read_iops_device",
       "riops=",
       {"config-linux-546", "config-linux-548", "config-linux-550"}},
      {"throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops=", {"config-linux-546"}}};
  for (const auto& one : cases) {
    const ClauseScope scope(one.clauses);
    const pid_t pid = pid_of(with(std::string(R"({"blockIO": {")") + one.key + "\": " + entry + "}}"));
    const std::string text = value_of(pid, {any.controller, one.v1, "io.max"});
    const std::string expected =
        any.controller == "io" ? one.v2 + std::string("1048576") : device + " 1048576";
    EXPECT_NE(text.find(expected), std::string::npos) << one.key << ": " << text;
  }
}

TEST_F(Resources, BlockIoWeights) {
  CLAUSE("config-linux-529", "config-linux-522");
  const CgroupFile plain = {on_v2("io") ? "io" : "blkio", "blkio.weight", "io.weight"};
  const CgroupFile bfq = {plain.controller, "blkio.bfq.weight", "io.bfq.weight"};
  const bool has = host_has(plain) || host_has(bfq);
  if (!has) {
    refused(with(R"({"blockIO": {"weight": 200}})"));
  } else if (plain.controller == "blkio") {
    EXPECT_EQ(value_of(pid_of(with(R"({"blockIO": {"weight": 200}})")), host_has(plain) ? plain : bfq),
              "200");
  } else {
    const std::string text =
        value_of(pid_of(with(R"({"blockIO": {"weight": 200}})")), host_has(bfq) ? bfq : plain);
    EXPECT_NE(text, "default 100") << "the default";
  }
  CLAUSE("config-linux-531", "config-linux-533", "config-linux-535");
  const std::string device = disk("bfq");
  const auto colon = device.find(':');
  SKIP_UNLESS(colon != std::string::npos,
              "only disks with the scheduler BFQ have weights, and this host has none");
  const std::string entry = R"([{"major": )" + device.substr(0, colon) + R"(, "minor": )" +
                            device.substr(colon + 1) + R"(, "weight": 300}])";
  const std::string text = value_of(pid_of(with(R"({"blockIO": {"weightDevice": )" + entry + "}}")),
                                    {plain.controller, "blkio.bfq.weight_device", "io.bfq.weight"});
  EXPECT_NE(text.find(device + " 300"), std::string::npos) << text;
}

TEST_F(Resources, LeafWeightsNeedCfq) {
  CLAUSE("config-linux-530", "config-linux-536");
  applied_or_refused(R"({"blockIO": {"leafWeight": 200}})", {"blkio", "blkio.leaf_weight", ""}, "200");
}

TEST_F(Resources, EntriesThatNeedOneOfTwo) {
  CLAUSE("config-linux-538");
  refused(with(R"({"blockIO": {"weightDevice": [{"major": 7, "minor": 0}]}})"));
  CLAUSE("config-linux-692");
  refused(with(R"({"rdma": {"mlx5_1": {}}})"));
}

TEST_F(Resources, Rdma) {
  CLAUSE("config-linux-683", "config-linux-689", "config-linux-690");
  SKIP_UNLESS(list_dir("/sys/class/infiniband").empty(), "has no test for a host with RDMA devices");
  refused(with(R"({"rdma": {"nosuchdevice": {"hcaHandles": 3, "hcaObjects": 10000}}})"));
}

TEST_F(Resources, Network) {
  CLAUSE("config-linux-633", "config-linux-638");
  applied_or_refused(R"({"network": {"classID": 1048577}})", {"net_cls", "net_cls.classid", ""}, "1048577");
  CLAUSE("config-linux-639", "config-linux-641", "config-linux-642");
  const CgroupFile file = {"net_prio", "net_prio.ifpriomap", ""};
  const char* const resources = R"({"network": {"priorities": [{"name": "lo", "priority": 7}]}})";
  if (!host_has(file)) {
    refused(with(resources));
    return;
  }
  const std::string text = "\n" + value_of(pid_of(with(resources)), file) + "\n";
  EXPECT_NE(text.find("\nlo 7\n"), std::string::npos) << text;
}

TEST_F(Resources, Hugepages) {
  CLAUSE("config-linux-590", "config-linux-608", "config-linux-614");
  const CgroupFile reserved = {"hugetlb", "hugetlb.2MB.rsvd.limit_in_bytes", "hugetlb.2MB.rsvd.max"};
  const CgroupFile faults = {"hugetlb", "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"};
  applied_or_refused(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 6291456}]})",
                     host_has(reserved) ? reserved : faults, "6291456");
}

}  // namespace
}  // namespace spec_tests
