// SPDX-License-Identifier: Apache-2.0
// Documents as text: columns, line breaks, colours, and what must not reach a terminal.
#include <gtest/gtest.h>

#include <sstream>

#include "davit/explain/render.hpp"

namespace davit::explain {
namespace {

using Lines = std::vector<std::string>;

Document sample() {
  Section first{"mounts", "Mounts", {}};
  first.lines.push_back(
      {"/", "bind of /a/rather/long/path/that/has/no/space/in/it/anywhere/at/all/to/break", {3, 7, "/root"}});
  first.lines.push_back({"/proc", "a new proc", {12, 5, "/mounts/0"}, Tone::plain, 1});
  first.lines.push_back(
      {"/a/target/that/is/too/long/for/the/column/of/labels", "tmpfs", {140, 11, "/mounts/1"}, Tone::bad, 1});
  return {"A title", {first, {"empty", "Nothing", {{"", "none"}}}}};
}

TEST(Shown, ControlCharactersAreEscaped) {
  EXPECT_EQ(shown("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(shown("\xc2\x9b"
                  "31m"),
            "\\xc2\\x9b31m")
      << "CSI in one character";
  EXPECT_EQ(shown("a\xe2\x80\xae"
                  "b"),
            "a\\xe2\\x80\\xaeb")
      << "right-to-left override";
  EXPECT_EQ(shown("\xff"), "\\xff");
  EXPECT_EQ(shown("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("", 7), (Lines{""}));
}

TEST(Wrap, BreaksWithinAWordThatIsTooLong) {
  EXPECT_EQ(wrap("ab cdefghij", 4), (Lines{"ab", "cdef", "ghij"}));
  EXPECT_EQ(wrap("\xc3\xbc\xc3\xbc\xc3\xbc", 2), (Lines{"\xc3\xbc\xc3\xbc", "\xc3\xbc"}));
}

TEST(Render, TheLastColumnIsThePlace) {
  const std::string text = text_of(sample(), {});
  EXPECT_NE(text.find("  a new proc"), std::string::npos) << text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("a new proc") == std::string::npos) continue;
    EXPECT_TRUE(line.ends_with(" 12:5")) << line;
    EXPECT_EQ(line.size(), 80U);
  }
}

TEST(Render, NoWidthIsTooSmall) {
  for (unsigned width = 20; width < 130; ++width) {
    std::istringstream lines(text_of(sample(), {width, false}));
    for (std::string line; std::getline(lines, line);) ASSERT_LE(columns_of(line), width) << line;
  }
}

TEST(Render, ColoursOnlyWhereAsked) {
  EXPECT_EQ(text_of(sample(), {}).find('\x1b'), std::string::npos);
  EXPECT_NE(text_of(sample(), {80, true}).find("\x1b[31mtmpfs\x1b[0m"), std::string::npos);
}

TEST(Render, JsonHasThePlaces) {
  const std::string json = json_of(sample());
  EXPECT_NE(json.find("\"pointer\": \"/mounts/0\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"tone\": \"bad\""), std::string::npos) << json;
}

TEST(Difference, SameLabelsBelowOthersAreOthers) {
  Document left{"", {{"m", "M", {{"/dev", "tmpfs"}, {"/pts", "devpts", {}, Tone::plain, 1}}}}};
  Document right{"",
                 {{"m", "M", {{"/dev", "tmpfs"}, {"/x", "tmpfs"}, {"/pts", "devpts", {}, Tone::plain, 1}}}}};
  const std::string text = difference(left, right, {});
  EXPECT_NE(text.find("- /pts"), std::string::npos) << text;
  EXPECT_NE(text.find("+ /pts"), std::string::npos) << text;
  EXPECT_EQ(text.find("/dev"), std::string::npos) << text;
}

}  // namespace
}  // namespace davit::explain
