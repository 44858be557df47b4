// SPDX-License-Identifier: Apache-2.0
// Reads JSON objects member by member, so that a reader looks like the schema: one line per key.
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "davit/json/document.hpp"
#include "spec/report.hpp"

namespace davit::spec {

class Object;

/// Structs report their own errors; one that has some leaves the rules of the object around it meaningful.
template <typename T>
inline constexpr bool kIsSection = requires(Object& object, T& target) {
  read_members(object, target);
};
template <typename T>
inline constexpr bool kIsSection<std::optional<T>> = kIsSection<T>;

/// An object while its members are read; remembers the keys it was asked for, so that others can be reported.
class Object {
 public:
  Object(Report& report, json::Value value) : report_(report), value_(value), next_(value.begin_node()) {}

  /// Reads a member if it is there and not null.
  template <typename T>
  void optional(std::string_view key, T& target) {
    const json::Value member = take(key);
    if (member.valid() && !read(report_, member, target) && !kIsSection<T>) intact_ = false;
  }
  /// Reads a member; reports its absence.
  template <typename T>
  void required(std::string_view key, T& target) {
    const json::Value member = take(key);
    if (!member.valid())
      report_missing(key);
    else if (!read(report_, member, target) && !kIsSection<T>)
      intact_ = false;
  }
  /// A member whose keys are names and no part of the schema; `T` is read from (key, value).
  template <typename T>
  void entries(std::string_view key, std::vector<T>& target);
  /// A known key that means nothing on Linux.
  void ignored(std::string_view key) { take(key); }
  /// Reports the members that nobody asked for; call it last.
  void report_unknown();

  [[nodiscard]] Position position() const { return position_of(value_); }
  [[nodiscard]] Report& report() { return report_; }
  /// Whether every member that was read had the right type.
  [[nodiscard]] bool intact() const { return intact_; }

 private:
  /// The value of a key, not valid when absent or null.
  json::Value take(std::string_view key);
  void report_missing(std::string_view key);
  void remember_keys();

  static constexpr std::size_t kMaximumKeys = 32;

  Report& report_;
  json::Value value_;
  std::uint32_t next_;  ///< keys mostly come in the order in which they are read
  std::size_t found_ = 0;
  std::size_t known_count_ = 0;
  std::array<std::string_view, kMaximumKeys> known_{};
  bool intact_ = true;
};

/// Reports a value of the wrong kind; always false.
bool report_kind(Report& report, json::Value value, std::string_view expected);
/// Reports a number that is not an integer between the bounds; always false.
bool report_integer(Report& report, json::Value value, std::int64_t low, std::uint64_t high);
/// Parses an integer as Go would: digits only, within the bounds.
bool parse_signed(std::string_view text, std::int64_t low, std::int64_t high, std::int64_t& number);
bool parse_unsigned(std::string_view text, std::uint64_t high, std::uint64_t& number);

bool read(Report& report, json::Value value, std::string& target);
bool read(Report& report, json::Value value, bool& target);

template <std::signed_integral T>
bool read(Report& report, json::Value value, T& target) {
  using Limits = std::numeric_limits<T>;
  std::int64_t number = 0;
  if (value.kind() != json::Kind::number || !parse_signed(value.text(), Limits::min(), Limits::max(), number))
    return report_integer(report, value, Limits::min(), static_cast<std::uint64_t>(Limits::max()));
  target = static_cast<T>(number);
  return true;
}

template <std::unsigned_integral T>
requires(!std::same_as<T, bool>) bool read(Report& report, json::Value value, T& target) {
  using Limits = std::numeric_limits<T>;
  std::uint64_t number = 0;
  if (value.kind() != json::Kind::number || !parse_unsigned(value.text(), Limits::max(), number))
    return report_integer(report, value, 0, Limits::max());
  target = static_cast<T>(number);
  return true;
}

template <typename T>
bool read(Report& report, json::Value value, std::optional<T>& target) {
  if (read(report, value, target.emplace())) return true;
  target.reset();
  return false;
}

/// Elements that cannot be read are reported and left out.
template <typename T>
bool read(Report& report, json::Value value, std::vector<T>& target) {
  if (value.kind() != json::Kind::array) return report_kind(report, value, "an array");
  target.reserve(value.size());
  for (std::uint32_t node = value.begin_node(); node < value.end_node();) {
    const json::Value element = value.document().at(node);
    node = element.next_node();
    if (!read(report, element, target.emplace_back())) target.pop_back();
  }
  return true;
}

/// A struct that has `void read_members(Object&, T&)`, and `void check(Report&, T&)` if it has rules.
template <typename T>
requires requires(Object& object, T& target) {
  read_members(object, target);
}
bool read(Report& report, json::Value value, T& target) {
  if (value.kind() != json::Kind::object) return report_kind(report, value, "an object");
  Object object(report, value);
  target.position = object.position();
  read_members(object, target);
  object.report_unknown();
  if constexpr (requires { check(report, target); }) {
    if (object.intact()) check(report, target);
  }
  return object.intact();
}

template <typename T>
void Object::entries(std::string_view key, std::vector<T>& target) {
  const json::Value member = take(key);
  if (!member.valid()) return;
  if (member.kind() != json::Kind::object) {
    intact_ = report_kind(report_, member, "an object");
    return;
  }
  for (std::uint32_t node = member.begin_node(); node < member.end_node();) {
    const json::Value value = member.document().at(node + 1);
    if (!read_entry(report_, member.document().at(node).text(), value, target.emplace_back()))
      target.pop_back();
    node = value.next_node();
  }
}

}  // namespace davit::spec
