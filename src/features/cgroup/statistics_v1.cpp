// SPDX-License-Identifier: Apache-2.0
// Counter files of cgroup v1 (Documentation/admin-guide/cgroup-v1/).
#include <unistd.h>

#include <charconv>

#include "features/cgroup/statistics.hpp"

namespace davit::cgroup {
namespace {

constexpr std::uint64_t kPerSecond = 1000000000;

std::uint64_t nanoseconds(std::uint64_t ticks) {
  return ticks * (kPerSecond / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

MemoryUse memory_use(CounterFiles& files, const std::string& prefix) {
  return {.limit = read_number(files, "memory", prefix + ".limit_in_bytes"),
          .usage = read_number(files, "memory", prefix + ".usage_in_bytes"),
          .peak = read_number(files, "memory", prefix + ".max_usage_in_bytes"),
          .failures = read_number(files, "memory", prefix + ".failcnt")};
}

/// "cpu user system" and then a line for each CPU.
void read_per_cpu(std::string_view text, CpuStatistics& cpu) {
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() != 3 || words[0] == "cpu") continue;
    cpu.per_cpu_user.push_back(number_of(words[1]));
    cpu.per_cpu_kernel.push_back(number_of(words[2]));
  }
}

/// "8:0 Read 123", or "8:0 123" where operations are not told apart; the last line is a total.
std::vector<BlockCounter> block_counters(std::string_view text) {
  std::vector<BlockCounter> counters;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    BlockCounter counter;
    if (words.size() < 2 || !parse_device(words[0], counter)) continue;
    if (words.size() > 2) counter.operation = words[1];
    counter.value = number_of(words.back());
    counters.push_back(std::move(counter));
  }
  return counters;
}

}  // namespace

CpuStatistics cpu_v1(CounterFiles& files) {
  CpuStatistics cpu;
  cpu.total = read_number(files, "cpuacct", "cpuacct.usage");
  const auto ticks = keyed_numbers(files.read("cpuacct", "cpuacct.stat").value_or(""));
  cpu.user = nanoseconds(value_at(ticks, "user"));
  cpu.kernel = nanoseconds(value_at(ticks, "system"));
  const std::string per_cpu = files.read("cpuacct", "cpuacct.usage_percpu").value_or("");
  for (const std::string_view line : lines_of(per_cpu))
    for (const std::string_view word : words_of(line)) cpu.per_cpu.push_back(number_of(word));
  read_per_cpu(files.read("cpuacct", "cpuacct.usage_all").value_or(""), cpu);
  const auto throttling = keyed_numbers(files.read("cpu", "cpu.stat").value_or(""));
  cpu.periods = value_at(throttling, "nr_periods");
  cpu.throttled_periods = value_at(throttling, "nr_throttled");
  cpu.throttled_time = value_at(throttling, "throttled_time");
  return cpu;
}

CpusetStatistics cpuset_v1(CounterFiles& files) {
  CpusetStatistics cpuset;
  cpuset.cpus = list_of(files.read("cpuset", "cpuset.cpus").value_or(""));
  cpuset.nodes = list_of(files.read("cpuset", "cpuset.mems").value_or(""));
  constexpr const char* kFlags[] = {"cpu_exclusive",   "mem_hardwall",       "mem_exclusive",
                                    "memory_migrate",  "memory_spread_page", "memory_spread_slab",
                                    "memory_pressure", "sched_load_balance", "sched_relax_domain_level"};
  for (const char* flag : kFlags) {
    const auto text = files.read("cpuset", std::string("cpuset.") + flag);
    if (!text) continue;
    std::int64_t value = 0;
    std::from_chars(text->data(), text->data() + text->size(), value);
    cpuset.flags[flag] = value;
  }
  return cpuset;
}

MemoryStatistics memory_v1(CounterFiles& files) {
  MemoryStatistics memory;
  memory.raw = keyed_numbers(files.read("memory", "memory.stat").value_or(""));
  memory.cache = value_at(memory.raw, "cache");
  memory.usage = memory_use(files, "memory");
  memory.swap = memory_use(files, "memory.memsw");
  memory.kernel = memory_use(files, "memory.kmem");
  memory.kernel_tcp = memory_use(files, "memory.kmem.tcp");
  return memory;
}

BlockStatistics block_v1(CounterFiles& files) {
  struct Name {
    const char* member;
    std::vector<const char*> files;  ///< the first that counts anything
  };
  const Name names[] = {
      {"ioServiceBytesRecursive",
       {"bfq.io_service_bytes_recursive", "io_service_bytes_recursive", "throttle.io_service_bytes_recursive",
        "throttle.io_service_bytes"}},
      {"ioServicedRecursive",
       {"bfq.io_serviced_recursive", "io_serviced_recursive", "throttle.io_serviced_recursive",
        "throttle.io_serviced"}},
      {"ioQueuedRecursive", {"bfq.io_queued_recursive", "io_queued_recursive"}},
      {"ioServiceTimeRecursive", {"bfq.io_service_time_recursive", "io_service_time_recursive"}},
      {"ioWaitTimeRecursive", {"bfq.io_wait_time_recursive", "io_wait_time_recursive"}},
      {"ioMergedRecursive", {"bfq.io_merged_recursive", "io_merged_recursive"}},
      {"ioTimeRecursive", {"bfq.time_recursive", "time_recursive"}},
      {"sectorsRecursive", {"bfq.sectors_recursive", "sectors_recursive"}},
  };
  BlockStatistics statistics;
  for (const Name& name : names) {
    for (const char* file : name.files) {
      auto counters = block_counters(files.read("blkio", std::string("blkio.") + file).value_or(""));
      if (counters.empty()) continue;
      statistics.counters[name.member] = std::move(counters);
      break;
    }
  }
  return statistics;
}

MemoryUse hugepages_v1(CounterFiles& files, const std::string& size) {
  const std::string prefix = "hugetlb." + size;
  return {.limit = read_number(files, "hugetlb", prefix + ".limit_in_bytes"),
          .usage = read_number(files, "hugetlb", prefix + ".usage_in_bytes"),
          .peak = read_number(files, "hugetlb", prefix + ".max_usage_in_bytes"),
          .failures = read_number(files, "hugetlb", prefix + ".failcnt")};
}

}  // namespace davit::cgroup
