// SPDX-License-Identifier: Apache-2.0
// linux.resources -> files of v1 hierarchies (Documentation/admin-guide/cgroup-v1).

#include "features/cgroup/translation.hpp"

namespace davit::cgroup {
namespace {

using Settings = std::vector<Setting>;

Result<void> add_memory(const spec::Memory& memory, Settings& settings) {
  Collector to(settings, "memory", memory.position);
  TRY(check_memory(memory, to));
  // Without a memory limit there is nothing that memory plus swap could add to: both go.
  if (given(memory.limit)) to.add("memory.limit_in_bytes", std::to_string(*memory.limit), "limit");
  if (given(memory.swap) || memory.limit == -1) {
    const std::int64_t swap = given(memory.swap) ? *memory.swap : -1;
    to.add("memory.memsw.limit_in_bytes", std::to_string(swap), "swap").optional = swap == -1;
  }
  if (given(memory.reservation))
    to.add("memory.soft_limit_in_bytes", std::to_string(*memory.reservation), "reservation");
  // memory.kernel: the kernel has no such limit any more (5.16) and the spec advises against it; as in other
  // runtimes it is accepted and has no effect.
  if (given(memory.kernel_tcp))
    to.add("memory.kmem.tcp.limit_in_bytes", std::to_string(*memory.kernel_tcp), "kernelTCP");
  if (memory.swappiness) {
    if (*memory.swappiness > 100) return to.invalid("swappiness", "must be between 0 and 100");
    to.add("memory.swappiness", std::to_string(*memory.swappiness), "swappiness");
  }
  if (memory.disable_oom_killer)
    // 0 is the default, and engines write it for kernels that do not have the file.
    to.add("memory.oom_control", *memory.disable_oom_killer ? "1" : "0", "disableOOMKiller").optional =
        !*memory.disable_oom_killer;
  return {};
}

Result<void> add_cpu(const spec::Cpu& cpu, Settings& settings) {
  Collector to(settings, "cpu", cpu.position);
  if (cpu.quota.value_or(0) < -1)
    return to.invalid("quota", "must be a time in microseconds, or -1 for no limit");
  // An idle group has no shares of its own.
  if (cpu.idle) to.add("cpu.idle", std::to_string(*cpu.idle), "idle").optional = *cpu.idle == 0;
  if (given(cpu.shares) && cpu.idle.value_or(0) != 1)
    to.add("cpu.shares", std::to_string(*cpu.shares), "shares");
  if (given(cpu.period)) to.add("cpu.cfs_period_us", std::to_string(*cpu.period), "period");
  if (given(cpu.quota)) to.add("cpu.cfs_quota_us", std::to_string(*cpu.quota), "quota");
  if (cpu.burst) to.add("cpu.cfs_burst_us", std::to_string(*cpu.burst), "burst").optional = *cpu.burst == 0;
  if (given(cpu.realtime_period))
    to.add("cpu.rt_period_us", std::to_string(*cpu.realtime_period), "realtimePeriod");
  if (given(cpu.realtime_runtime))
    to.add("cpu.rt_runtime_us", std::to_string(*cpu.realtime_runtime), "realtimeRuntime");
  Collector sets(settings, "cpuset", cpu.position);
  if (!cpu.cpus.empty()) sets.add("cpuset.cpus", cpu.cpus, "cpus");
  if (!cpu.mems.empty()) sets.add("cpuset.mems", cpu.mems, "mems");
  return {};
}

void add_block_io(const spec::BlockIo& io, Settings& settings) {
  Collector to(settings, "blkio", io.position);
  const auto weight = [](Collector& list, const std::string& name, const std::string& value,
                         const char* below) {
    Setting& setting = list.add("blkio." + name, value, below);
    // The file of BFQ, which took the place of CFQ in Linux 5.0.
    setting.other_file = "blkio.bfq." + name;
    setting.other_value = value;
  };
  if (given(io.weight)) weight(to, "weight", std::to_string(*io.weight), "weight");
  if (given(io.leaf_weight)) to.add("blkio.leaf_weight", std::to_string(*io.leaf_weight), "leafWeight");
  for (const spec::WeightDevice& device : io.weight_devices) {
    Collector each(settings, "blkio", device.position);
    const std::string number = device_number(device.major, device.minor) + " ";
    if (device.weight) weight(each, "weight_device", number + std::to_string(*device.weight), "weight");
    if (device.leaf_weight)
      each.add("blkio.leaf_weight_device", number + std::to_string(*device.leaf_weight), "leafWeight");
  }
  const auto throttle = [&](const std::vector<spec::ThrottleDevice>& devices, const char* file) {
    for (const spec::ThrottleDevice& device : devices)
      Collector(settings, "blkio", device.position)
          .add(file, device_number(device.major, device.minor) + " " + std::to_string(device.rate), "rate");
  };
  throttle(io.throttle_read_bps, "blkio.throttle.read_bps_device");
  throttle(io.throttle_write_bps, "blkio.throttle.write_bps_device");
  throttle(io.throttle_read_iops, "blkio.throttle.read_iops_device");
  throttle(io.throttle_write_iops, "blkio.throttle.write_iops_device");
}

void add_network(const spec::Network& network, Settings& settings) {
  if (given(network.class_id))
    Collector(settings, "net_cls", network.position)
        .add("net_cls.classid", std::to_string(*network.class_id), "classID");
  for (const spec::InterfacePriority& entry : network.priorities)
    Collector(settings, "net_prio", entry.position)
        .add("net_prio.ifpriomap", entry.name + " " + std::to_string(entry.priority), "priority");
}

}  // namespace

Result<std::vector<Setting>> translate_v1(const spec::Resources& resources) {
  Settings settings;
  if (!resources.unified.empty())
    return spec::at(
        resources.unified.front().position,
        make_error(Code::unsupported,
                   "invalid configuration: unified resources need cgroup v2, and this host has v1"));
  TRY(add_memory(resources.memory, settings));
  TRY(add_cpu(resources.cpu, settings));
  add_pids(resources.pids, settings);
  add_block_io(resources.block_io, settings);
  for (const spec::HugepageLimit& limit : resources.hugepage_limits) {
    Collector to(settings, "hugetlb", limit.position);
    const std::string value = std::to_string(limit.limit);
    to.add("hugetlb." + limit.page_size + ".rsvd.limit_in_bytes", value, "limit").optional = true;
    to.add("hugetlb." + limit.page_size + ".limit_in_bytes", value, "limit");
  }
  add_network(resources.network, settings);
  for (const spec::RdmaLimit& limit : resources.rdma)
    Collector(settings, "rdma", limit.position).add("rdma.max", rdma_value(limit), "");
  return settings;
}

}  // namespace davit::cgroup
