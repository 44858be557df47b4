// SPDX-License-Identifier: Apache-2.0
// The names of capabilities(7), by number.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace davit::credentials {

/// "CAP_CHOWN" and so on, each at its number.
std::span<const std::string_view> capability_names();
/// The number of a name that begins with "CAP_"; the case of the rest does not matter.
std::optional<int> capability_number(std::string_view name);

}  // namespace davit::credentials
