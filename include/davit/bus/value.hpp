// SPDX-License-Identifier: Apache-2.0
// Values of D-Bus, of any type, as trees: what messages are made of.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace davit::bus {

/// One value of one complete type ("s", "t", "as", "a(st)", "v").
struct Value {
  std::string type;
  std::string text{};          ///< of s, o and g
  std::uint64_t number = 0;    ///< of y, b, n, q, i, u, x and t; negative ones sign-extended
  double real = 0;             ///< of d
  std::vector<Value> parts{};  ///< elements of an array, members of a structure, the content of a variant

  bool operator==(const Value&) const = default;
};

inline Value text(std::string value) {
  return {.type = "s", .text = std::move(value)};
}
inline Value flag(bool value) {
  return {.type = "b", .number = value ? 1U : 0U};
}
inline Value number(std::uint64_t value) {
  return {.type = "t", .number = value};
}
/// `element`: the type of each part.
inline Value array(const std::string& element, std::vector<Value> parts) {
  return {.type = "a" + element, .parts = std::move(parts)};
}
inline Value structure(std::vector<Value> parts) {
  Value value{.type = "("};
  for (const Value& part : parts) value.type += part.type;
  value.type += ")";
  value.parts = std::move(parts);
  return value;
}
inline Value variant(Value content) {
  Value value{.type = "v"};
  value.parts.push_back(std::move(content));
  return value;
}

}  // namespace davit::bus
