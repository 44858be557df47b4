// SPDX-License-Identifier: Apache-2.0
// The parts of read_statistics(): text of the kernel's counter files to numbers, for v1 and for v2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/features/cgroup_statistics.hpp"

namespace davit::cgroup {

/// A whole file that is one number; "max" is kUnlimited, anything else that is no number 0.
std::uint64_t number_of(std::string_view text);
/// "key value" lines (flat keyed files, Documentation/admin-guide/cgroup-v2.rst).
std::map<std::string, std::uint64_t> keyed_numbers(std::string_view text);
/// The lines of a text, without empty ones.
std::vector<std::string_view> lines_of(std::string_view text);
/// The words of a line.
std::vector<std::string_view> words_of(std::string_view line);
/// "0-2,7" as 0 1 2 7.
std::vector<std::uint32_t> list_of(std::string_view text);
/// "MAJOR:MINOR"; false when it is not.
bool parse_device(std::string_view word, BlockCounter& counter);

/// The value of a key; 0 where it is missing.
inline std::uint64_t value_at(const std::map<std::string, std::uint64_t>& numbers, const std::string& key) {
  const auto found = numbers.find(key);
  return found == numbers.end() ? 0 : found->second;
}

CpuStatistics cpu_v1(CounterFiles& files);
CpuStatistics cpu_v2(CounterFiles& files);
CpusetStatistics cpuset_v1(CounterFiles& files);
CpusetStatistics cpuset_v2(CounterFiles& files);
MemoryStatistics memory_v1(CounterFiles& files);
MemoryStatistics memory_v2(CounterFiles& files);
BlockStatistics block_v1(CounterFiles& files);
BlockStatistics block_v2(CounterFiles& files);
MemoryUse hugepages_v1(CounterFiles& files, const std::string& size);
MemoryUse hugepages_v2(CounterFiles& files, const std::string& size);

/// A file that is one number; 0 where there is none.
inline std::uint64_t read_number(CounterFiles& files, std::string_view controller, const std::string& file) {
  return number_of(files.read(controller, file).value_or(""));
}

}  // namespace davit::cgroup
