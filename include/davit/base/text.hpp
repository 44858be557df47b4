// SPDX-License-Identifier: Apache-2.0
// A string of bounded length without heap: the building block of Error and of messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace davit {

/// Holds at most N-1 bytes, always NUL-terminated; longer input is cut and ends in "...".
template <std::size_t N>
class Text {
  static_assert(N >= 8 && N <= 65535);

 public:
  Text() = default;
  Text(std::string_view text) { append(text); }             // NOLINT(google-explicit-constructor)
  Text(const char* text) : Text(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] std::string_view view() const { return {data_, size_}; }
  [[nodiscard]] const char* c_str() const { return data_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor)

  void clear() {
    size_ = 0;
    data_[0] = '\0';
  }
  [[gnu::noinline]] Text& append(std::string_view text) {
    constexpr std::size_t kRoom = N - 1;
    const bool cut = text.size() > kRoom - size_;
    const std::size_t count = cut ? kRoom - size_ : text.size();
    for (std::size_t i = 0; i < count; ++i) data_[size_ + i] = text[i];
    size_ = static_cast<std::uint16_t>(size_ + count);
    if (cut)
      for (std::size_t i = 1; i <= 3; ++i) data_[kRoom - i] = '.';
    data_[size_] = '\0';
    return *this;
  }
  Text& append(char character) { return append(std::string_view(&character, 1)); }
  /// Appends a decimal number.
  Text& append_number(std::int64_t value) {
    char digits[24];
    std::size_t at = sizeof digits;
    std::uint64_t rest =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    do digits[--at] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0) digits[--at] = '-';
    return append(std::string_view(digits + at, sizeof digits - at));
  }

 private:
  char data_[N] = {};
  std::uint16_t size_ = 0;
};

}  // namespace davit
