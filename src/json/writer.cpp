// SPDX-License-Identifier: Apache-2.0
#include "davit/json/writer.hpp"

#include <utility>

#include "json/utf8.hpp"

namespace davit::json {
namespace {

void append_escaped(std::string& text, char character) {
  constexpr const char* kDigits = "0123456789abcdef";
  switch (character) {
    case '"':
      text += "\\\"";
      return;
    case '\\':
      text += "\\\\";
      return;
    case '\n':
      text += "\\n";
      return;
    case '\r':
      text += "\\r";
      return;
    case '\t':
      text += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(character);
  if (byte < 0x20 || byte == 0x7f) {
    text += "\\u00";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  } else {
    text += character;
  }
}

}  // namespace

void append_string(std::string& text, std::string_view value) {
  text += '"';
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t length = sequence_length(value, at);
    if (length == 0) {
      text += "\xef\xbf\xbd";
      ++at;
    } else if (length == 1) {
      append_escaped(text, value[at++]);
    } else {
      text.append(value.substr(at, length));
      at += length;
    }
  }
  text += '"';
}

void Writer::new_line() {
  if (style_ == Style::compact) return;
  text_ += '\n';
  text_.append(std::size_t{2} * depth_, ' ');
}

void Writer::before_value() {
  if (std::exchange(after_key_, false)) return;
  if (depth_ == 0) return;
  if (!std::exchange(first_, false)) text_ += ',';
  new_line();
}

Writer& Writer::begin_object() {
  return raw("{"), ++depth_, first_ = true, *this;
}
Writer& Writer::end_object() {
  return close('}'), *this;
}
Writer& Writer::begin_array() {
  return raw("["), ++depth_, first_ = true, *this;
}
Writer& Writer::end_array() {
  return close(']'), *this;
}

void Writer::close(char bracket) {
  --depth_;
  if (!std::exchange(first_, false)) new_line();
  text_ += bracket;
}

Writer& Writer::key(std::string_view name) {
  before_value();
  append_string(text_, name);
  text_ += style_ == Style::compact ? ":" : ": ";
  after_key_ = true;
  return *this;
}

Writer& Writer::string(std::string_view value) {
  before_value();
  append_string(text_, value);
  return *this;
}

Writer& Writer::number(std::int64_t value) {
  return raw(std::to_string(value));
}
Writer& Writer::unsigned_number(std::uint64_t value) {
  return raw(std::to_string(value));
}
Writer& Writer::boolean(bool value) {
  return raw(value ? "true" : "false");
}
Writer& Writer::null() {
  return raw("null");
}

Writer& Writer::strings(const std::vector<std::string>& values) {
  begin_array();
  for (const std::string& value : values) string(value);
  return end_array();
}

Writer& Writer::raw(std::string_view json) {
  before_value();
  text_ += json;
  return *this;
}

}  // namespace davit::json
