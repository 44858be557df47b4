// SPDX-License-Identifier: Apache-2.0
#include "davit/container/id.hpp"

namespace davit::container {

namespace {

constexpr std::size_t kMaximumLength = 250;

constexpr bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
         c == '.' || c == '-';
}

Error bad_id(std::string_view why) {
  Text<768> message("invalid container ID format: ");
  message.append(why);
  Error error = make_error(Code::invalid_argument, message);
  error.advise("an id is made of letters, digits and _ + . - and has at most 250 of them");
  return error;
}

/// In the words of crun, whose callers look for them.
Error bad_character(std::string_view id, char c) {
  Text<128> why("invalid character `");
  why.append(c).append("` in the container ID `").append(id.substr(0, 60));
  return bad_id(why.append("`"));
}

}  // namespace

Result<void> check_id(std::string_view id) {
  if (id.empty()) return bad_id("it is empty");
  if (id.size() > kMaximumLength) return bad_id("it is too long");
  if (id == "." || id == "..") return bad_id("it is a directory");
  for (const char c : id)
    if (!allowed(c)) return bad_character(id, c);
  return {};
}

std::string id_from_path(std::string_view path) {
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  std::string id;
  for (const char c : path.substr(0, kMaximumLength - 10)) id += allowed(c) ? c : '-';
  // A leading dot or dash would make a hidden file or look like an option.
  const std::size_t first = id.find_first_not_of(".-");
  return first == std::string::npos ? "container" : id.substr(first);
}

}  // namespace davit::container
