// SPDX-License-Identifier: Apache-2.0
// Programs and the messages of init as text: for `davit explain`, for --trace, and for everybody who reads an
// error.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "davit/base/text.hpp"
#include "davit/program/builder.hpp"
#include "davit/program/operations.hpp"

namespace davit::program {

/// The name of an operation as it stands in operations.hpp; "unknown" for none of ours.
const char* name(Op op);
/// The name of a rendezvous.
const char* name(Point point);

/// The names of flags, joined with ","; what has no name is appended in hexadecimal.
std::string clone_flags(u64 flags);
std::string mount_attributes(u64 attributes);
std::string mount_flags(u64 flags);
/// "CAP_CHOWN,CAP_KILL"
std::string capabilities(u64 mask);

/// String, list and operation access for readers of a finished program; anything outside of the image is
/// empty or null.
std::string_view text(std::span<const std::byte> image, Str str);
const Operation* find_operation(std::span<const std::byte> image, u32 index);

/// Calls `visit(const Operation&)` for each record in order.
template <typename Visitor>
void for_each_operation(std::span<const std::byte> image, Visitor&& visit) {
  const auto& header = *reinterpret_cast<const Header*>(image.data());
  for (u32 at = header.records; at < header.records_end;) {
    const auto& operation = *reinterpret_cast<const Operation*>(image.data() + at);
    if (operation.size == 0) return;
    visit(operation);
    at += operation.size;
  }
}

/// One operation on one line without its end: name and operands, flags decoded, slots as "#3".
std::string print_operation(std::span<const std::byte> image, const Operation& operation);

/// All operations, one numbered line each.
std::string print(const Program& program);

/// What failed, in words that fit before ": <strerror>": "mount proc on /proc (nosuid,noexec)". For details
/// that explain_themselves() the text is complete, with the words that engines look for.
Text<768> describe_failure(const Program& program, const Message& message);

/// Whether describe_failure() says everything, so that no strerror text belongs behind it.
bool explains_itself(Detail detail);

}  // namespace davit::program
