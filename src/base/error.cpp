// SPDX-License-Identifier: Apache-2.0
#include "davit/base/error.hpp"

#include <cstring>
#include <new>

namespace davit {

Error& Error::wrap(std::string_view text) {
  const Text<768> inner = message;
  message.clear();
  message.append(text).append(": ").append(inner);
  return *this;
}

Error& Error::advise(std::string_view text) {
  if (advice.empty()) advice.append(text);
  return *this;
}

Error make_error(Code code, std::string_view message) {
  Error error;
  error.code = code;
  error.message.append(message);
  return error;
}

Error system_error(int errno_value, std::string_view message) {
  Error error = make_error(Code::system, message);
  error.errno_value = errno_value;
  return error;
}

void place_error(Error* at, const Error& error) {
  new (at) Error(error);
}

Text<1536> describe(const Error& error) {
  Text<1536> text;
  const Location& where = error.where;
  if (!where.file.empty()) {
    text.append(where.file);
    if (where.line != 0) text.append(':').append_number(where.line).append(':').append_number(where.column);
    text.append(": ");
  }
  if (!where.pointer.empty()) text.append(where.pointer).append(": ");
  text.append(error.message);
  if (error.errno_value != 0) text.append(": ").append(errno_text(error.errno_value));
  return text;
}

const char* errno_text(int errno_value) {
  const char* text = strerrordesc_np(errno_value);
  return text != nullptr ? text : "Unknown error";
}

const char* errno_name(int errno_value) {
  const char* name = strerrorname_np(errno_value);
  return name != nullptr ? name : "unknown errno";
}

}  // namespace davit
