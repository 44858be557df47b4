// SPDX-License-Identifier: Apache-2.0
// Descriptions of operations and of how they failed.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/error.hpp"
#include "davit/program/builder.hpp"

namespace davit::launch {

struct Failure {
  Code code = Code::system;
  Text<768> text;
  std::string_view advice{};
  bool shows_errno = true;
  bool is_label = false;
};

Failure describe_failure(const program::Program& program, const program::Message& message);
std::string operation_name(const program::Program& program, std::uint32_t index);

}  // namespace davit::launch
