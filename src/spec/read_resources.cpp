// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "spec/sections.hpp"

namespace davit::spec {
namespace {

/// A device number of a rule; -1 stands for every number.
struct RuleNumber {
  std::optional<std::uint32_t> value;
};

bool read(Report& report, json::Value value, RuleNumber& target) {
  std::int64_t number = 0;
  if (!read(report, value, number)) return false;
  if (number < -1 || number > UINT32_MAX) return report_integer(report, value, -1, UINT32_MAX);
  if (number >= 0) target.value = static_cast<std::uint32_t>(number);
  return true;
}

/// `access` letters; an absent access is all three for a rule that denies and an error for one that allows.
void apply_access(Object& object, DeviceRule& rule, std::string_view access) {
  bool is_all = false;
  for (const char letter : access) {
    if (letter == 'r')
      rule.read = true;
    else if (letter == 'w')
      rule.write = true;
    else if (letter == 'm')
      rule.mknod = true;
    else if (letter == 'a')
      is_all = true;
    else
      object.report().error(object.position(), "access", text("invalid device access ", json::quoted(access)),
                            "use the letters r, w and m");
  }
  // "a" is no letter of the spec; other runtimes take it for nothing, which must not deny less than asked
  // for.
  const bool says_something = rule.read || rule.write || rule.mknod;
  if (says_something && (rule.allow || !is_all)) return;
  if (rule.allow)
    object.report().error(object.position(), "access", "a rule that allows must say what", "e.g. \"rwm\"");
  rule.read = rule.write = rule.mknod = true;
}

}  // namespace

void read_members(Object& object, Resources& resources) {
  object.optional("devices", resources.devices);
  object.optional("memory", resources.memory);
  object.optional("cpu", resources.cpu);
  object.optional("pids", resources.pids);
  object.optional("blockIO", resources.block_io);
  object.optional("hugepageLimits", resources.hugepage_limits);
  object.optional("network", resources.network);
  object.entries("rdma", resources.rdma);
  object.entries("unified", resources.unified);
}

void read_members(Object& object, DeviceRule& rule) {
  RuleNumber major;
  RuleNumber minor;
  std::string access;
  object.required("allow", rule.allow);
  object.optional("type", rule.type);
  object.optional("major", major);
  object.optional("minor", minor);
  object.optional("access", access);
  rule.major = major.value;
  rule.minor = minor.value;
  if (object.intact()) apply_access(object, rule, access);
}

void read_members(Object& object, Memory& memory) {
  object.optional("limit", memory.limit);
  object.optional("reservation", memory.reservation);
  object.optional("swap", memory.swap);
  object.optional("kernel", memory.kernel);
  object.optional("kernelTCP", memory.kernel_tcp);
  object.optional("swappiness", memory.swappiness);
  object.optional("disableOOMKiller", memory.disable_oom_killer);
  object.optional("useHierarchy", memory.use_hierarchy);
  object.optional("checkBeforeUpdate", memory.check_before_update);
}

void read_members(Object& object, Cpu& cpu) {
  object.optional("shares", cpu.shares);
  object.optional("quota", cpu.quota);
  object.optional("burst", cpu.burst);
  object.optional("period", cpu.period);
  object.optional("realtimeRuntime", cpu.realtime_runtime);
  object.optional("realtimePeriod", cpu.realtime_period);
  object.optional("cpus", cpu.cpus);
  object.optional("mems", cpu.mems);
  object.optional("idle", cpu.idle);
}

void read_members(Object& object, Pids& pids) {
  object.optional("limit", pids.limit);
}

void read_members(Object& object, BlockIo& io) {
  object.optional("weight", io.weight);
  object.optional("leafWeight", io.leaf_weight);
  object.optional("weightDevice", io.weight_devices);
  object.optional("throttleReadBpsDevice", io.throttle_read_bps);
  object.optional("throttleWriteBpsDevice", io.throttle_write_bps);
  object.optional("throttleReadIOPSDevice", io.throttle_read_iops);
  object.optional("throttleWriteIOPSDevice", io.throttle_write_iops);
}

void read_members(Object& object, WeightDevice& device) {
  object.required("major", device.major);
  object.required("minor", device.minor);
  object.optional("weight", device.weight);
  object.optional("leafWeight", device.leaf_weight);
}

void read_members(Object& object, ThrottleDevice& device) {
  object.required("major", device.major);
  object.required("minor", device.minor);
  object.required("rate", device.rate);
}

void read_members(Object& object, HugepageLimit& limit) {
  object.required("pageSize", limit.page_size);
  object.required("limit", limit.limit);
}

void read_members(Object& object, Network& network) {
  object.optional("classID", network.class_id);
  object.optional("priorities", network.priorities);
}

void read_members(Object& object, InterfacePriority& priority) {
  object.required("name", priority.name);
  object.required("priority", priority.priority);
}

void read_members(Object& object, RdmaLimit& limit) {
  object.optional("hcaHandles", limit.hca_handles);
  object.optional("hcaObjects", limit.hca_objects);
}

bool read_entry(Report& report, std::string_view key, json::Value value, RdmaLimit& limit) {
  limit.device = key;
  const bool sane =
      !key.empty() && std::none_of(key.begin(), key.end(), [](char c) { return c >= 0 && c <= ' '; });
  if (!sane) report.error(value, text("invalid RDMA device name ", json::quoted(key)));
  return read(report, value, limit);
}

bool read_entry(Report& report, std::string_view key, json::Value value, UnifiedEntry& entry) {
  entry.file = key;
  entry.position = position_of(value);
  const bool sane =
      !key.empty() && key != "." && key != ".." &&
      std::none_of(key.begin(), key.end(), [](char c) { return c == '/' || (c >= 0 && c <= ' '); });
  if (!sane) report.error(value, text("invalid cgroup file name ", json::quoted(key)));
  return read(report, value, entry.value);
}

}  // namespace davit::spec
