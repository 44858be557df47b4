// SPDX-License-Identifier: Apache-2.0
// The text of a schemata file.
#pragma once

#include <string_view>

namespace davit::resctrl {

/// The line about one resource ("L3", "MB") without blanks around it, or empty.
std::string_view line_in(std::string_view file, std::string_view resource);

}  // namespace davit::resctrl
