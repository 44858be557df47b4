// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include "cli/handlers.hpp"
#include "cli/help.hpp"
#include "cli/invocation.hpp"
#include "davit/cli/commands.hpp"

namespace davit::cli {

namespace {

// "--bundle --pid-file ..." of the options that are shown.
std::string option_words(std::span<const Option> options) {
  std::string words;
  for (const Option& option : options)
    if (!option.help.empty()) words.append(words.empty() ? "--" : " --").append(option.name);
  return words;
}

// Whether the first argument is the id of a container that exists.
bool takes_id(const Command& command) {
  return command.arguments.starts_with("ID") && command.name != "create" && command.name != "run";
}

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '-') out += '\\';
    out += c;
    if (c == '\n') out += ".br\n";
  }
  return out;
}

void append_options(std::string& out, std::span<const Option> options) {
  for (const Option& option : options) {
    if (option.help.empty()) continue;
    out.append(".TP\n.B ");
    if (option.letter != 0) out.append(roff("-")).append(1, option.letter).append(", ");
    out.append(roff("--")).append(roff(option.name));
    if (option.takes != Takes::nothing) out.append(" ").append(roff(option.placeholder));
    out.append("\n").append(roff(option.help)).append("\n");
  }
}

}  // namespace

std::string bash_completion() {
  std::string names;
  std::string cases;
  for (const Command& command : commands()) {
    names.append(names.empty() ? "" : " ").append(command.name);
    cases.append("    ").append(command.name).append(") words=\"").append(option_words(command.options));
    cases.append("\"");
    if (takes_id(command)) cases.append("; ids=yes");
    cases.append(" ;;\n");
  }
  return "# bash completion of davit\n"
         "_davit() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} command= words= ids= word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \" " +
         names +
         " \" in *\" $word \"*) command=$word; break ;; esac\n"
         "  done\n"
         "  case $command in\n"
         "    '') words=\"" +
         names + " " + option_words(global_options()) + "\" ;;\n" + cases +
         "  esac\n"
         "  if [[ $ids && $current != -* ]]; then words=$(davit list --quiet 2>/dev/null); fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _davit davit\n";
}

std::string man_page() {
  std::string out =
      ".TH DAVIT 8 \"\" \"davit " + version_number() + "\"\n.SH NAME\ndavit " + roff("- run containers") +
      "\n.SH SYNOPSIS\n.B davit\n[OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n"
      ".SH DESCRIPTION\ndavit runs containers as the Open Container Initiative specifies them.\n"
      ".SH OPTIONS OF ALL COMMANDS\n";
  append_options(out, global_options());
  out.append(".SH COMMANDS\n");
  for (const Command& command : commands()) {
    out.append(".SS ").append(command.name).append(" ").append(roff(command.arguments)).append("\n");
    out.append(roff(command.summary)).append(".\n");
    if (!command.description.empty()) out.append(".PP\n").append(roff(command.description)).append("\n");
    append_options(out, command.options);
  }
  out.append(
      ".SH EXIT STATUS\n"
      ".B run\nand\n.B exec\nin the foreground end with the status of the process, or 128 plus the number of "
      "the "
      "signal that killed it. After an error of davit itself the status is 1, of\n.B exec\n255.\n"
      ".SH FILES\n.TP\n/run/davit\nthe state of the containers of root\n");
  return out;
}

Result<int> command_completion(Invocation& invocation) {
  const std::string kind = invocation.arguments().empty() ? "bash" : invocation.arguments().front();
  if (kind != "bash" && kind != "man")
    return make_error(Code::invalid_argument, "there are only \"bash\" and \"man\"");
  TRY(print(kind == "bash" ? bash_completion() : man_page()));
  return 0;
}

}  // namespace davit::cli
