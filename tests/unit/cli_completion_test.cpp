// SPDX-License-Identifier: Apache-2.0
// What the table of commands gives besides the parser: completions, man pages, help.
#include <gtest/gtest.h>

#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "cli/man_page.hpp"

namespace davit::cli {
namespace {

std::vector<std::string> ids_below(const std::string& root) {
  if (root == "/other") return {"far"};
  return {"web", "webhook", "db"};
}

/// The candidates, and ":files" or ":directories".
std::vector<std::string> next(std::vector<std::string> words) {
  const Completion completion = complete(std::move(words), ids_below);
  std::vector<std::string> all;
  for (const Candidate& one : completion.candidates) all.push_back(one.word);
  if (completion.paths != Paths::none)
    all.emplace_back(completion.paths == Paths::files ? ":files" : ":directories");
  return all;
}

using Words = std::vector<std::string>;

TEST(CliCompletion, OffersAllCommands) {
  EXPECT_EQ(next({"sta"}), (Words{"start", "state", "stats"}));
  for (const Command& command : commands())
    EXPECT_FALSE(next({std::string(command.name)}).empty()) << command.name;
}

TEST(CliCompletion, OffersOptionsThatAreShown) {
  EXPECT_EQ(next({"run", "--de"}), (Words{"--detach", "--debug"}));
  EXPECT_EQ(next({"run", "--no-sub"}), Words{});
  EXPECT_EQ(next({"--log-l"}), Words{"--log-level"});
  EXPECT_FALSE(complete({"run", "--detach"}, ids_below).candidates.front().description.empty());
}

TEST(CliCompletion, KnowsWhatValuesMayBe) {
  EXPECT_EQ(next({"--log-format", ""}), (Words{"text", "json"}));
  EXPECT_EQ(next({"--log-format=j"}), Words{"--log-format=json"});
  EXPECT_EQ(next({"--log-format", "=", "j"}), Words{"--log-format=json"});
  EXPECT_EQ(next({"--log-format", "="}), (Words{"--log-format=text", "--log-format=json"}));
  EXPECT_EQ(next({"create", "-b", ""}), Words{":directories"});
  EXPECT_EQ(next({"create", "--pid-file", "x"}), Words{":files"});
  EXPECT_EQ(next({"exec", "--env", ""}), Words{});
}

TEST(CliCompletion, OffersTheIdsOfTheChosenRoot) {
  EXPECT_EQ(next({"state", "web"}), (Words{"web", "webhook"}));
  EXPECT_EQ(next({"--root", "/other", "delete", "--force", ""}), Words{"far"});
  EXPECT_EQ(next({"--root=/other", "delete", ""}), Words{"far"});
  EXPECT_EQ(next({"--root", "=", "/other", "delete", ""}), Words{"far"});
  EXPECT_EQ(next({"stats", "web", ""}), (Words{"web", "webhook", "db"}));
}

TEST(CliCompletion, OffersNoIdWhereANewOneIsWanted) {
  EXPECT_EQ(next({"create", ""}), Words{});
  EXPECT_EQ(next({"run", ""}), Words{":directories"});
}

TEST(CliCompletion, KnowsTheArgumentsByTheirPlace) {
  EXPECT_EQ(next({"kill", "web", "US"}), (Words{"USR1", "USR2"}));
  EXPECT_EQ(next({"kill", "web", "TERM", ""}), Words{});
  EXPECT_EQ(next({"mounts", ""}), (Words{"add", "remove"}));
  EXPECT_EQ(next({"mounts", "add", "d"}), Words{"db"});
  EXPECT_EQ(next({"mounts", "add", "db", ""}), Words{":files"});
  EXPECT_EQ(next({"explain", "w"}), (Words{"web", "webhook", ":files"}));
  EXPECT_EQ(next({"exec", "web", "--us"}), Words{});
}

TEST(CliCompletion, HasScriptsThatAskDavit) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_NE(completion_script(shell).find("completion next"), std::string_view::npos) << shell;
  EXPECT_TRUE(completion_script("csh").empty());
}

TEST(CliTable, ValuesAreThoseThatTheHelpNames) {
  const auto check = [](std::span<const Option> options) {
    for (const Option& option : options) {
      std::string_view rest = option.values;
      while (!rest.empty()) {
        const std::string_view value = rest.substr(0, rest.find(' '));
        EXPECT_NE(option.help.find(value), std::string_view::npos) << option.name << ": " << value;
        rest.remove_prefix(std::min(value.size() + 1, rest.size()));
      }
    }
  };
  check(global_options());
  for (const Command& command : commands()) check(command.options);
}

TEST(CliTable, ExamplesCallTheirCommand) {
  for (const Command& command : commands()) {
    std::string_view rest = command.examples;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      EXPECT_NE(line.find("davit " + std::string(command.name)), std::string_view::npos) << line;
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    EXPECT_NE(help_text(command).find("Exit status: "), std::string::npos);
  }
}

TEST(CliManPage, HasTheSectionsThatPeopleLookFor) {
  for (const char* section :
       {"NAME", "SYNOPSIS", "EXIT STATUS", "FILES", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"})
    EXPECT_NE(man_page().find("\n.SH " + std::string(section) + "\n"), std::string::npos) << section;
  for (const Command& command : commands())
    EXPECT_NE(man_page().find("\n.BR davit\\-" + std::string(command.name) + " (1)"), std::string::npos)
        << command.name;
}

TEST(CliManPage, NamesTheOptionsAsAShellTakesThem) {
  const std::string page = man_page(*find_command("run"));
  EXPECT_NE(page.find("\\fB\\-d\\fR, \\fB\\-\\-detach\\fR\n"), std::string::npos) << page;
  EXPECT_NE(page.find("\\fB\\-\\-pid\\-file\\fR \\fIFILE\\fR\n"), std::string::npos);
  EXPECT_EQ(page.find("no\\-subreaper"), std::string::npos);
  EXPECT_NE(page.find("davit run \\-\\-rootfs"), std::string::npos);
}

}  // namespace
}  // namespace davit::cli
