// SPDX-License-Identifier: Apache-2.0
// Writes JSON text: always valid, always UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace davit::json {

/// Compact on one line, or pretty with two spaces per level.
enum class Style : std::uint8_t { compact, pretty };

/// Members and elements are written in the order of the calls; the caller closes what he opens.
class Writer {
 public:
  explicit Writer(Style style) : style_(style) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  /// A string; bytes that are not UTF-8 become U+FFFD.
  Writer& string(std::string_view value);
  Writer& number(std::int64_t value);
  Writer& unsigned_number(std::uint64_t value);
  Writer& boolean(bool value);
  Writer& null();
  /// An array of strings.
  Writer& strings(const std::vector<std::string>& values);
  /// A fraction or anything else that is JSON already.
  Writer& raw(std::string_view json);

  [[nodiscard]] const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  void before_value();
  void new_line();
  void close(char bracket);

  std::string text_;
  Style style_;
  std::uint32_t depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
};

/// Appends a JSON string with its quotes.
void append_string(std::string& text, std::string_view value);

}  // namespace davit::json
