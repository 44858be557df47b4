// SPDX-License-Identifier: Apache-2.0
#include "davit/base/fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace davit {
namespace {

std::vector<std::string> parts(std::string_view text, std::string_view (*next)(std::string_view&)) {
  std::vector<std::string> found;
  while (!text.empty()) found.emplace_back(next(text));
  return found;
}
using Parts = std::vector<std::string>;

TEST(Fields, EndWithTheirSeparatorOrTheText) {
  const auto next = [](std::string_view& rest) { return next_field(rest, ':'); };
  EXPECT_EQ(parts("a:bc:d", next), (Parts{"a", "bc", "d"}));
  EXPECT_EQ(parts(":a::b:", next), (Parts{"", "a", "", "b"}));
  EXPECT_EQ(parts("", next), Parts());
  std::string_view none;
  EXPECT_EQ(next_field(none, ':'), "");
}

TEST(Fields, LinesAndWords) {
  EXPECT_EQ(parts("one\n\ntwo\n", next_line), (Parts{"one", "", "two"}));
  EXPECT_EQ(parts("  eth0:   1  2", next_word), (Parts{"eth0:", "1", "2"}));
  std::string_view spaces = "   ";
  EXPECT_EQ(next_word(spaces), "");
  EXPECT_TRUE(spaces.empty());
}

}  // namespace
}  // namespace davit
