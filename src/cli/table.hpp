// SPDX-License-Identifier: Apache-2.0
// Tables as text.
#pragma once

#include <string>
#include <vector>

#include "davit/spec/state.hpp"

namespace davit::cli {

/// Columns as wide as their longest cell and three more, at least 12; the last one ends with the line.
std::string format_table(const std::vector<std::vector<std::string>>& rows);
/// ID PID STATUS BUNDLE CREATED OWNER.
std::string list_table(const std::vector<spec::State>& states);
/// The same with how those that have ended did; "unknown" is what nobody has seen.
std::string long_table(const std::vector<spec::State>& states);

}  // namespace davit::cli
