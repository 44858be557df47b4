// SPDX-License-Identifier: Apache-2.0
#include "cli/usage_table.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/table.hpp"

namespace davit::cli {
namespace {

// v1 writes "no limit" as the largest multiple of a page.
constexpr std::uint64_t kNoLimit = UINT64_C(1) << 62;

std::string percent(double part, double whole) {
  if (whole <= 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * part / whole);
  return text;
}

std::string cpu_share(const UsageSpan& span) {
  const std::uint64_t before = span.before.cgroup.cpu.total;
  const std::uint64_t after = std::max(span.after.cgroup.cpu.total, before);
  return percent(static_cast<double>(after - before), static_cast<double>(span.milliseconds) * 1e6);
}

std::uint64_t transferred(const container::Usage& usage, std::string_view operation) {
  const auto& counters = usage.cgroup.block.counters;
  const auto found = counters.find("ioServiceBytesRecursive");
  if (found == counters.end()) return 0;
  std::uint64_t bytes = 0;
  for (const cgroup::BlockCounter& counter : found->second)
    if (counter.operation == operation) bytes += counter.value;
  return bytes;
}

std::vector<std::string> row(const UsageSpan& span) {
  const cgroup::Statistics& now = span.after.cgroup;
  const bool is_limited = now.memory.usage.limit > 0 && now.memory.usage.limit < kNoLimit;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  for (const container::InterfaceCounters& interface : span.after.interfaces) {
    if (interface.name == "lo") continue;
    received += interface.received_bytes;
    sent += interface.sent_bytes;
  }
  return {span.id,
          cpu_share(span),
          human_bytes(now.memory.usage.usage),
          is_limited ? human_bytes(now.memory.usage.limit) : "-",
          is_limited ? percent(static_cast<double>(now.memory.usage.usage),
                               static_cast<double>(now.memory.usage.limit))
                     : "-",
          std::to_string(now.pids.current),
          human_bytes(transferred(span.after, "Read")),
          human_bytes(transferred(span.after, "Write")),
          human_bytes(received),
          human_bytes(sent)};
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string usage_table(const std::vector<UsageSpan>& spans) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "CPU", "MEMORY", "LIMIT", "SHARE", "PIDS", "READ", "WRITTEN", "RECEIVED", "SENT"}};
  for (const UsageSpan& span : spans) rows.push_back(row(span));
  return format_table(rows);
}

}  // namespace davit::cli
