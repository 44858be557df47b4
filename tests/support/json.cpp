// SPDX-License-Identifier: Apache-2.0
#include "support/json.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace support {
namespace {

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}
  std::optional<Json> document() {
    Json value;
    if (!read(value)) return std::nullopt;
    space();
    if (at_ != text_.size()) return std::nullopt;
    return value;
  }

 private:
  void space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char wanted) {
    space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }
  bool read(Json& value) {
    space();
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return read_object(value);
      case '[':
        return read_array(value);
      case '"': {
        std::string string;
        if (!read_string(string)) return false;
        value = Json(std::move(string));
        return true;
      }
      case 't':
        value = Json(true);
        return word("true");
      case 'f':
        value = Json(false);
        return word("false");
      case 'n':
        value = Json();
        return word("null");
      default:
        return read_number(value);
    }
  }
  bool read_object(Json& value) {
    value = Json::object();
    take('{');
    if (take('}')) return true;
    do {
      std::string key;
      space();
      if (!read_string(key) || !take(':')) return false;
      if (!read(value[key])) return false;
    } while (take(','));
    return take('}');
  }
  bool read_array(Json& value) {
    value = Json::array();
    take('[');
    if (take(']')) return true;
    do {
      if (!read(value.push(Json()))) return false;
    } while (take(','));
    return take(']');
  }
  bool read_hex(std::uint32_t& value) {
    if (at_ + 4 > text_.size()) return false;
    value = static_cast<std::uint32_t>(std::strtoul(std::string(text_.substr(at_, 4)).c_str(), nullptr, 16));
    at_ += 4;
    return true;
  }
  bool read_escape(std::string& out) {
    const char letter = text_[at_++];
    constexpr std::string_view kLetters = "bfnrt\"\\/";
    constexpr std::string_view kMeant = "\b\f\n\r\t\"\\/";
    if (const auto index = kLetters.find(letter); index != std::string_view::npos) {
      out += kMeant[index];
      return true;
    }
    std::uint32_t point = 0;
    if (letter != 'u' || !read_hex(point)) return false;
    std::uint32_t low = 0;
    if (point >= 0xd800 && point < 0xdc00 && word("\\u") && read_hex(low))
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    append_utf8(out, point);
    return true;
  }
  bool read_string(std::string& out) {
    if (at_ >= text_.size() || text_[at_++] != '"') return false;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      if (++at_ >= text_.size() || !read_escape(out)) return false;
    }
    return at_++ < text_.size();
  }
  bool read_number(Json& value);

  std::string_view text_;
  std::size_t at_ = 0;
};

bool Parser::read_number(Json& value) {
  const auto end = text_.find_first_not_of("+-.0123456789eE", at_);
  const std::string number(text_.substr(at_, end == std::string_view::npos ? end : end - at_));
  if (number.empty()) return false;
  at_ += number.size();
  value = Json::number_text(number);
  return true;
}

void quote(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Json Json::array(std::vector<Json> items) {
  Json value;
  value.kind_ = Kind::array;
  value.items_ = std::move(items);
  return value;
}

Json Json::object(std::vector<Member> members) {
  Json value;
  value.kind_ = Kind::object;
  value.members_ = std::move(members);
  return value;
}

Json Json::number_text(std::string text) {
  Json value(std::move(text));
  value.kind_ = Kind::number;
  return value;
}

std::optional<Json> Json::try_parse(std::string_view text) {
  return Parser(text).document();
}

Json Json::parse(std::string_view text) {
  auto value = try_parse(text);
  if (!value) ADD_FAILURE() << "not JSON: " << text;
  return value ? *value : Json();
}

std::int64_t Json::number() const {
  return std::strtoll(text_.c_str(), nullptr, 10);
}

Json& Json::operator[](const std::string& key) {
  for (auto& member : members_)
    if (member.first == key) return member.second;
  kind_ = Kind::object;
  return members_.emplace_back(key, Json()).second;
}

const Json& Json::get(std::string_view key) const {
  static const Json kNull;
  for (const auto& member : members_)
    if (member.first == key) return member.second;
  return kNull;
}

bool Json::has(std::string_view key) const {
  for (const auto& member : members_)
    if (member.first == key) return true;
  return false;
}

void Json::erase(std::string_view key) {
  for (auto at = members_.begin(); at != members_.end(); ++at)
    if (at->first == key) {
      members_.erase(at);
      return;
    }
}

Json& Json::push(Json item) {
  kind_ = Kind::array;
  return items_.emplace_back(std::move(item));
}

bool Json::contains(std::string_view string) const {
  for (const auto& item : items_)
    if (item.is_string() && item.str() == string) return true;
  return false;
}

std::string Json::dump() const {
  std::string out;
  dump_to(out);
  return out;
}

void Json::dump_to(std::string& out) const {
  switch (kind_) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
    case Kind::number:
      out += text_;
      break;
    case Kind::string:
      quote(out, text_);
      break;
    case Kind::array:
      out += '[';
      for (std::size_t i = 0; i < items_.size(); ++i) {
        if (i > 0) out += ',';
        items_[i].dump_to(out);
      }
      out += ']';
      break;
    case Kind::object:
      out += '{';
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (i > 0) out += ',';
        quote(out, members_[i].first);
        out += ':';
        members_[i].second.dump_to(out);
      }
      out += '}';
      break;
  }
}

}  // namespace support
