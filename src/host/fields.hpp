// SPDX-License-Identifier: Apache-2.0
// Texts of procfs, field by field.
#pragma once

#include <string_view>

namespace davit::host {

/// Takes what stands before the separator, and the separator, off the front.
inline std::string_view next_field(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view field = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return field;
}

}  // namespace davit::host
