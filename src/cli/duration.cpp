// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"

#include <cmath>
#include <string>

namespace davit::cli {
namespace {

struct Unit {
  std::string_view name;
  double milliseconds;
};
// "ms" before "m", which it begins with.
constexpr Unit kUnits[] = {{"ms", 1},   {"us", 0.001}, {"ns", 0.000001},
                           {"s", 1000}, {"m", 60000},  {"h", 3600000}};
constexpr double kLongest = 1e12;  ///< thirty years

/// Digits, and more of them behind a point. By hand: for a double, std::from_chars brings locales into the
/// program.
bool take_number(std::string_view& rest, double& number) {
  std::size_t length = 0, digits = 0;
  double scale = 0;  // of the next digit behind the point
  for (; length < rest.size(); ++length) {
    const char character = rest[length];
    if (character == '.' && scale == 0) {
      scale = 0.1;
    } else if (character >= '0' && character <= '9') {
      const double digit = character - '0';
      number = scale == 0 ? number * 10 + digit : number + digit * scale;
      scale /= 10;
      ++digits;
    } else {
      break;
    }
  }
  rest.remove_prefix(length);
  return digits > 0;
}

/// Takes one number with its unit from the front; a last one without counts seconds.
bool take_part(std::string_view& rest, double& milliseconds) {
  double number = 0;
  if (!take_number(rest, number)) return false;
  if (rest.empty()) {
    milliseconds += number * 1000;
    return true;
  }
  for (const Unit& unit : kUnits) {
    if (!rest.starts_with(unit.name)) continue;
    rest.remove_prefix(unit.name.size());
    milliseconds += number * unit.milliseconds;
    return true;
  }
  return false;
}

}  // namespace

Result<std::int64_t> parse_duration(std::string_view text) {
  std::string_view rest = text;
  double milliseconds = 0;
  bool is_good = !rest.empty();
  while (is_good && !rest.empty()) is_good = take_part(rest, milliseconds);
  if (is_good && milliseconds >= 1 && milliseconds <= kLongest) return std::llround(milliseconds);
  Text<768> message("invalid duration \"");
  message.append(text.substr(0, 40))
      .append(is_good && milliseconds < 1 ? "\": duration interval must be greater than 0" : "\"");
  Error error = make_error(Code::invalid_argument, message);
  return error.advise("write it as 500ms, 5s or 1m30s");
}

}  // namespace davit::cli
