// SPDX-License-Identifier: Apache-2.0
// Messages of D-Bus, to bytes and back.
#include "bus/message.hpp"

#include <gtest/gtest.h>

namespace davit::bus {
namespace {

Call with(std::vector<Value> arguments) {
  return {"org.example.Peer", "/org/example", "org.example.Peer", "Do", std::move(arguments)};
}

/// The bytes of a call, made into those of the answer to it: the type is the second byte, and an answer has
/// to name a serial (field 5, of type u).
std::string encoded(std::vector<Value> arguments) {
  auto bytes = encode(with(std::move(arguments)), 1);
  EXPECT_TRUE(bytes.ok());
  return bytes.ok() ? std::move(*bytes) : std::string();
}

TEST(BusMessage, EveryTypeFits) {
  const std::string bytes = encoded({text("word"),
                                     flag(true),
                                     number(~0ULL),
                                     {.type = "y", .number = 7},
                                     {.type = "i", .number = ~0ULL},
                                     {.type = "d", .real = 1.5},
                                     {.type = "o", .text = "/a/b"},
                                     {.type = "g", .text = "a(st)"},
                                     array("s", {}),
                                     array("(st)", {structure({text("x"), number(1)})}),
                                     variant(array("y", {{.type = "y", .number = 1}}))});
  EXPECT_EQ(message_size(bytes).value(), bytes.size());
  EXPECT_EQ(message_size(bytes.substr(0, 10)).value(), 0U) << "not known from so little";
}

TEST(BusMessage, WhatCannotBeInAMessageIsRefused) {
  for (const Value& bad : {text("\xff"), text(std::string("a\0b", 3)), Value{.type = "o", .text = "no path"},
                           Value{.type = "g", .text = "?"}, Value{.type = "z"}, Value{},
                           array("s", {number(1)}), structure({}), Value{.type = "v"}, array("", {})})
    EXPECT_FALSE(encode(with({bad}), 1).ok()) << bad.type << " " << bad.text;
}

TEST(BusMessage, NonsenseIsAnError) {
  EXPECT_FALSE(message_size(std::string(64, 'x')).ok());
  std::string bytes = encoded({text("word")});
  bytes[bytes.size() - 2] = '\xff';  // in the word
  EXPECT_FALSE(decode(bytes, "").ok());
}

TEST(BusMessage, ACallFromTheOtherSideIsNobodys) {
  const auto incoming = decode(encoded({text("word")}), "Do");
  ASSERT_TRUE(incoming.ok());
  EXPECT_TRUE(std::holds_alternative<Nothing>(*incoming));
}

}  // namespace
}  // namespace davit::bus
