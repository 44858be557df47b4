// SPDX-License-Identifier: Apache-2.0
#include "davit/json/document.hpp"

#include <algorithm>
#include <cstring>

namespace davit::json {
namespace {

void append_hex(std::string& text, unsigned char byte) {
  constexpr const char* kDigits = "0123456789abcdef";
  text += "\\u00";
  text += kDigits[byte >> 4];
  text += kDigits[byte & 15];
}

bool is_control(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte < 0x20 || byte == 0x7f;
}

void append_reference(std::string& pointer, std::string_view key) {
  pointer += '/';
  for (const char character : key) {
    if (character == '~')
      pointer += "~0";
    else if (character == '/')
      pointer += "~1";
    else if (is_control(character))
      append_hex(pointer, static_cast<unsigned char>(character));
    else
      pointer += character;
  }
}

}  // namespace

void Document::place(std::uint32_t offset, Location& location) const {
  PlaceFinger& finger = place_finger_;
  if (offset < finger.offset) finger = {};
  for (const char character : std::string_view(text_).substr(finger.offset, offset - finger.offset)) {
    const bool begins_character = (static_cast<unsigned char>(character) & 0xc0) != 0x80;
    finger.column += begins_character ? 1 : 0;
    if (character != '\n') continue;
    ++finger.line;
    finger.column = 1;
  }
  finger.offset = offset;
  location.line = finger.line;
  location.column = finger.column;
}

std::uint32_t Document::index_of(std::uint32_t node) const {
  IndexFinger& finger = index_finger_;
  const std::uint32_t parent = nodes_[node].parent;
  if (finger.parent != parent || finger.node <= parent || finger.node > node)
    finger = {parent, parent + 1, 0};
  for (; finger.node < node; finger.node = nodes_[finger.node].end) ++finger.index;
  return finger.index;
}

Location Document::locate(std::uint32_t node) const {
  Location location;
  location.file = std::string_view(name_);
  location.pointer = std::string_view(pointer(node));
  place(nodes_[node].offset, location);
  return location;
}

std::string Document::pointer(std::uint32_t node) const {
  if (nodes_[node].kind == Kind::key) ++node;
  if (node == 0) return {};
  const std::uint32_t parent = nodes_[node].parent;
  std::string text = pointer(parent);
  if (nodes_[parent].kind == Kind::object) {
    append_reference(text, content(nodes_[node - 1]));
    return text;
  }
  return text + '/' + std::to_string(index_of(node));
}

Value Value::find(std::string_view key) const {
  if (kind() != Kind::object) return {};
  for (std::uint32_t at = begin_node(); at < end_node();) {
    const Value member(*document_, at + 1);
    if (document_->content(document_->nodes_[at]) == key) return member;
    at = member.next_node();
  }
  return {};
}

Value Value::element(std::size_t index) const {
  if (kind() != Kind::array) return {};
  for (std::uint32_t at = begin_node(); at < end_node(); at = Value(*document_, at).next_node())
    if (index-- == 0) return {*document_, at};
  return {};
}

std::size_t Value::size() const {
  std::size_t count = 0;
  const std::uint32_t step = kind() == Kind::object ? 1 : 0;
  for (std::uint32_t at = begin_node(); at < end_node(); ++count)
    at = Value(*document_, at + step).next_node();
  return count;
}

std::string_view kind_name(Kind kind) {
  constexpr std::string_view kNames[] = {"null",     "a boolean", "a number", "a string",
                                         "an array", "an object", "a key"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string quoted(std::string_view text, std::size_t limit) {
  std::string result = "\"";
  std::size_t shown = 0;
  for (; shown < text.size(); ++shown) {
    const bool begins_character = (static_cast<unsigned char>(text[shown]) & 0xc0) != 0x80;
    if (shown >= limit && begins_character) break;
    if (is_control(text[shown]))
      append_hex(result, static_cast<unsigned char>(text[shown]));
    else
      result += text[shown];
  }
  if (shown < text.size()) result += "...";
  return result + '"';
}

}  // namespace davit::json
