// SPDX-License-Identifier: Apache-2.0
// What both translators need to put a list of settings together.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "features/cgroup/settings.hpp"

namespace davit::cgroup {

/// Collects settings of one controller for one object of the config.
class Collector {
 public:
  Collector(std::vector<Setting>& settings, const char* controller, const spec::Position& position)
      : settings_(settings), controller_(controller), position_(position) {}

  Setting& add(std::string file, std::string value, const char* below) {
    settings_.push_back({controller_, std::move(file), std::move(value), position_, below});
    return settings_.back();
  }
  /// For a member that this version of cgroups does not have.
  [[nodiscard]] Error refuse(const char* below, std::string_view why) const {
    return spec::at(position_, below, make_error(Code::unsupported, why));
  }
  [[nodiscard]] Error invalid(const char* below, std::string_view why) const {
    return spec::at(position_, below, make_error(Code::invalid_config, why));
  }

 private:
  std::vector<Setting>& settings_;
  const char* controller_;
  const spec::Position& position_;
};

inline std::string device_number(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + ":" + std::to_string(minor);
}

/// "hca_handle=1 hca_object=2" after the device's name.
inline std::string rdma_value(const spec::RdmaLimit& limit) {
  std::string value = limit.device;
  if (limit.hca_handles) value += " hca_handle=" + std::to_string(*limit.hca_handles);
  if (limit.hca_objects) value += " hca_object=" + std::to_string(*limit.hca_objects);
  return value;
}

/// Absent and 0 both mean "nothing asked for" where engines always write the member.
template <typename Number>
bool given(const std::optional<Number>& value) {
  return value.value_or(0) != 0;
}

inline void add_pids(const spec::Pids& pids, std::vector<Setting>& settings) {
  if (!pids.limit) return;
  const std::string value = *pids.limit < 0 ? "max" : std::to_string(*pids.limit);
  Collector(settings, "pids", pids.position).add("pids.max", value, "limit");
}

/// What no version of cgroups takes as limits of memory.
inline Result<void> check_memory(const spec::Memory& memory, const Collector& to) {
  const auto check = [&](const std::optional<std::int64_t>& bytes, const char* below) -> Result<void> {
    if (bytes.value_or(0) < -1) return to.invalid(below, "must be a number of bytes, or -1 for no limit");
    return {};
  };
  TRY(check(memory.limit, "limit"));
  TRY(check(memory.swap, "swap"));
  TRY(check(memory.reservation, "reservation"));
  TRY(check(memory.kernel_tcp, "kernelTCP"));
  if (memory.limit.value_or(0) > 0 && memory.swap.value_or(0) > 0 && *memory.swap < *memory.limit)
    return to.invalid("swap", "memory+swap limit should be >= memory limit");
  if (memory.use_hierarchy == false)
    return to.refuse("useHierarchy", "memory is always accounted with that of the cgroups below");
  return {};
}

}  // namespace davit::cgroup
