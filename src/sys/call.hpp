// SPDX-License-Identifier: Apache-2.0
// Shared by the wrappers of this layer: retry on EINTR, errors that name the call.
#pragma once

#include <cerrno>
#include <string_view>

#include "davit/base/result.hpp"

namespace davit::sys {

/// Calls until the result is not EINTR; returns what the call returned (-1: see errno).
template <typename Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// `verb operand` with the present errno.
inline Error failed(std::string_view verb, std::string_view operand) {
  const int errno_value = errno;
  Text<768> message(verb);
  if (!operand.empty()) message.append(' ').append(operand);
  return system_error(errno_value, message);
}

}  // namespace davit::sys
