// SPDX-License-Identifier: Apache-2.0
// One call of davit: what a command gets to work with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "davit/cli/log.hpp"
#include "davit/cli/parser.hpp"
#include "davit/container/lifecycle.hpp"

namespace davit::cli {

class Invocation {
 public:
  Invocation(const Parsed& parsed, const Log& log) : parsed_(parsed), log_(log) {}

  [[nodiscard]] const Command& command() const { return *parsed_.command; }
  [[nodiscard]] const Arguments& options() const { return parsed_.arguments; }
  [[nodiscard]] const std::vector<std::string>& arguments() const { return parsed_.arguments.arguments(); }
  [[nodiscard]] const Log& log() const { return log_; }

  /// The state directory and how cgroups are made; made on first use, as some commands need neither.
  Result<container::Context*> context();
  /// Null when no command asked for it.
  [[nodiscard]] const container::Context* used_context() const { return context_ ? &*context_ : nullptr; }

  /// What the command is about, for the beginning of its errors: mostly the container id.
  std::string subject{};

 private:
  const Parsed& parsed_;
  const Log& log_;
  std::optional<container::Context> context_;
};

/// A whole decimal number up to 2^32 - 2 (the last one means "no id"); `what` names it in the error.
Result<std::uint32_t> parse_number(std::string_view text, std::string_view what);
/// Writes a result to stdout; an error when nobody can read it.
Result<void> print(std::string_view text);
/// --format: true for json. `table` is the default.
Result<bool> wants_json(const Arguments& options);

}  // namespace davit::cli
