// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "spec/sections.hpp"

namespace davit::spec {

void check_absolute(Report& report, const Position& position, std::string_view below, std::string_view path) {
  if (!path.starts_with('/'))
    report.error(position, below, text("must be an absolute path, is ", json::quoted(path)));
}

void check_list(Report& report, const Position& position, std::string_view below, std::string_view list) {
  const bool sane = std::all_of(list.begin(), list.end(), [](char character) {
    return (character >= '0' && character <= '9') ||
           std::string_view(",-:/ ").find(character) != std::string_view::npos;
  });
  if (!sane && list != "all")
    report.error(position, below, text("invalid list ", json::quoted(list)), "write it like \"0-3,7\"");
}

void check_interface(Report& report, const Position& position, std::string_view below,
                     std::string_view name) {
  constexpr std::size_t kMaximumName = 15;
  const bool sane = std::none_of(name.begin(), name.end(), [](char character) {
    return character == '/' || character == ':' || character == '%' || (character >= 0 && character <= ' ');
  });
  if (name.empty() || name.size() > kMaximumName || !sane || name == "." || name == "..")
    report.error(position, below, text("invalid network device name ", json::quoted(name)),
                 "at most 15 bytes without slash, colon and space");
}

void check_id(Report& report, const Position& position, std::string_view below, std::uint32_t id) {
  if (id == UINT32_MAX)
    report.error(position, below, "4294967295 is no id: the kernel takes it for \"none\"");
}

void check_device_number(Report& report, const Position& position, std::uint64_t major, std::uint64_t minor) {
  constexpr std::uint64_t kMaximumMajor = (1u << 12) - 1;
  constexpr std::uint64_t kMaximumMinor = (1u << 20) - 1;
  if (major > kMaximumMajor)
    report.error(position, "major", text("must be at most ", std::to_string(kMaximumMajor)));
  if (minor > kMaximumMinor)
    report.error(position, "minor", text("must be at most ", std::to_string(kMaximumMinor)));
}

bool has_newline(std::string_view text) {
  return text.find('\n') != std::string_view::npos;
}

}  // namespace davit::spec
