// SPDX-License-Identifier: Apache-2.0
#include "explain/words.hpp"

#include <algorithm>

namespace davit::explain {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

std::string counted(std::size_t number, std::string_view noun) {
  return std::to_string(number).append(" ").append(noun).append(number == 1 ? "" : "s");
}

std::string round_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  for (; bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return unit == 0 ? std::string() : std::to_string(bytes) + " " + kUnits[unit];
}

std::string octal(std::uint32_t mode) {
  std::string digits;
  do digits.insert(digits.begin(), static_cast<char>('0' + mode % 8));
  while ((mode /= 8) != 0);
  return digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
}

std::string command_line(const std::vector<std::string>& words) {
  std::vector<std::string> shown;
  for (const std::string& word : words) {
    const bool is_plain = !word.empty() && word.find_first_of(" \t\n\"'\\$`;&|<>()*?#~") == std::string::npos;
    std::string quoted = is_plain ? word : "'";
    if (!is_plain) {
      for (const char character : word)
        quoted += character == '\'' ? std::string("'\\''") : std::string(1, character);
      quoted += "'";
    }
    shown.push_back(std::move(quoted));
  }
  return joined(shown, " ");
}

}  // namespace davit::explain
