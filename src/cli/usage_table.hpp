// SPDX-License-Identifier: Apache-2.0
// What containers use, for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "davit/container/lifecycle.hpp"

namespace davit::cli {

/// A container's usage at two moments.
struct UsageSpan {
  std::string id;
  container::Usage before;
  container::Usage after;
  std::int64_t milliseconds = 0;  ///< between both
};

/// ID CPU MEMORY LIMIT SHARE PIDS READ WRITTEN RECEIVED SENT; 100 % of CPU is one CPU.
std::string usage_table(const std::vector<UsageSpan>& spans);
/// "512 B", "1.5 KiB", "20 MiB": at most three digits before the point.
std::string human_bytes(std::uint64_t bytes);

}  // namespace davit::cli
