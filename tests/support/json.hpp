// SPDX-License-Identifier: Apache-2.0
// JSON for tests: keeps member order and number texts, so that what is written is what was meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

class Json {
 public:
  enum class Kind { null, boolean, number, string, array, object };
  using Member = std::pair<std::string, Json>;

  Json() = default;
  Json(bool value) : kind_(Kind::boolean), text_(value ? "true" : "false") {}       // NOLINT
  Json(int value) : kind_(Kind::number), text_(std::to_string(value)) {}            // NOLINT
  Json(std::int64_t value) : kind_(Kind::number), text_(std::to_string(value)) {}   // NOLINT
  Json(std::uint64_t value) : kind_(Kind::number), text_(std::to_string(value)) {}  // NOLINT
  Json(unsigned value) : kind_(Kind::number), text_(std::to_string(value)) {}       // NOLINT
  Json(const char* value) : kind_(Kind::string), text_(value) {}                    // NOLINT
  Json(std::string value) : kind_(Kind::string), text_(std::move(value)) {}         // NOLINT
  Json(std::string_view value) : kind_(Kind::string), text_(value) {}               // NOLINT
  Json(const std::vector<std::string>& values) : kind_(Kind::array) {               // NOLINT
    for (const auto& value : values) items_.emplace_back(value);
  }
  static Json array(std::vector<Json> items = {});
  static Json object(std::vector<Member> members = {});
  /// A number as it is written.
  static Json number_text(std::string text);
  /// Parses a whole document; nothing but white space may follow it.
  static std::optional<Json> try_parse(std::string_view text);
  /// The same; a broken text is a test failure and gives null.
  static Json parse(std::string_view text);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_null() const { return kind_ == Kind::null; }
  [[nodiscard]] bool is_object() const { return kind_ == Kind::object; }
  [[nodiscard]] bool is_array() const { return kind_ == Kind::array; }
  [[nodiscard]] bool is_string() const { return kind_ == Kind::string; }
  [[nodiscard]] bool is_number() const { return kind_ == Kind::number; }
  [[nodiscard]] bool is_true() const { return kind_ == Kind::boolean && text_ == "true"; }
  /// The text of a string or number, "" of anything else.
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::int64_t number() const;
  [[nodiscard]] std::size_t size() const { return is_object() ? members_.size() : items_.size(); }
  [[nodiscard]] const std::vector<Json>& items() const { return items_; }
  [[nodiscard]] std::vector<Json>& items() { return items_; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }

  /// The member of that name; made (with this as an object) if it is missing.
  Json& operator[](const std::string& key);
  Json& operator[](const char* key) { return (*this)[std::string(key)]; }
  Json& operator[](std::size_t index) { return items_.at(index); }
  Json& operator[](int index) { return items_.at(static_cast<std::size_t>(index)); }
  /// The member of that name, or null.
  [[nodiscard]] const Json& get(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const;
  void erase(std::string_view key);
  /// Appends to an array (null becomes one).
  Json& push(Json item);
  [[nodiscard]] bool contains(std::string_view string) const;
  [[nodiscard]] std::string dump() const;
  bool operator==(const Json& other) const { return dump() == other.dump(); }

 private:
  void dump_to(std::string& out) const;
  Kind kind_ = Kind::null;
  std::string text_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

inline namespace literals {
inline Json operator""_json(const char* text, std::size_t size) {
  return Json::parse({text, size});
}
}  // namespace literals

}  // namespace support
