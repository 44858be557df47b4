// SPDX-License-Identifier: Apache-2.0
#include "davit/host/mountinfo.hpp"

#include "davit/base/fields.hpp"

namespace davit::host {
namespace {

/// Spaces and the like stand in mountinfo as a backslash and three octal digits.
std::string unescape(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

void each_mount(std::string_view text, bool (*is_wanted)(std::string_view type),
                const std::function<void(MountInfo)>& handle) {
  while (!text.empty()) {
    const std::string_view line = next_field(text, '\n');
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view after = line.substr(dash + 3);
    MountInfo mount;
    mount.type = next_field(after, ' ');
    if (!is_wanted(mount.type)) continue;
    next_field(after, ' ');  // source
    mount.options = after;
    std::string_view before = line.substr(0, dash);
    for (int skipped = 0; skipped < 2; ++skipped) next_field(before, ' ');
    mount.device = next_field(before, ' ');
    mount.root = unescape(next_field(before, ' '));
    mount.mount_point = unescape(next_field(before, ' '));
    handle(std::move(mount));
  }
}

}  // namespace davit::host
