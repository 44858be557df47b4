// SPDX-License-Identifier: Apache-2.0
// Counter files of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst).
#include "features/cgroup/statistics.hpp"

namespace davit::cgroup {
namespace {

constexpr std::uint64_t kPerMicrosecond = 1000;

/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0".
PressureLine pressure_line(const std::vector<std::string_view>& words) {
  PressureLine line;
  for (const std::string_view word : words) {
    const std::size_t at = word.find('=');
    if (at == std::string_view::npos) continue;
    const std::string_view key = word.substr(0, at);
    const std::string_view value = word.substr(at + 1);
    if (key == "avg10") line.average_10 = value;
    if (key == "avg60") line.average_60 = value;
    if (key == "avg300") line.average_300 = value;
    if (key == "total") line.total = number_of(value);
  }
  return line;
}

std::optional<Pressure> pressure(CounterFiles& files, std::string_view controller, const std::string& file) {
  const auto text = files.read(controller, file);
  // A kernel that was told not to count answers with an error, or with nothing.
  if (!text || text->empty()) return {};
  Pressure found;
  for (const std::string_view line : lines_of(*text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.front() == "some") found.some = pressure_line(words);
    if (words.front() == "full") found.full = pressure_line(words);
  }
  return found;
}

MemoryUse memory_use(CounterFiles& files, const std::string& prefix) {
  return {.limit = read_number(files, "memory", prefix + ".max"),
          .usage = read_number(files, "memory", prefix + ".current"),
          .peak = read_number(files, "memory", prefix + ".peak")};
}

/// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6".
void add_io_line(std::string_view line, BlockStatistics& statistics) {
  struct Name {
    std::string_view key;
    const char* member;
    const char* operation;
  };
  constexpr Name kNames[] = {
      {"rbytes", "ioServiceBytesRecursive", "Read"},    {"wbytes", "ioServiceBytesRecursive", "Write"},
      {"dbytes", "ioServiceBytesRecursive", "Discard"}, {"rios", "ioServicedRecursive", "Read"},
      {"wios", "ioServicedRecursive", "Write"},         {"dios", "ioServicedRecursive", "Discard"},
  };
  const std::vector<std::string_view> words = words_of(line);
  BlockCounter counter;
  if (!parse_device(words.front(), counter)) return;
  for (const std::string_view word : words) {
    for (const Name& name : kNames) {
      if (word.size() <= name.key.size() || !word.starts_with(name.key) || word[name.key.size()] != '=')
        continue;
      counter.operation = name.operation;
      counter.value = number_of(word.substr(name.key.size() + 1));
      statistics.counters[name.member].push_back(counter);
    }
  }
}

}  // namespace

CpuStatistics cpu_v2(CounterFiles& files) {
  const auto numbers = keyed_numbers(files.read("cpu", "cpu.stat").value_or(""));
  CpuStatistics cpu;
  cpu.total = value_at(numbers, "usage_usec") * kPerMicrosecond;
  cpu.user = value_at(numbers, "user_usec") * kPerMicrosecond;
  cpu.kernel = value_at(numbers, "system_usec") * kPerMicrosecond;
  cpu.periods = value_at(numbers, "nr_periods");
  cpu.throttled_periods = value_at(numbers, "nr_throttled");
  cpu.throttled_time = value_at(numbers, "throttled_usec") * kPerMicrosecond;
  cpu.pressure = pressure(files, "cpu", "cpu.pressure");
  return cpu;
}

CpusetStatistics cpuset_v2(CounterFiles& files) {
  return {.cpus = list_of(files.read("cpuset", "cpuset.cpus.effective").value_or("")),
          .nodes = list_of(files.read("cpuset", "cpuset.mems.effective").value_or("")),
          .flags = {}};
}

MemoryStatistics memory_v2(CounterFiles& files) {
  MemoryStatistics memory;
  memory.raw = keyed_numbers(files.read("memory", "memory.stat").value_or(""));
  memory.cache = value_at(memory.raw, "file");
  memory.usage = memory_use(files, "memory");
  memory.usage.failures = value_at(keyed_numbers(files.read("memory", "memory.events").value_or("")), "max");
  // v2 counts swap alone; readers of this have always had the sum.
  memory.swap = memory_use(files, "memory.swap");
  memory.swap.usage += memory.usage.usage;
  if (memory.swap.limit != kUnlimited)
    memory.swap.limit =
        memory.usage.limit == kUnlimited ? kUnlimited : memory.swap.limit + memory.usage.limit;
  memory.swap.failures =
      value_at(keyed_numbers(files.read("memory", "memory.swap.events").value_or("")), "max");
  memory.pressure = pressure(files, "memory", "memory.pressure");
  return memory;
}

BlockStatistics block_v2(CounterFiles& files) {
  BlockStatistics statistics;
  const std::string text = files.read("blkio", "io.stat").value_or("");
  for (const std::string_view line : lines_of(text)) add_io_line(line, statistics);
  statistics.pressure = pressure(files, "blkio", "io.pressure");
  return statistics;
}

MemoryUse hugepages_v2(CounterFiles& files, const std::string& size) {
  const std::string prefix = "hugetlb." + size;
  const auto events = keyed_numbers(files.read("hugetlb", prefix + ".events").value_or(""));
  return {.limit = read_number(files, "hugetlb", prefix + ".max"),
          .usage = read_number(files, "hugetlb", prefix + ".current"),
          .failures = value_at(events, "max")};
}

}  // namespace davit::cgroup
