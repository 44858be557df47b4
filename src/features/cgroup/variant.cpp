// SPDX-License-Identifier: Apache-2.0
// GVariant's text format, as far as properties of units need it: numbers, booleans, strings, arrays and
// tuples, with or without the name of their type (docs.gtk.org/glib/gvariant-text-format.html).
#include <charconv>
#include <cstdlib>

#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

struct TypeName {
  std::string_view name;
  char letter;
};
constexpr TypeName kTypeNames[] = {{"boolean", 'b'}, {"byte", 'y'},       {"int16", 'n'},
                                   {"uint16", 'q'},  {"int32", 'i'},      {"uint32", 'u'},
                                   {"int64", 'x'},   {"uint64", 't'},     {"double", 'd'},
                                   {"string", 's'},  {"objectpath", 'o'}, {"signature", 'g'}};

/// Reads a text from left to right. The type that is expected decides what a number without a type is.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  bool value(std::string_view type, bus::Value& value);
  bool is_at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }
  bool take(char expected) {
    skip_space();
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    skip_space();
    std::size_t size = 0;
    while (size < rest_.size() && (std::string_view("+-._@").find(rest_[size]) != std::string_view::npos ||
                                   std::isalnum(static_cast<unsigned char>(rest_[size])) != 0))
      ++size;
    const std::string_view found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return found;
  }
  bool annotation(std::string_view type);
  bool string(std::string& text);
  bool boolean(bus::Value& value);
  bool number(bus::Value& value);
  bool array(bus::Value& value);
  bool tuple(bus::Value& value);

  std::string_view rest_;
};

/// An optional "uint64 " or "@as " in front, which has to be what is expected.
bool Parser::annotation(std::string_view type) {
  skip_space();
  const std::string_view before = rest_;
  const std::string_view name = word();
  if (name.starts_with('@')) {
    // Structures go on with what is no letter.
    const std::size_t end = std::min(before.find(' '), before.size());
    rest_ = before.substr(end);
    return before.substr(1, end - 1) == type;
  }
  for (const TypeName& known : kTypeNames)
    if (known.name == name) return type.size() == 1 && type[0] == known.letter;
  rest_ = before;
  return true;
}

bool Parser::string(std::string& text) {
  skip_space();
  const char quote = rest_.empty() ? '\0' : rest_.front();
  if (quote != '\'' && quote != '"') return false;
  rest_.remove_prefix(1);
  for (; !rest_.empty() && rest_.front() != quote; rest_.remove_prefix(1)) {
    char c = rest_.front();
    if (c == '\\') {
      rest_.remove_prefix(1);
      if (rest_.empty()) return false;
      c = rest_.front();
      if (c == 'n') c = '\n';
      if (c == 't') c = '\t';
      // Names in units need no other one.
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) return false;
    }
    text += c;
  }
  return take(quote);
}

bool Parser::boolean(bus::Value& value) {
  const std::string_view name = word();
  value.number = name == "true" ? 1 : 0;
  return name == "true" || name == "false";
}

template <typename T>
bool read_integer(std::string_view digits, bus::Value& value) {
  T parsed{};
  const bool is_hex = digits.starts_with("0x");
  if (is_hex) digits.remove_prefix(2);
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed, is_hex ? 16 : 10);
  value.number = static_cast<std::uint64_t>(static_cast<std::int64_t>(parsed));
  if constexpr (std::is_same_v<T, std::uint64_t>) value.number = parsed;
  return failure == std::errc() && end == digits.data() + digits.size();
}

bool Parser::number(bus::Value& value) {
  const std::string digits(word());
  switch (value.type[0]) {
    case 'y':
      return read_integer<std::uint8_t>(digits, value);
    case 'n':
      return read_integer<std::int16_t>(digits, value);
    case 'q':
      return read_integer<std::uint16_t>(digits, value);
    case 'i':
      return read_integer<std::int32_t>(digits, value);
    case 'u':
      return read_integer<std::uint32_t>(digits, value);
    case 'x':
      return read_integer<std::int64_t>(digits, value);
    case 't':
      return read_integer<std::uint64_t>(digits, value);
    default:
      break;
  }
  char* end = nullptr;
  value.real = std::strtod(digits.c_str(), &end);
  return !digits.empty() && *end == '\0';
}

bool Parser::array(bus::Value& value) {
  if (!take('[')) return false;
  for (bool first = true; !take(']'); first = false) {
    if (!first && !take(',')) return false;
    bus::Value part;
    if (!this->value(std::string_view(value.type).substr(1), part)) return false;
    value.parts.push_back(std::move(part));
  }
  return true;
}

/// Of simple members only: "(st)".
bool Parser::tuple(bus::Value& value) {
  if (!take('(')) return false;
  const std::string members = value.type.substr(1, value.type.size() - 2);
  for (std::size_t i = 0; i < members.size(); ++i) {
    bus::Value part;
    if ((i > 0 && !take(',')) || !this->value(members.substr(i, 1), part)) return false;
    value.parts.push_back(std::move(part));
  }
  return take(')');
}

bool Parser::value(std::string_view type, bus::Value& value) {
  value.type = type;
  if (!annotation(type)) return false;
  switch (type[0]) {
    case 's':
    case 'o':
    case 'g':
      return string(value.text);
    case 'b':
      return boolean(value);
    case 'a':
      return array(value);
    case '(':
      return tuple(value);
    default:
      return number(value);
  }
}

}  // namespace

Result<bus::Value> parse_variant(std::string_view text, std::string_view type) {
  Parser parser(text);
  bus::Value value;
  if (parser.value(type, value) && parser.is_at_end()) return value;
  return make_error(Code::invalid_config, "'" + std::string(text.substr(0, 100)) +
                                              "' is no value of the type " + std::string(type));
}

}  // namespace davit::cgroup
