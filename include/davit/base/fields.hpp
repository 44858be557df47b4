// SPDX-License-Identifier: Apache-2.0
// Texts of the kernel, of programs and of /etc, part by part. A separator at the end has no part behind it.
#pragma once

#include <algorithm>
#include <string_view>

namespace davit {

/// Takes what stands before the separator, and the separator, off the front.
inline std::string_view next_field(std::string_view& rest, char separator) {
  const std::string_view field = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(field.size() + 1, rest.size()));
  return field;
}

/// The same with lines.
inline std::string_view next_line(std::string_view& rest) {
  return next_field(rest, '\n');
}

/// The same with words; there may be more than one space before each.
inline std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return next_field(rest, ' ');
}

}  // namespace davit
