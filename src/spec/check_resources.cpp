// SPDX-License-Identifier: Apache-2.0
#include "spec/sections.hpp"

namespace davit::spec {
namespace {

/// Engines written in Go send 0 for what they do not want to set.
template <typename T>
void forget_zero(std::optional<T>& value) {
  if (value == T{0}) value.reset();
}

/// A value of which -1 means unlimited.
void check_limit(Report& report, const Position& position, std::string_view below,
                 const std::optional<std::int64_t>& value) {
  if (value.value_or(0) < -1) report.error(position, below, "must be -1 (unlimited) or more");
}

void check_weight(Report& report, const Position& position, std::string_view below,
                  std::optional<std::uint16_t>& weight) {
  constexpr std::uint16_t kLeast = 10;
  constexpr std::uint16_t kMost = 1000;
  forget_zero(weight);
  if (weight && (*weight < kLeast || *weight > kMost))
    report.error(position, below, text("must be between 10 and 1000, is ", std::to_string(*weight)));
}

}  // namespace

void check(Report& report, Memory& memory) {
  const std::pair<std::string_view, std::optional<std::int64_t>*> limits[] = {
      {"limit", &memory.limit},
      {"reservation", &memory.reservation},
      {"swap", &memory.swap},
      {"kernel", &memory.kernel},
      {"kernelTCP", &memory.kernel_tcp}};
  for (const auto& [key, value] : limits) {
    forget_zero(*value);
    check_limit(report, memory.position, key, *value);
  }
  if (memory.limit && memory.swap && *memory.swap != -1 &&
      (*memory.limit == -1 || *memory.swap < *memory.limit))
    report.error(memory.position, "swap", "must not be below the memory limit, which it includes");
  if (memory.kernel.value_or(0) > 0)
    report.warning(memory.position, "kernel",
                   "kernel memory settings are ignored: the kernel has no such limit");
  if (memory.swappiness.value_or(0) > 100)
    report.error(memory.position, "swappiness", "must be between 0 and 100");
}

void check(Report& report, Cpu& cpu) {
  forget_zero(cpu.shares);
  forget_zero(cpu.quota);
  forget_zero(cpu.period);
  forget_zero(cpu.realtime_runtime);
  forget_zero(cpu.realtime_period);
  if (cpu.quota.value_or(0) < 0) cpu.quota = -1;
  if (cpu.burst && cpu.quota.value_or(-1) > 0 && *cpu.burst > static_cast<std::uint64_t>(*cpu.quota))
    report.error(cpu.position, "burst", "must not be above the quota");
  if (cpu.idle && *cpu.idle != 0 && *cpu.idle != 1) report.error(cpu.position, "idle", "must be 0 or 1");
  check_list(report, cpu.position, "cpus", cpu.cpus);
  check_list(report, cpu.position, "mems", cpu.mems);
}

void check(Report&, Pids& pids) {
  if (pids.limit.value_or(0) < 0) pids.limit = -1;
}

void check(Report& report, BlockIo& io) {
  check_weight(report, io.position, "weight", io.weight);
  check_weight(report, io.position, "leafWeight", io.leaf_weight);
}

void check(Report& report, WeightDevice& device) {
  check_device_number(report, device.position, device.major, device.minor);
  check_weight(report, device.position, "weight", device.weight);
  check_weight(report, device.position, "leafWeight", device.leaf_weight);
  if (!device.weight && !device.leaf_weight)
    report.error(device.position, {}, "must have a weight or a leafWeight");
}

void check(Report& report, ThrottleDevice& device) {
  check_device_number(report, device.position, device.major, device.minor);
}

void check(Report& report, HugepageLimit& limit) {
  std::string_view size = limit.page_size;
  bool sane = size.size() >= 3 && size.back() == 'B';
  if (sane) {
    const char unit = size[size.size() - 2];
    size.remove_suffix(2);
    sane = (unit == 'K' || unit == 'M' || unit == 'G') && size.front() != '0' &&
           size.find_first_not_of("0123456789") == std::string_view::npos;
  }
  if (!sane)
    report.error(limit.position, "pageSize", text("invalid page size ", json::quoted(limit.page_size)),
                 "a number followed by KB, MB or GB, e.g. \"2MB\"");
}

void check(Report& report, InterfacePriority& priority) {
  check_interface(report, priority.position, "name", priority.name);
}

void check(Report& report, RdmaLimit& limit) {
  if (!limit.hca_handles && !limit.hca_objects)
    report.error(limit.position, {}, "must have hcaHandles or hcaObjects");
}

}  // namespace davit::spec
