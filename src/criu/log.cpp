// SPDX-License-Identifier: Apache-2.0
// What CRIU's log says about a failure.
#include "davit/criu/worker.hpp"

#include "davit/base/fields.hpp"

namespace davit::criu {
namespace {

constexpr std::size_t kMost = 3;       // lines: the first says why, the later ones what came of it
constexpr std::size_t kLongest = 200;  // bytes of one
constexpr std::string_view kMark = "Error (";

/// "(00.012345)   1234: Error (criu/files.c:1): text" without the time and the place in CRIU's source.
std::string_view essence(std::string_view line) {
  const std::size_t mark = line.find(kMark);
  if (mark == std::string_view::npos) return {};
  const std::size_t end = line.find("): ", mark);
  std::string_view text = end == std::string_view::npos ? line.substr(mark) : line.substr(end + 3);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text.substr(0, kLongest);
}

}  // namespace

std::string errors_of(std::string_view log) {
  std::string result;
  std::size_t count = 0;
  while (!log.empty() && count < kMost) {
    const std::string_view text = essence(next_line(log));
    // That it failed is known.
    if (text.empty() || text.ends_with(" FAILED.") || result.find(text) != std::string::npos) continue;
    result.append(result.empty() ? "" : "; ").append(text);
    ++count;
  }
  for (char& character : result)
    if (static_cast<unsigned char>(character) < ' ' || character == 0x7f) character = '?';
  return result;
}

}  // namespace davit::criu
