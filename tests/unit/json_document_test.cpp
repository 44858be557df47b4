// SPDX-License-Identifier: Apache-2.0
#include "davit/json/document.hpp"

#include <gtest/gtest.h>

#include <string>

namespace davit::json {
namespace {

using namespace std::string_literals;

/// The only error of a text, as a user sees it; "" when there is none.
std::string complaint(std::string text) {
  const Document::Parsed parsed = Document::parse(std::move(text), "c.json");
  if (parsed.errors.empty()) return parsed.document != nullptr ? "" : "refused without a word";
  EXPECT_EQ(parsed.errors.size(), 1u);
  return std::string(describe(parsed.errors[0]).view());
}

Location location_of(const Document& document, Value value) {
  return document.locate(value.index());
}

TEST(JsonDocument, KnowsValuesAndTheirPlaces) {
  const auto parsed = Document::parse("{\n  \"ä\": [1, {\"b/~\": true}],\n\t\"x\": null }\n", "c.json");
  ASSERT_NE(parsed.document, nullptr);
  const Document& document = *parsed.document;
  const Value list = document.root().find("ä");
  ASSERT_TRUE(list.valid());
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(list.element(0).text(), "1");
  const Value inner = list.element(1).find("b/~");
  EXPECT_TRUE(inner.boolean());
  const Location location = location_of(document, inner);
  EXPECT_EQ(location.line, 2u);
  EXPECT_EQ(location.column, 20u) << "columns count characters";
  EXPECT_EQ(location.pointer.view(), "/ä/1/b~1~0");
  EXPECT_EQ(location_of(document, document.root().find("x")).line, 3u);
  EXPECT_EQ(document.root().find("x").kind(), Kind::null);
  EXPECT_FALSE(document.root().find("y").valid());
  EXPECT_FALSE(list.element(2).valid());
  EXPECT_EQ(document.root().size(), 2u);
}

TEST(JsonDocument, DecodesEscapes) {
  const auto parsed = Document::parse(R"({"a\u0062": "\ud83d\ude00\n\"\\", "n": -1.5e3, "e": ""})", "c.json");
  ASSERT_NE(parsed.document, nullptr);
  const Value root = parsed.document->root();
  EXPECT_EQ(root.find("ab").text(), "\xf0\x9f\x98\x80\n\"\\");
  EXPECT_EQ(root.find("n").text(), "-1.5e3");
  EXPECT_EQ(root.find("e").text(), "");
  EXPECT_EQ(location_of(*parsed.document, root.find("n")).column, 40u);
}

TEST(JsonDocument, NamesBothPlacesOfADuplicateKey) {
  EXPECT_EQ(complaint("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}"),
            "c.json:3:2: /a: the key \"a\" occurs twice, first at 1:2");
  EXPECT_EQ(complaint(R"({"a": {"x": 1, "\u0078": 3}})"),
            "c.json:1:16: /a/x: the key \"x\" occurs twice, first at 1:8");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\": 0, ";
  EXPECT_EQ(complaint(many + "\"k7\": 0}"), "c.json:1:992: /k7: the key \"k7\" occurs twice, first at 1:65");
}

TEST(JsonDocument, ReportsSyntaxErrorsWhereTheyAre) {
  EXPECT_EQ(complaint(""), "c.json:1:1: the file is empty");
  EXPECT_EQ(complaint(" \n\t"), "c.json:1:1: the file is empty");
  EXPECT_EQ(complaint("{\n"), "c.json:2:1: ends in the middle of a value");
  EXPECT_EQ(complaint("{\"a\": tru"), "c.json:1:7: not JSON: a word that JSON does not have");
  EXPECT_EQ(complaint("{} {}"), "c.json:1:4: more text after the end of the JSON document");
  EXPECT_EQ(complaint("{\n \"a\": 1,\n}"), "c.json:2:8: not JSON: this comma is one too many");
  EXPECT_EQ(complaint("[1 2]"), "c.json:1:2: not JSON: a comma is missing after this value");
  EXPECT_EQ(complaint("{\"a\": \"b\"\n \"c\": 1}"),
            "c.json:1:9: not JSON: a comma is missing after this value");
  EXPECT_EQ(complaint("[1,\n]"), "c.json:1:3: not JSON: this comma is one too many");
  EXPECT_EQ(complaint("{\"a\": 1,\n}"), "c.json:1:8: not JSON: this comma is one too many");
  EXPECT_TRUE(complaint("{'a': 1}").starts_with("c.json:1:2: not JSON: ")) << complaint("{'a': 1}");
  EXPECT_TRUE(complaint("{\"a\": 01}").starts_with("c.json:1:8: not JSON: ")) << complaint("{\"a\": 01}");
  EXPECT_TRUE(complaint("{\"a\": NaN}").starts_with("c.json:1:7: not JSON: ")) << complaint("{\"a\": NaN}");
}

TEST(JsonDocument, QuotesNothingOfWhatIsNoJson) {
  for (const char* text :
       {"root:$6$secret:1:0", "secret", "{\"a\": secret}", "[1, secret", "{secret: 1}", "{} secret"})
    EXPECT_EQ(complaint(text).find("secret"), std::string::npos) << complaint(text);
}

TEST(JsonDocument, KnowsItsPlacesInAnyOrder) {
  std::string text = "[\n";
  for (int i = 0; i < 200; ++i) text += "{\"\u00e4\": [" + std::to_string(i) + ", 7]},\n";
  const auto parsed = Document::parse(text + "0]", "c.json");
  ASSERT_NE(parsed.document, nullptr);
  const Value root = parsed.document->root();
  for (const std::size_t i : {150u, 3u, 4u, 199u, 0u, 100u}) {
    const Value inner = root.element(i).find("\u00e4").element(1);
    const Location where = parsed.document->locate(inner.index());
    EXPECT_EQ(where.pointer.view(), "/" + std::to_string(i) + "/\u00e4/1");
    EXPECT_EQ(where.line, i + 2);
    EXPECT_EQ(where.column, 10 + std::to_string(i).size());
  }
}

TEST(JsonDocument, RefusesWhatIsNotText) {
  EXPECT_EQ(complaint("\xef\xbb\xbf{}"), "c.json:1:1: begins with a byte order mark");
  EXPECT_EQ(complaint("\xff\xfe{\0"s), "c.json:1:1: is encoded as UTF-16");
  EXPECT_EQ(complaint("{\"a\":\n \0}"s), "c.json:2:2: holds a NUL byte");
  EXPECT_TRUE(complaint("{\"a\": \"\xc0\xaf\"}").ends_with(": not UTF-8"))
      << complaint("{\"a\": \"\xc0\xaf\"}");
  EXPECT_EQ(complaint(R"(["\ud800"])"), "c.json:1:3: half a surrogate pair: not a character");
  EXPECT_EQ(complaint(R"(["\ude00\ud83d"])"), "c.json:1:3: half a surrogate pair: not a character");
  EXPECT_EQ(complaint(R"(["\ud83d\u0041"])"), "c.json:1:3: half a surrogate pair: not a character");
  EXPECT_EQ(complaint(R"(["\\ud800"])"), "") << "an escaped backslash begins no escape";
}

TEST(JsonDocument, RefusesBombs) {
  EXPECT_EQ(complaint(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_EQ(complaint(std::string(1'000'000, '[')), "c.json:1:65: nested more than 64 levels deep");
  EXPECT_EQ(complaint(std::string(64u << 20, ' ')),
            "c.json:1:1: larger than 16 MiB, which no such document needs to be");
  std::string many = "[0";
  for (int i = 0; i < 1'100'000; ++i) many += ",0";
  EXPECT_TRUE(complaint(many + "]").ends_with("holds more than a million values"));
}

TEST(JsonDocument, QuotesForMessages) {
  EXPECT_EQ(quoted("a\nb\x1b"), "\"a\\u000ab\\u001b\"");
  EXPECT_EQ(quoted("äöü", 3), "\"äö...\"") << "never cut inside a character";
}

TEST(JsonDocument, EscapesControlCharactersInPointers) {
  const auto parsed = Document::parse(R"({"a\nb": 1})", "c.json");
  ASSERT_NE(parsed.document, nullptr);
  EXPECT_EQ(parsed.document->pointer(2), "/a\\u000ab");
}

TEST(JsonDocument, AcceptsAScalarAtTheTop) {
  EXPECT_EQ(Document::parse("12", "c.json").document->root().text(), "12");
  EXPECT_EQ(Document::parse(" \"x\" ", "c.json").document->root().text(), "x");
}

}  // namespace
}  // namespace davit::json
