// SPDX-License-Identifier: Apache-2.0
// Names of signals as users and engines write them.
#pragma once

#include <string_view>
#include <vector>

#include "davit/base/result.hpp"

namespace davit::container {

/// "TERM", "SIGTERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1"; a number must be one that Linux knows
/// (1..64), or 0, which disturbs nobody and only tells whether there is a process.
Result<int> parse_signal(std::string_view text);

/// "HUP", "INT", ...: one for each signal that has a name.
std::vector<std::string_view> signal_names();

}  // namespace davit::container
