// SPDX-License-Identifier: Apache-2.0
#include "cli/man_page.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "cli/help.hpp"

namespace davit::cli {

namespace {

struct Entry {
  std::string_view name;
  std::string_view text;
};

constexpr Entry kFiles[] = {
    {"config.json", "in a bundle: what the container is to be, as the runtime specification says it"},
    {"/run/davit", "the state of the containers of root, a directory each; --root names another place"},
    {"$XDG_RUNTIME_DIR/davit", "the same for other users"},
    {"/etc/subuid, /etc/subgid", "the ids that a user may have in user namespaces"},
};

constexpr Entry kEnvironment[] = {
    {"XDG_RUNTIME_DIR", "where the state of a user's containers is kept, and where their session bus is"},
    {"DBUS_SESSION_BUS_ADDRESS", "the bus of the systemd that makes a user's cgroups"},
    {"NOTIFY_SOCKET", "passed into the container: what its process tells there arrives"},
    {"LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "sockets that were opened for the container's process"},
    {"TRACEPARENT", "the trace that --trace continues; hooks get one too"},
    {"COLUMNS, NO_COLOR, TERM", "how wide and how colourful `explain`, `validate` and `doctor` are"},
    {"PATH", "where newuidmap and newgidmap are found; no program of the container is"},
};

constexpr std::string_view kExitStatus =
    "0, or 1 after an error of davit. `run` in the foreground ends as the process did, or with 128 plus the "
    "number of the signal that ended it; so does `exec`, whose status after an error of davit is 255.";

constexpr std::string_view kExamples =
    "davit spec --bundle web                   # write an example of a config\n"
    "davit validate web/                       # what is wrong with it?\n"
    "davit explain web/                        # what does it get?\n"
    "davit run web/\n"
    "davit doctor                              # why does it not work here?";

// Dashes stay those that a shell knows, `words` become bold, and no line is taken for a request.
std::string roff(std::string_view text) {
  std::string out;
  bool is_bold = false;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '`')
      out += std::exchange(is_bold, !is_bold) ? "\\fR" : "\\fB";
    else if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

// As it was written, for calls.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '`'    ? "\\(ga"
           : c == '\'' ? "\\(aq"
           : c == '\\' ? "\\e"
           : c == '-'  ? "\\-"
                       : std::string(1, c);
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string heading(std::string_view name, std::string_view summary) {
  return ".TH " + roff(upper(name)) + " 1 \"\" \"davit " + version_number() +
         "\" \"User Commands\"\n.SH NAME\n" + roff(name) + " \\- " + roff(summary) + "\n";
}

void append_entry(std::string& out, std::string_view name, std::string_view text) {
  out.append(".TP\n.B ").append(roff(name)).append("\n").append(roff(text)).append("\n");
}

void append_options(std::string& out, std::string_view title, std::span<const Option> options) {
  if (std::all_of(options.begin(), options.end(), [](const Option& one) { return one.help.empty(); })) return;
  out.append(".SH ").append(title).append("\n");
  for (const Option& option : options) {
    if (option.help.empty()) continue;
    out.append(".TP\n");
    if (option.letter != 0) out.append("\\fB\\-").append(1, option.letter).append("\\fR, ");
    out.append("\\fB").append(roff("--" + std::string(option.name))).append("\\fR");
    if (option.takes != Takes::nothing) out.append(" \\fI").append(roff(option.placeholder)).append("\\fR");
    out.append("\n").append(roff(option.help)).append("\n");
  }
}

void append_examples(std::string& out, std::string_view examples) {
  if (examples.empty()) return;
  out.append(".SH EXAMPLES\n.nf\n").append(literal(examples)).append("\n.fi\n");
}

}  // namespace

std::string man_page() {
  std::string out = heading("davit", "run OCI containers");
  out.append(".SH SYNOPSIS\n\\fBdavit\\fR [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n");
  out.append(
      ".SH DESCRIPTION\ndavit runs containers as the Open Container Initiative specifies them: a bundle, "
      "which "
      "is a\n.I config.json\nand a root filesystem, becomes a running container. Engines call it; so can "
      "people.\n");
  out.append(".SH COMMANDS\n");
  for (const Command& command : commands())
    append_entry(out, std::string(command.name) + " " + std::string(command.arguments), command.summary);
  append_options(out, "OPTIONS OF ALL COMMANDS", global_options());
  out.append(".SH EXIT STATUS\n").append(roff(kExitStatus)).append("\n.SH FILES\n");
  for (const Entry& file : kFiles) append_entry(out, file.name, file.text);
  out.append(".SH ENVIRONMENT\n");
  for (const Entry& variable : kEnvironment) append_entry(out, variable.name, variable.text);
  append_examples(out, kExamples);
  out.append(".SH SEE ALSO\n");
  std::string others;
  for (const Command& command : commands())
    others.append(others.empty() ? "" : ",\n").append(".BR davit\\-").append(command.name).append(" (1)");
  return out.append(others).append("\n");
}

std::string man_page(const Command& command) {
  std::string out = heading("davit-" + std::string(command.name), command.summary);
  out.append(".SH SYNOPSIS\n\\fBdavit ").append(roff(command.name)).append("\\fR");
  if (!command.options.empty()) out.append(" [OPTION...]");
  out.append(" ").append(roff(command.arguments)).append("\n.SH DESCRIPTION\n");
  std::string summary(command.summary);
  if (!summary.empty())
    summary.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  out.append(roff(summary)).append(".\n");
  if (!command.description.empty()) out.append(".PP\n").append(roff(command.description)).append("\n");
  append_options(out, "OPTIONS", command.options);
  out.append(".PP\nThe options of all commands are in\n.BR davit (1).\n");
  out.append(".SH EXIT STATUS\n").append(roff(exit_status(command))).append(".\n");
  append_examples(out, command.examples);
  return out.append(".SH SEE ALSO\n.BR davit (1)\n");
}

}  // namespace davit::cli
