// SPDX-License-Identifier: Apache-2.0
// From argv to a command with its options, by the rules that runc's callers are used to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/error.hpp"
#include "davit/cli/commands.hpp"

namespace davit::cli {

/// The options that were given (in order) and the arguments.
class Arguments {
 public:
  [[nodiscard]] bool given(std::string_view name) const;
  /// A switch; the last one counts ("--detach=false").
  [[nodiscard]] bool flag(std::string_view name) const;
  /// The last value; empty when there is none.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& arguments() const { return arguments_; }

  void add(const Option& option, std::string value) { options_.push_back({option.name, std::move(value)}); }
  void add_argument(std::string value) { arguments_.push_back(std::move(value)); }

 private:
  struct Given {
    std::string_view name;
    std::string value;  ///< "true" or "false" for a switch
  };
  std::vector<Given> options_;
  std::vector<std::string> arguments_;
};

struct Parsed {
  const Command* command = nullptr;  ///< null: none was named
  Arguments arguments;
  bool help = false;
  bool version = false;
  bool wrong_count = false;  ///< of arguments: the help is printed along with the error
  std::optional<Error> error;
};

/// Parses everything after argv[0]; never fails loudly: see `error`.
Parsed parse(const std::vector<std::string_view>& words);

}  // namespace davit::cli
