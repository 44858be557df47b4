// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"

#include <charconv>
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

/// Takes one number with its unit from the front; a last one without counts seconds.
bool take_part(std::string_view& rest, double& milliseconds) {
  double number = 0;
  const auto parsed =
      std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
  if (parsed.ec != std::errc() || number < 0) return false;
  rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
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
  if (is_good && milliseconds >= 1 && milliseconds <= kLongest)
    return static_cast<std::int64_t>(milliseconds);
  Text<768> message("invalid duration \"");
  message.append(text.substr(0, 40))
      .append(is_good && milliseconds < 1 ? "\": duration interval must be greater than 0" : "\"");
  Error error = make_error(Code::invalid_argument, message);
  return error.advise("write it as 500ms, 5s or 1m30s");
}

}  // namespace davit::cli
