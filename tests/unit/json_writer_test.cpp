// SPDX-License-Identifier: Apache-2.0
#include "davit/json/writer.hpp"

#include <gtest/gtest.h>

namespace davit::json {
namespace {

TEST(JsonWriter, WritesCompact) {
  Writer writer(Style::compact);
  writer.begin_object().key("a").number(-1).key("b").begin_array().boolean(true).null().end_array();
  writer.key("c").begin_object().end_object().key("d").unsigned_number(UINT64_MAX).end_object();
  EXPECT_EQ(writer.text(), R"({"a":-1,"b":[true,null],"c":{},"d":18446744073709551615})");
}

TEST(JsonWriter, WritesPretty) {
  Writer writer(Style::pretty);
  writer.begin_object()
      .key("a")
      .strings({"x", "y"})
      .key("b")
      .strings({})
      .key("c")
      .begin_object()
      .end_object();
  writer.end_object();
  EXPECT_EQ(writer.text(), "{\n  \"a\": [\n    \"x\",\n    \"y\"\n  ],\n  \"b\": [],\n  \"c\": {}\n}");
}

std::string written(std::string_view value) {
  std::string text;
  append_string(text, value);
  return text;
}

TEST(JsonWriter, EscapesAndStaysUtf8) {
  EXPECT_EQ(written("a\"\\\n\r\t\x01\x7f/"), R"("a\"\\\n\r\t\u0001\u007f/")");
  EXPECT_EQ(written("ä€😀"), "\"ä€😀\"");
  const std::string_view wrong[] = {"\xff",         "\xc0\xaf",         "\xe0\x80\x80",
                                    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"};
  for (const std::string_view bytes : wrong) {
    std::string expected = "\"";
    for (std::size_t i = 0; i < bytes.size(); ++i) expected += "\xef\xbf\xbd";
    EXPECT_EQ(written(bytes), expected + "\"");
  }
}

}  // namespace
}  // namespace davit::json
