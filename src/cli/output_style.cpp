// SPDX-License-Identifier: Apache-2.0
#include "cli/output_style.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace davit::cli {

namespace {

constexpr unsigned kNarrowest = 20;
constexpr unsigned kWidest = 140;  // a sentence that is longer is hard to read

std::string_view environment(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

explain::Style output_style(int descriptor) {
  explain::Style style;
  const bool is_terminal = ::isatty(descriptor) == 1;
  const std::string_view columns = environment("COLUMNS");
  unsigned wanted = 0;
  (void)std::from_chars(columns.data(), columns.data() + columns.size(), wanted);
  struct winsize size = {};
  if (wanted == 0 && is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0) wanted = size.ws_col;
  if (wanted != 0) style.width = wanted < kNarrowest ? kNarrowest : wanted > kWidest ? kWidest : wanted;
  style.colour = is_terminal && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  return style;
}

}  // namespace davit::cli
