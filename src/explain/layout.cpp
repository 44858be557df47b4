// SPDX-License-Identifier: Apache-2.0
// Text on a terminal: what is safe to show, how wide it is, where it breaks.
#include "davit/explain/render.hpp"

#include "davit/base/fields.hpp"

namespace davit::explain {
namespace {

bool is_continuation(char character) {
  return (static_cast<unsigned char>(character) & 0xc0) == 0x80;
}

/// The length of a sequence of UTF-8 that is valid as far as a terminal cares; 0: none begins here.
std::size_t sequence_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 && first < 0xf5   ? 4
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xc2 && first < 0xe0 ? 2
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(text[i])) return 0;
  return length;
}

/// Control characters, those of ISO 6429 above 0x7f, and what turns the direction of writing.
bool moves_the_cursor(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  const auto second = static_cast<unsigned char>(sequence[1]);
  if (sequence.size() == 2) return first == 0xc2 && second < 0xa0;
  if (sequence.size() != 3 || first != 0xe2) return false;
  const auto third = static_cast<unsigned char>(sequence[2]);
  return (second == 0x80 && (third >= 0xa8 && third <= 0xae)) ||
         (second == 0x81 && (third >= 0xa6 && third <= 0xa9));
}

void append_escaped(std::string& to, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char character : bytes) {
    const auto byte = static_cast<unsigned char>(character);
    to.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
  }
}

/// The bytes of the first `width` characters.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  std::size_t bytes = 0;
  for (std::size_t characters = 0; bytes < text.size(); ++bytes)
    if (!is_continuation(text[bytes]) && characters++ == width) break;
  return bytes;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = sequence_at(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || moves_the_cursor(sequence))
      append_escaped(result, sequence);
    else
      result.append(sequence);
    text.remove_prefix(sequence.size());
  }
  return result;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (const char character : text)
    if (!is_continuation(character)) ++columns;
  return columns;
}

std::vector<std::string> wrap(std::string_view text, unsigned width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t used = 0;
  const auto finish = [&] {
    lines.push_back(std::move(line));
    line.clear();
    used = 0;
  };
  while (!text.empty()) {
    std::string_view word = next_field(text, ' ');
    std::size_t columns = columns_of(word);
    if (used > 0 && used + 1 + columns > width) finish();
    for (; columns > width; columns = columns_of(word)) {
      const std::size_t bytes = bytes_of(word, width);
      line.append(word.substr(0, bytes));
      word.remove_prefix(bytes);
      finish();
    }
    if (used > 0) line += ' ', ++used;
    line.append(word);
    used += columns;
  }
  if (used > 0 || lines.empty()) finish();
  return lines;
}

std::string_view begin_of(Tone tone, const Style& style) {
  if (!style.colour) return {};
  switch (tone) {
    case Tone::plain:
      return {};
    case Tone::good:
      return "\x1b[32m";
    case Tone::notable:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
  }
  return {};
}

std::string_view end_of(Tone tone, const Style& style) {
  return style.colour && tone != Tone::plain ? "\x1b[0m" : "";
}

std::string strong(std::string_view text, const Style& style) {
  return style.colour ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

std::string faint(std::string_view text, const Style& style) {
  return style.colour ? "\x1b[2m" + std::string(text) + "\x1b[0m" : std::string(text);
}

}  // namespace davit::explain
