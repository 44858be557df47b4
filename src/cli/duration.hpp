// SPDX-License-Identifier: Apache-2.0
// Durations as callers of runc write them.
#pragma once

#include <cstdint>
#include <string_view>

#include "davit/base/result.hpp"

namespace davit::cli {

/// "5s", "500ms", "1m30s", "1.5h", and a plain number of seconds; milliseconds, more than 0.
Result<std::int64_t> parse_duration(std::string_view text);

}  // namespace davit::cli
