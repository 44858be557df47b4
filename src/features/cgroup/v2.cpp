// SPDX-License-Identifier: Apache-2.0
// linux.resources -> files of a cgroup v2 directory (Documentation/admin-guide/cgroup-v2.rst).
#include <algorithm>
#include <array>
#include <cmath>

#include "davit/base/fields.hpp"
#include "features/cgroup/translation.hpp"

namespace davit::cgroup {
namespace {

using Settings = std::vector<Setting>;

std::string limit_text(std::int64_t limit) {
  return limit == -1 ? "max" : std::to_string(limit);
}

/// v1 counts memory plus swap, v2 swap alone. Empty: leave it.
Result<std::string> swap_value(const spec::Memory& memory, const Collector& to) {
  const std::int64_t limit = memory.limit.value_or(0);
  const std::int64_t swap = memory.swap.value_or(0);
  if (swap == 0) return std::string(limit == -1 ? "max" : "");
  if (swap == -1) return std::string("max");
  if (limit == 0 || limit == -1) return to.invalid("swap", "unable to set swap limit without memory limit");
  return std::to_string(swap - limit);
}

Result<void> add_memory(const spec::Memory& memory, Settings& settings) {
  Collector to(settings, "memory", memory.position);
  TRY(check_memory(memory, to));
  if (memory.swappiness) return to.refuse("swappiness", "cgroup v2 has no swappiness of a single cgroup");
  if (memory.disable_oom_killer.value_or(false))
    return to.refuse("disableOOMKiller", "cgroup v2 cannot switch the OOM killer off");
  if (memory.kernel_tcp.value_or(0) > 0)
    return to.refuse("kernelTCP", "cgroup v2 does not limit TCP buffers apart from memory");
  // memory.kernel: see v1.cpp.
  const std::string swap = TRY(swap_value(memory, to));
  if (given(memory.limit)) to.add("memory.max", limit_text(*memory.limit), "limit");
  if (!swap.empty())
    // The file is missing where there is no swap at all: then there is nothing to forbid.
    to.add("memory.swap.max", swap, "swap").optional = swap == "max" || swap == "0";
  if (given(memory.reservation)) to.add("memory.low", limit_text(*memory.reservation), "reservation");
  return {};
}

Result<void> add_cpu(const spec::Cpu& cpu, Settings& settings) {
  Collector to(settings, "cpu", cpu.position);
  if (cpu.quota.value_or(0) < -1)
    return to.invalid("quota", "must be a time in microseconds, or -1 for no limit");
  if (given(cpu.realtime_period)) return to.refuse("realtimePeriod", "cgroup v2 has no realtime limits");
  if (given(cpu.realtime_runtime)) return to.refuse("realtimeRuntime", "cgroup v2 has no realtime limits");
  if (cpu.idle) to.add("cpu.idle", std::to_string(*cpu.idle), "idle").optional = *cpu.idle == 0;
  // An idle group has no weight of its own.
  if (given(cpu.shares) && cpu.idle.value_or(0) != 1)
    to.add("cpu.weight", std::to_string(weight_of_shares(*cpu.shares)), "shares");
  if (given(cpu.quota) || given(cpu.period)) {
    // A single word leaves the period alone.
    std::string value = limit_text(given(cpu.quota) ? *cpu.quota : -1);
    if (given(cpu.period)) value += " " + std::to_string(*cpu.period);
    to.add("cpu.max", value, given(cpu.quota) ? "quota" : "period").keep_quota = !given(cpu.quota);
  }
  if (cpu.burst) to.add("cpu.max.burst", std::to_string(*cpu.burst), "burst").optional = *cpu.burst == 0;
  Collector sets(settings, "cpuset", cpu.position);
  if (!cpu.cpus.empty()) sets.add("cpuset.cpus", cpu.cpus, "cpus");
  if (!cpu.mems.empty()) sets.add("cpuset.mems", cpu.mems, "mems");
  return {};
}

/// 10..1000 of v1 and BFQ -> 1..10000 of io.weight.
std::string io_weight(std::uint16_t weight) {
  return std::to_string(1 + (std::max<std::uint32_t>(weight, 10) - 10) * 9999 / 990);
}

Result<void> add_io(const spec::BlockIo& io, Settings& settings) {
  const auto weight = [](Collector& list, const std::string& device, std::uint16_t value) {
    Setting& setting = list.add("io.bfq.weight", device + std::to_string(value), "weight");
    setting.other_file = "io.weight";
    setting.other_value = (device.empty() ? "default " : device) + io_weight(value);
  };
  Collector to(settings, "io", io.position);
  if (given(io.leaf_weight)) return to.refuse("leafWeight", "cgroup v2 has no leaf weights");
  if (given(io.weight)) weight(to, "", *io.weight);
  for (const spec::WeightDevice& device : io.weight_devices) {
    Collector each(settings, "io", device.position);
    if (given(device.leaf_weight)) return each.refuse("leafWeight", "cgroup v2 has no leaf weights");
    if (given(device.weight)) weight(each, device_number(device.major, device.minor) + " ", *device.weight);
  }
  const auto throttle = [&](const std::vector<spec::ThrottleDevice>& devices, const char* key) {
    for (const spec::ThrottleDevice& device : devices)
      Collector(settings, "io", device.position)
          .add("io.max",
               device_number(device.major, device.minor) + " " + key + "=" +
                   (device.rate == 0 ? "max" : std::to_string(device.rate)),
               "rate");
  };
  throttle(io.throttle_read_bps, "rbps");
  throttle(io.throttle_write_bps, "wbps");
  throttle(io.throttle_read_iops, "riops");
  throttle(io.throttle_write_iops, "wiops");
  return {};
}

Result<void> add_unified(const std::vector<spec::UnifiedEntry>& entries, Settings& settings) {
  // These move, stop or end processes; they are no limits, and would act on the container before it exists.
  constexpr std::array<std::string_view, 5> kActions = {"cgroup.procs", "cgroup.threads", "cgroup.kill",
                                                        "cgroup.freeze", "cgroup.type"};
  for (const spec::UnifiedEntry& entry : entries) {
    const auto invalid = [&](std::string_view why) {
      return spec::at(entry.position, make_error(Code::invalid_config, why));
    };
    const std::size_t dot = entry.file.find('.');
    if (entry.file.find('/') != std::string::npos || dot == 0 || dot == std::string::npos)
      return invalid("unified resource '" + entry.file + "' must be a file name like memory.high");
    if (std::find(kActions.begin(), kActions.end(), entry.file) != kActions.end())
      return invalid("unified resource '" + entry.file + "' is no limit");
    // The kernel takes one line per write.
    std::string_view rest = entry.value;
    do {
      settings.push_back(
          {entry.file.substr(0, dot), entry.file, std::string(next_line(rest)), entry.position, ""});
    } while (!rest.empty());
  }
  return {};
}

}  // namespace

std::uint64_t weight_of_shares(std::uint64_t shares) {
  // A quadratic curve in the logarithm, through the minimum, the default and the maximum of both scales; it
  // keeps the default weight of 100 for the default of 1024 shares, which a straight line (39) does not.
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double log = std::log2(static_cast<double>(shares));
  const double exponent = (log * log + 125 * log) / 612.0 - 7.0 / 34.0;
  return static_cast<std::uint64_t>(std::ceil(std::pow(10.0, exponent)));
}

Result<std::vector<Setting>> translate_v2(const spec::Resources& resources) {
  Settings settings;
  TRY(add_memory(resources.memory, settings));
  TRY(add_cpu(resources.cpu, settings));
  add_pids(resources.pids, settings);
  TRY(add_io(resources.block_io, settings));
  for (const spec::HugepageLimit& limit : resources.hugepage_limits) {
    Collector to(settings, "hugetlb", limit.position);
    const std::string value = std::to_string(limit.limit);
    to.add("hugetlb." + limit.page_size + ".rsvd.max", value, "limit").optional = true;
    to.add("hugetlb." + limit.page_size + ".max", value, "limit");
  }
  Collector network(settings, "net_cls", resources.network.position);
  if (given(resources.network.class_id)) return network.refuse("classID", "cgroup v2 has no network classes");
  if (!resources.network.priorities.empty())
    return network.refuse("priorities", "cgroup v2 has no network priorities");
  for (const spec::RdmaLimit& limit : resources.rdma)
    Collector(settings, "rdma", limit.position).add("rdma.max", rdma_value(limit), "");
  TRY(add_unified(resources.unified, settings));
  return settings;
}

}  // namespace davit::cgroup
