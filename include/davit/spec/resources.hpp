// SPDX-License-Identifier: Apache-2.0
// The `linux.resources` object of runtime-spec 1.3; also the document of `update --resources`.
// An absent value is an empty optional or an empty list and means "leave it alone".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/spec/position.hpp"

namespace davit::spec {

enum class DeviceRuleType : std::uint8_t { all, character, block };

/// One rule of the device cgroup, to be applied in list order.
struct DeviceRule {
  bool allow = false;
  DeviceRuleType type = DeviceRuleType::all;
  std::optional<std::uint32_t> major;  ///< absent: every major (also written as -1)
  std::optional<std::uint32_t> minor;  ///< absent: every minor (also written as -1)
  bool read = false;                   ///< `r` in access; an absent access means all three
  bool write = false;                  ///< `w`
  bool mknod = false;                  ///< `m`
  Position position;
};

/// Bytes; -1 is unlimited. `swap` counts memory plus swap.
struct Memory {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> reservation;
  std::optional<std::int64_t> swap;
  std::optional<std::int64_t> kernel;
  std::optional<std::int64_t> kernel_tcp;
  std::optional<std::uint64_t> swappiness;  ///< 0..100
  std::optional<bool> disable_oom_killer;
  std::optional<bool> use_hierarchy;
  bool check_before_update = false;
  Position position;
};

/// Times in microseconds.
struct Cpu {
  std::optional<std::uint64_t> shares;
  std::optional<std::int64_t> quota;  ///< -1: no limit
  std::optional<std::uint64_t> burst;
  std::optional<std::uint64_t> period;
  std::optional<std::int64_t> realtime_runtime;
  std::optional<std::uint64_t> realtime_period;
  std::string cpus;  ///< a list like "0-3,7", or empty
  std::string mems;
  std::optional<std::int64_t> idle;
  Position position;
};

struct Pids {
  std::optional<std::int64_t> limit;  ///< -1: no limit
  Position position;
};

struct WeightDevice {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  Position position;
};

struct ThrottleDevice {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint64_t rate = 0;  ///< bytes or operations per second
  Position position;
};

struct BlockIo {
  std::optional<std::uint16_t> weight;
  std::optional<std::uint16_t> leaf_weight;
  std::vector<WeightDevice> weight_devices;
  std::vector<ThrottleDevice> throttle_read_bps;
  std::vector<ThrottleDevice> throttle_write_bps;
  std::vector<ThrottleDevice> throttle_read_iops;
  std::vector<ThrottleDevice> throttle_write_iops;
  Position position;
};

/// `page_size` is checked against `<number>{K,M,G}B`, so it is safe as a part of a file name.
struct HugepageLimit {
  std::string page_size;
  std::uint64_t limit = 0;
  Position position;
};

struct InterfacePriority {
  std::string name;
  std::uint32_t priority = 0;
  Position position;
};

struct Network {
  std::optional<std::uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
  Position position;
};

/// At least one of the two is set.
struct RdmaLimit {
  std::string device;
  std::optional<std::uint32_t> hca_handles;
  std::optional<std::uint32_t> hca_objects;
  Position position;
};

/// A file of the cgroup v2 directory and what to write into it; `file` has no slash and is no dot name.
struct UnifiedEntry {
  std::string file;
  std::string value;
  Position position;
};

struct Resources {
  std::vector<DeviceRule> devices;
  Memory memory;
  Cpu cpu;
  Pids pids;
  BlockIo block_io;
  std::vector<HugepageLimit> hugepage_limits;
  Network network;
  std::vector<RdmaLimit> rdma;
  std::vector<UnifiedEntry> unified;
  Position position;
};

}  // namespace davit::spec
