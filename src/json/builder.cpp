// SPDX-License-Identifier: Apache-2.0
#include "json/builder.hpp"

#include <yajl/yajl_parse.h>

#include <algorithm>
#include <cstring>

#include "json/utf8.hpp"

namespace davit::json {
namespace {

/// What stands between tokens. Not find_first_not_of(), which calls memchr(3) for each character.
constexpr bool is_between_tokens(char character) {
  return character == ' ' || character == '\n' || character == ',' || character == ':' || character == '\t' ||
         character == '\r';
}

std::string_view trimmed(const char* message) {
  std::string_view text(message);
  for (const std::string_view prefix : {"lexical error: ", "parse error: "})
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '.'))
    text.remove_suffix(1);
  return text;
}

bool is_punctuation(char character) {
  return character != '\0' && std::strchr("{}[],:", character) != nullptr;
}

bool is_letter(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/// What is wrong and what to do, where the text is no JSON.
struct Slip {
  std::string_view cause;   ///< empty: what the parser says
  std::string_view advice;  ///< may be empty
};

/// `before` is the last character in front of it, and 0 at the beginning of the file.
Slip slip_at(char found, char before, bool is_adjacent) {
  if (found == '\'') return {"", "strings and keys stand in double quotes"};
  if (found == '/' || found == '#') return {"a comment, or nothing that JSON knows", "JSON has no comments"};
  if (static_cast<unsigned char>(found) >= 0x80)
    return {"a character that only strings may hold", "quotes are those of the keyboard: \""};
  if (is_adjacent && before == '0')
    return {"a number that begins with 0", "numbers are decimal, without a 0 in front: 0644 is 420"};
  if (before == '\0' && (is_letter(found) || found == '<' || found == '%'))
    return {"it begins like another kind of file",
            "a config is an object of JSON: { ... }; not YAML, TOML or XML"};
  if (is_letter(found) && (before == '{' || before == ','))
    return {"a word without quotes", "keys and strings stand in double quotes"};
  if (is_letter(found))
    return {"a word that JSON does not have",
            "there are true, false and null, in small letters; other words stand in double quotes"};
  if (found == '.' || found == '+') return {"a number begins with a digit or a minus", ""};
  return {};
}

/// Our words for what the parser says; empty: its own.
Slip slip_of(std::string_view cause) {
  if (cause.starts_with("object key and value")) return {"a colon is missing after this key", ""};
  if (cause.starts_with("invalid object key"))
    return {"a key is missing here", "keys stand in double quotes"};
  if (cause.starts_with("unallowed token")) return {"a value is missing here", ""};
  if (cause.starts_with("inside a string, '\\'"))
    return {"a backslash in a string that means nothing", "write a backslash as \\\\"};
  if (cause.starts_with("invalid character inside string"))
    return {"a tab or a line break in a string", "write it as \\t or \\n, and close the string on its line"};
  return {};
}

/// The number behind `\u`, or -1 when there are no four hexadecimal digits.
int unicode_escape(std::string_view text, std::size_t offset) {
  if (offset + 6 > text.size() || text[offset] != '\\' || text[offset + 1] != 'u') return -1;
  int number = 0;
  for (std::size_t i = offset + 2; i < offset + 6; ++i) {
    const char digit = text[i];
    number *= 16;
    if (digit >= '0' && digit <= '9')
      number += digit - '0';
    else if (digit >= 'a' && digit <= 'f')
      number += digit - 'a' + 10;
    else if (digit >= 'A' && digit <= 'F')
      number += digit - 'A' + 10;
    else
      return -1;
  }
  return number;
}

}  // namespace

/// The callbacks as yajl wants them; the context is the parser, which knows the offset, and the builder.
struct Events {
  Builder& builder;
  yajl_handle parser = nullptr;

  [[nodiscard]] std::size_t consumed() const { return yajl_get_bytes_consumed(parser); }
  static Events& of(void* context) { return *static_cast<Events*>(context); }
  static std::string_view view(const unsigned char* text, std::size_t size) {
    return {reinterpret_cast<const char*>(text), size};
  }
  static int add(void* context, Kind kind, std::string_view content) {
    return of(context).builder.add(kind, content, of(context).consumed()) ? 1 : 0;
  }

  static int null(void* context) { return add(context, Kind::null, {}); }
  static int boolean(void* context, int value) {
    if (add(context, Kind::boolean, {}) == 0) return 0;
    of(context).builder.set_boolean(value != 0);
    return 1;
  }
  static int number(void* context, const char* text, std::size_t size) {
    return add(context, Kind::number, {text, size});
  }
  static int string(void* context, const unsigned char* text, std::size_t size) {
    return add(context, Kind::string, view(text, size));
  }
  static int key(void* context, const unsigned char* text, std::size_t size) {
    return add(context, Kind::key, view(text, size));
  }
  static int start_map(void* context) {
    return of(context).builder.open(Kind::object, of(context).consumed()) ? 1 : 0;
  }
  static int start_array(void* context) {
    return of(context).builder.open(Kind::array, of(context).consumed()) ? 1 : 0;
  }
  static int end(void* context) { return of(context).builder.close(of(context).consumed()) ? 1 : 0; }
};

bool Builder::run() {
  if (refuse_early() || refuse_lone_surrogates()) return false;
  const std::string& text = document_.text_;
  document_.nodes_.reserve(text.size() / 12 + 16);
  static constexpr yajl_callbacks kCallbacks = {
      Events::null,   Events::boolean,     nullptr,           nullptr,
      Events::number, Events::string,      Events::start_map, Events::key,
      Events::end,    Events::start_array, Events::end};
  Events events{*this};
  events.parser = yajl_alloc(&kCallbacks, nullptr, &events);
  if (events.parser == nullptr) return refuse(0, "not enough memory to parse it"), false;
  yajl_config(events.parser, yajl_dont_validate_strings, 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  yajl_status status = yajl_parse(events.parser, bytes, text.size());
  std::size_t consumed = events.consumed();
  if (status == yajl_status_ok) {
    status = yajl_complete_parse(events.parser);
    consumed = text.size();
  }
  if (status == yajl_status_error) {
    unsigned char* message = yajl_get_error(events.parser, 0, bytes, text.size());
    refuse_syntax(trimmed(reinterpret_cast<const char*>(message)), consumed);
    yajl_free_error(events.parser, message);
  }
  yajl_free(events.parser);
  return status == yajl_status_ok;
}

bool Builder::refuse(std::size_t offset, std::string_view message, std::string_view advice) {
  Error error = make_error(Code::invalid_config, message);
  error.where.file = std::string_view(document_.name_);
  document_.place(static_cast<std::uint32_t>(offset), error.where);
  if (!advice.empty()) error.advise(advice);
  errors_.push_back(error);
  return true;
}

bool Builder::refuse_early() {
  const std::string_view text = document_.text_;
  if (text.size() > kMaximumSize) return refuse(0, "larger than 16 MiB, which no such document needs to be");
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return refuse(0, "the file is empty");
  if (text.starts_with("\xef\xbb\xbf"))
    return refuse(0, "begins with a byte order mark", "save it as UTF-8 without a byte order mark");
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return refuse(0, "is encoded as UTF-16", "save it as UTF-8");
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) return refuse(zero, "holds a NUL byte");
  const std::size_t malformed = find_malformed(text);  // yajl lets overlong forms and surrogates pass
  if (malformed != std::string_view::npos) return refuse(malformed, "not UTF-8");
  return false;
}

// yajl would put a question mark in the place of half a character, or read beyond it.
bool Builder::refuse_lone_surrogates() {
  const std::string_view text = document_.text_;
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const int unit = unicode_escape(text, at);
    if (unit < 0xd800 || unit > 0xdfff) {
      at += 2;
      continue;
    }
    const int low = unicode_escape(text, at + 6);
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
      return refuse(at, "half a surrogate pair: not a character");
    at += 12;
  }
  return false;
}

bool Builder::refuse_syntax(std::string_view cause, std::size_t consumed) {
  const std::string_view text = document_.text_;
  if (cause == "premature EOF")
    return refuse(text.size(), "ends in the middle of a value", "the file may have been cut off");
  std::size_t offset = token_start();
  const std::size_t last = consumed == 0 ? 0 : consumed - 1;
  if (last < text.size() && is_punctuation(text[last]) && offset <= last) offset = last;
  if (cause == "trailing garbage") return refuse(offset, "more text after the end of the JSON document");
  const char found = offset < text.size() ? text[offset] : '\0';
  const bool is_after_value =
      cause.starts_with("after key and value") || cause.starts_with("after array element");
  // At the value, not at what follows it, perhaps some lines below.
  const bool is_apart = offset > previous_end_ || found == '"' || found == '{' || found == '[';
  if (is_after_value && is_apart && found != '\0' && std::strchr(",:}]", found) == nullptr)
    return refuse(previous_end_ == 0 ? 0 : previous_end_ - 1,
                  "not JSON: a comma is missing after this value");
  const std::size_t before =
      offset == 0 ? std::string_view::npos : text.find_last_not_of(" \t\r\n", offset - 1);
  if ((found == '}' || found == ']') && before != std::string_view::npos && text[before] == ',')
    return refuse(before, "not JSON: this comma is one too many",
                  "JSON allows no comma after the last member");
  const bool is_adjacent = before != std::string_view::npos && before + 1 == offset;
  Slip slip = slip_of(cause);
  if (found != '\0' && !is_punctuation(found) && found != '"' && slip.cause.empty())
    slip = slip_at(found, before == std::string_view::npos ? '\0' : text[before], is_adjacent);
  std::string message = "not JSON: ";
  message += slip.cause.empty() ? cause : slip.cause;
  // Only punctuation is quoted: what is no JSON may be any file, a secret that a config.json links to.
  if (is_punctuation(found)) message += ": " + quoted(text.substr(offset, 1));
  return refuse(offset, message, slip.advice);
}

std::size_t Builder::token_start() const {
  const std::string_view text = document_.text_;
  std::size_t start = previous_end_;
  while (start < text.size() && is_between_tokens(text[start])) ++start;
  return std::min(start, text.size());
}

bool Builder::add(Kind kind, std::string_view content, std::size_t consumed) {
  std::vector<Document::Node>& nodes = document_.nodes_;
  const std::size_t start = token_start();
  if (nodes.size() >= kMaximumNodes) return refuse(start, "holds more than a million values"), false;
  Document::Node node{};
  node.offset = static_cast<std::uint32_t>(start);
  node.kind = kind;
  node.parent = stack_.empty() ? 0 : stack_.back();
  node.end = static_cast<std::uint32_t>(nodes.size()) + 1;
  node.size = static_cast<std::uint32_t>(content.size()) & 0x7fffffffu;
  const char* begin = document_.text_.data();
  if (content.data() >= begin && content.data() + content.size() <= begin + document_.text_.size()) {
    node.content = static_cast<std::uint32_t>(content.data() - begin);
  } else if (!content.empty()) {
    node.decoded = 1;
    node.content = static_cast<std::uint32_t>(document_.decoded_.size());
    document_.decoded_.append(content);
  }
  nodes.push_back(node);
  previous_end_ = consumed;
  return true;
}

void Builder::set_boolean(bool value) {
  document_.nodes_.back().size = value ? 1 : 0;
}

bool Builder::open(Kind kind, std::size_t consumed) {
  if (stack_.size() >= kMaximumDepth) return refuse(token_start(), "nested more than 64 levels deep"), false;
  const auto node = static_cast<std::uint32_t>(document_.nodes_.size());
  if (!add(kind, {}, consumed)) return false;
  stack_.push_back(node);
  return true;
}

bool Builder::close(std::size_t consumed) {
  const std::uint32_t node = stack_.back();
  stack_.pop_back();
  document_.nodes_[node].end = static_cast<std::uint32_t>(document_.nodes_.size());
  if (document_.nodes_[node].kind == Kind::object) report_duplicates(node);
  previous_end_ = consumed;
  return true;
}

void Builder::report_duplicates(std::uint32_t object) {
  const std::vector<Document::Node>& nodes = document_.nodes_;
  keys_.clear();
  for (std::uint32_t key = object + 1; key < nodes[object].end; key = nodes[key + 1].end)
    keys_.push_back(key);
  const auto text = [&](std::uint32_t key) { return document_.content(nodes[key]); };
  constexpr std::size_t kFew = 12;
  if (keys_.size() <= kFew) {
    for (std::size_t i = 1; i < keys_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (nodes[keys_[i]].size == nodes[keys_[j]].size && text(keys_[i]) == text(keys_[j])) {
          report_duplicate(keys_[j], keys_[i]);
          break;
        }
    return;
  }
  std::sort(keys_.begin(), keys_.end(), [&](std::uint32_t left, std::uint32_t right) {
    const int order = text(left).compare(text(right));
    return order != 0 ? order < 0 : left < right;
  });
  for (std::size_t i = 1; i < keys_.size(); ++i)
    if (text(keys_[i]) == text(keys_[i - 1])) report_duplicate(keys_[i - 1], keys_[i]);
}

void Builder::report_duplicate(std::uint32_t first, std::uint32_t second) {
  if (errors_.size() >= kMaximumErrors) return;
  const Document::Node& node = document_.nodes_[second];
  Location earlier;
  document_.place(document_.nodes_[first].offset, earlier);
  Text<768> message;
  message.append("the key ").append(quoted(document_.content(node))).append(" occurs twice, first at ");
  message.append_number(earlier.line).append(':').append_number(earlier.column);
  Error error = make_error(Code::invalid_config, message);
  error.where = document_.locate(second);
  errors_.push_back(error);
}

Document::Parsed Document::parse(std::string text, std::string_view name) {
  Parsed parsed;
  auto document = std::make_shared<Document>();
  document->text_ = std::move(text);
  document->name_ = name;
  if (Builder(*document, parsed.errors).run()) parsed.document = std::move(document);
  return parsed;
}

}  // namespace davit::json
