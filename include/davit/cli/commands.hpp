// SPDX-License-Identifier: Apache-2.0
// The one table of commands and options. Parsing, --help, the man pages and the completions are made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "davit/base/result.hpp"

namespace davit::cli {

enum class Takes : std::uint8_t { nothing, text, list };

struct Option {
  std::string_view name;  ///< without dashes
  char letter = 0;        ///< 0: none
  Takes takes = Takes::nothing;
  std::string_view placeholder{};  ///< of the argument, for help
  std::string_view help{};         ///< empty: accepted for other runtimes' callers, but without meaning here
  std::string_view values{};  ///< all that it may be, between spaces; empty: whatever the placeholder says
};

/// Where options may stand.
enum class Order : std::uint8_t {
  anywhere,          ///< also after the container id
  before_arguments,  ///< the first argument ends the options: what follows belongs to another program
};

class Invocation;

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view arguments;  ///< "ID [SIGNAL]", for help
  std::span<const Option> options;
  int least = 0;                                             ///< number of arguments
  int most = 0;                                              ///< -1: any number
  Result<int> (*handler)(Invocation& invocation) = nullptr;  ///< returns the exit status
  Order order = Order::anywhere;
  int failure_status = 1;          ///< exit status after an error of davit itself
  std::string_view description{};  ///< more for help; may be empty
  std::string_view examples{};     ///< calls, one a line; may be empty
  std::string_view exit_status{};  ///< where it is more than 0 or failure_status
};

std::span<const Option> global_options();
std::span<const Command> commands();
/// Null: there is none of that name.
const Command* find_command(std::string_view name);

}  // namespace davit::cli
