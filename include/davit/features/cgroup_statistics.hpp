// SPDX-License-Identifier: Apache-2.0
// What the kernel has counted for a container: usage, limits, pressure, and the end by lack of memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/sys/fd.hpp"

namespace davit::cgroup {

/// "No limit", as runc writes it for "max".
inline constexpr std::uint64_t kUnlimited = UINT64_MAX;

/// One line of a pressure file: shares of time in percent, and the total in microseconds
/// (Documentation/accounting/psi.rst).
struct PressureLine {
  std::string average_10 = "0";  ///< as the kernel wrote it, a decimal fraction
  std::string average_60 = "0";
  std::string average_300 = "0";
  std::uint64_t total = 0;
};

struct Pressure {
  PressureLine some;
  PressureLine full;
};

struct CpuStatistics {
  std::uint64_t total = 0;  ///< nanoseconds, as all times here
  std::uint64_t user = 0;
  std::uint64_t kernel = 0;
  std::vector<std::uint64_t> per_cpu;  ///< v1 only, as the next two
  std::vector<std::uint64_t> per_cpu_user;
  std::vector<std::uint64_t> per_cpu_kernel;
  std::uint64_t periods = 0;
  std::uint64_t throttled_periods = 0;
  std::uint64_t throttled_time = 0;
  std::optional<Pressure> pressure;
};

struct CpusetStatistics {
  std::vector<std::uint32_t> cpus;
  std::vector<std::uint32_t> nodes;
  std::map<std::string, std::int64_t> flags;  ///< v1 only, by the name of runc's member
};

/// Bytes.
struct MemoryUse {
  std::uint64_t limit = 0;
  std::uint64_t usage = 0;
  std::uint64_t peak = 0;
  std::uint64_t failures = 0;  ///< how often the limit stood in the way
};

struct MemoryStatistics {
  std::uint64_t cache = 0;
  MemoryUse usage;
  MemoryUse swap;    ///< memory and swap together, on v2 too
  MemoryUse kernel;  ///< v1 only, as the next one
  MemoryUse kernel_tcp;
  std::map<std::string, std::uint64_t> raw;  ///< memory.stat
  std::optional<Pressure> pressure;
};

struct PidsStatistics {
  std::uint64_t current = 0;
  std::uint64_t limit = 0;  ///< 0: none
};

/// A counter of one block device.
struct BlockCounter {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string operation;  ///< "Read", "Write", ...; empty where the kernel does not tell them apart
  std::uint64_t value = 0;
};

struct BlockStatistics {
  std::map<std::string, std::vector<BlockCounter>> counters;  ///< by the name of runc's member
  std::optional<Pressure> pressure;
};

struct RdmaCounter {
  std::string device;
  std::uint64_t hca_handles = 0;
  std::uint64_t hca_objects = 0;
};

struct RdmaStatistics {
  std::vector<RdmaCounter> current;
  std::vector<RdmaCounter> limit;
};

struct Statistics {
  CpuStatistics cpu;
  CpusetStatistics cpuset;
  MemoryStatistics memory;
  PidsStatistics pids;
  BlockStatistics block;
  std::map<std::string, MemoryUse> hugepages;  ///< by page size, "2MB"
  RdmaStatistics rdma;
};

/// Where the text of a container's cgroup files comes from; tests have it from a table.
class CounterFiles {
 public:
  virtual ~CounterFiles() = default;
  /// Whether the controller is one of cgroup v2 here.
  virtual bool is_v2(std::string_view controller) = 0;
  /// Nothing where there is no such file, or no such controller.
  virtual std::optional<std::string> read(std::string_view controller, const std::string& file) = 0;
  /// "2MB", "1GB".
  virtual std::vector<std::string> hugepage_sizes() = 0;
};

/// Numbers from text; what is missing stays 0.
Statistics read_statistics(CounterFiles& files);
/// The same from the cgroups of a place.
Statistics read_statistics(const Place& place);

/// Tells when the OOM killer takes a process of the container.
class OomWatch {
 public:
  /// Code::unsupported where no memory controller counts.
  static Result<OomWatch> open(const Place& place);
  /// To be polled for `events()`.
  [[nodiscard]] sys::FdRef descriptor() const { return event_.valid() ? event_ : file_; }
  /// POLLIN or POLLPRI.
  [[nodiscard]] short events() const;
  /// How often memory ran out since the last call: v2 counts what was killed, v1 what is about to be. An
  /// error once the cgroup is gone.
  Result<std::uint64_t> take();

 private:
  OomWatch(sys::UniqueFd file, sys::UniqueFd event) : file_(std::move(file)), event_(std::move(event)) {}
  [[nodiscard]] Result<std::uint64_t> count() const;

  sys::UniqueFd file_;   ///< memory.events, or memory.oom_control of v1
  sys::UniqueFd event_;  ///< the eventfd of v1
  std::uint64_t seen_ = 0;
};

}  // namespace davit::cgroup
