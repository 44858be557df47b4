// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include <algorithm>

namespace davit::cli {

namespace {

std::string left_side(const Option& option) {
  std::string text = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
  text.append("--").append(option.name);
  if (option.takes != Takes::nothing) text.append(" ").append(option.placeholder);
  return text;
}

void append_row(std::string& out, std::string_view left, std::string_view right, std::size_t width) {
  out.append("  ").append(left).append(width - left.size() + 2, ' ').append(right).append("\n");
}

// Options without a help text are accepted for the sake of callers and not shown.
void append_options(std::string& out, std::string_view title, std::span<const Option> options) {
  std::size_t width = 0;
  for (const Option& option : options)
    if (!option.help.empty()) width = std::max(width, left_side(option).size());
  if (width == 0) return;
  out.append("\n").append(title).append(":\n");
  for (const Option& option : options)
    if (!option.help.empty()) append_row(out, left_side(option), option.help, width);
}

std::string indented(std::string_view lines) {
  std::string out = "  ";
  for (const char c : lines) out.append(1, c).append(c == '\n' ? "  " : "");
  return out;
}

}  // namespace

std::string exit_status(const Command& command) {
  if (!command.exit_status.empty()) return std::string(command.exit_status);
  return "0; " + std::to_string(command.failure_status) + " after an error";
}

std::string help_text() {
  std::string out = "davit runs containers as the Open Container Initiative specifies them.\n\n";
  out.append("Usage: davit [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n");
  std::size_t width = 0;
  for (const Command& command : commands()) width = std::max(width, command.name.size());
  for (const Command& command : commands()) append_row(out, command.name, command.summary, width);
  append_options(out, "Options of all commands", global_options());
  out.append("\n`davit COMMAND --help` tells more about a command.\n");
  return out;
}

std::string help_text(const Command& command) {
  std::string out = "davit ";
  out.append(command.name).append(": ").append(command.summary).append("\n\nUsage: davit ");
  out.append(command.name);
  if (!command.options.empty()) out.append(" [OPTION...]");
  if (!command.arguments.empty()) out.append(" ").append(command.arguments);
  out.append("\n");
  if (!command.description.empty()) out.append("\n").append(command.description).append("\n");
  if (!command.examples.empty()) out.append("\nExamples:\n").append(indented(command.examples)).append("\n");
  append_options(out, "Options", command.options);
  append_options(out, "Options of all commands", global_options());
  out.append("\nExit status: ").append(exit_status(command)).append("\n");
  return out;
}

}  // namespace davit::cli
