// SPDX-License-Identifier: Apache-2.0
// Strings without a libc.
#pragma once

#include "init/kernel.hpp"

namespace davit::init {

inline u32 length_of(const char* text) {
  u32 length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

inline bool is_equal(const char* left, const char* right) {
  while (*left != '\0' && *left == *right) ++left, ++right;
  return *left == *right;
}

inline bool is_equal(const char* left, const char* right, u64 count) {
  for (u64 i = 0; i < count; ++i)
    if (left[i] != right[i]) return false;
  return true;
}

inline bool contains(const char* text, char wanted) {
  for (; *text != '\0'; ++text)
    if (*text == wanted) return true;
  return false;
}

/// Builds a NUL-terminated string in memory of somebody else; what does not fit is remembered as cut.
class Writer {
 public:
  template <u64 N>
  explicit Writer(char (&buffer)[N]) : Writer(buffer, N) {}
  Writer(char* buffer, u64 size) : buffer_(buffer), room_(size - 1) { buffer_[0] = '\0'; }

  Writer& add(const char* text) { return add(text, length_of(text)); }
  Writer& add(const char* text, u64 length) {
    if (length > room_ - size_) {
      is_cut_ = true;
      length = room_ - size_;
    }
    for (u64 i = 0; i < length; ++i) buffer_[size_ + i] = text[i];
    size_ += length;
    buffer_[size_] = '\0';
    return *this;
  }
  Writer& add_number(u64 value) {
    char digits[20];
    u32 at = sizeof digits;
    do digits[--at] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    return add(digits + at, sizeof digits - at);
  }

  [[nodiscard]] u64 size() const { return size_; }
  [[nodiscard]] bool is_cut() const { return is_cut_; }
  [[nodiscard]] const char* text() const { return buffer_; }

 private:
  char* buffer_;
  u64 room_;
  u64 size_ = 0;
  bool is_cut_ = false;
};

}  // namespace davit::init
