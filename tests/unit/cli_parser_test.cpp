// SPDX-License-Identifier: Apache-2.0
#include "davit/cli/parser.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cli/exec_user.hpp"
#include "cli/help.hpp"
#include "cli/update_flags.hpp"

namespace davit::cli {
namespace {

Parsed parse_line(const std::string& line) {
  static std::vector<std::string> kept;  // what the views point to
  kept.push_back(line);
  kept.reserve(4096);
  std::vector<std::string_view> words;
  std::string_view rest = kept.back();
  while (!rest.empty()) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    if (space > 0) words.push_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return parse(words);
}

std::string error_of(const Parsed& parsed) {
  return parsed.error ? std::string(parsed.error->message.view()) : std::string();
}

struct Call {
  const char* line;
  const char* command;
  const char* id;
};

// Word for word what the engines send (seen with podman, buildah, conmon, containerd, docker, cri-o,
// buildkit).
const Call kEngineCalls[] = {
    {"--systemd-cgroup --log-format=json --log /run/u/oci-log create --bundle /b --pid-file /p/pidfile C1",
     "create", "C1"},
    {"--log-format=json --log /l --cgroup-manager disabled create --bundle /b --pid-file /p C1", "create",
     "C1"},
    {"--systemd-cgroup create --bundle /b --pid-file /p --no-new-keyring C1", "create", "C1"},
    {"create --bundle /b --pid-file /p --no-pivot --no-new-keyring --preserve-fds 2 --console-socket /s C1",
     "create", "C1"},
    {"--root /r --log /l --log-format json create --bundle /b --pid-file /p --console-socket /s C1", "create",
     "C1"},
    {"create C1 --bundle /b", "create", "C1"},
    {"--root /r --systemd-cgroup start C1", "start", "C1"},
    {"--root /r --log /l --log-format json exec --process /f --detach --pid-file /p C1", "exec", "C1"},
    {"--root /r exec --process /f --console-socket /s --detach --pid-file /p C1", "exec", "C1"},
    {"--log-format=json --log /l exec --pid-file /p --process /f --detach C1", "exec", "C1"},
    {"exec --process /f --pidfd-socket /s C1", "exec", "C1"},
    {"kill C1 9", "kill", "C1"},
    {"kill --all C1 9", "kill", "C1"},
    {"kill -a C1 KILL", "kill", "C1"},
    {"delete --force C1", "delete", "C1"},
    {"delete C1", "delete", "C1"},
    {"pause C1", "pause", "C1"},
    {"resume C1", "resume", "C1"},
    {"ps --format json C1", "ps", "C1"},
    {"update --resources=- C1", "update", "C1"},
    {"update --resources=/var/tmp/podman1 C1", "update", "C1"},
    {"--root /r update --resources - C1", "update", "C1"},
    {"--systemd-cgroup state buildah-1", "state", "buildah-1"},
    {"--log /l --log-format json run --bundle /b --no-pivot --keep C1", "run", "C1"},
    {"run -no-subreaper -bundle /b C1", "run", "C1"},
    {"run --systemd-cgroup=true --config /f C1", "run", "C1"},
};

TEST(CliParser, AcceptsTheCallsOfEveryEngine) {
  for (const Call& call : kEngineCalls) {
    const Parsed parsed = parse_line(call.line);
    ASSERT_EQ(error_of(parsed), "") << call.line;
    ASSERT_NE(parsed.command, nullptr) << call.line;
    EXPECT_EQ(parsed.command->name, call.command) << call.line;
    ASSERT_FALSE(parsed.arguments.arguments().empty()) << call.line;
    EXPECT_EQ(parsed.arguments.arguments().front(), call.id) << call.line;
  }
}

TEST(CliParser, KeepsTheValues) {
  const Parsed parsed = parse_line("--log=/l --root /r create -b /b1 -bundle=/b2 C1 --no-pivot --debug");
  EXPECT_EQ(parsed.arguments.text("log"), "/l");
  EXPECT_EQ(parsed.arguments.text("root"), "/r");
  EXPECT_EQ(parsed.arguments.text("bundle"), "/b2") << "the last one counts";
  EXPECT_TRUE(parsed.arguments.flag("no-pivot"));
  EXPECT_TRUE(parsed.arguments.flag("debug")) << "global options are also taken after the command";
  EXPECT_FALSE(parsed.arguments.given("pid-file"));
}

TEST(CliParser, SwitchesTakeTrueAndFalse) {
  EXPECT_TRUE(parse_line("run --detach=true C").arguments.flag("detach"));
  EXPECT_FALSE(parse_line("run --detach --detach=false C").arguments.flag("detach"));
  EXPECT_TRUE(parse_line("exec -dt C sh").arguments.flag("tty"));
  EXPECT_NE(error_of(parse_line("run --detach=maybe C")), "");
}

TEST(CliParser, ListsAreNotSplitAtCommas) {
  const Parsed parsed = parse_line("exec -e A=1,2 --env B=3 C env");
  EXPECT_EQ(parsed.arguments.list("env"), (std::vector<std::string>{"A=1,2", "B=3"}));
}

TEST(CliParser, WhatFollowsTheIdOfExecBelongsToTheCommand) {
  EXPECT_EQ(parse_line("exec C ls -l --help").arguments.arguments(),
            (std::vector<std::string>{"C", "ls", "-l", "--help"}));
  EXPECT_EQ(parse_line("ps C -aux").arguments.arguments(), (std::vector<std::string>{"C", "-aux"}));
  EXPECT_EQ(parse_line("exec -- C -x").arguments.arguments(), (std::vector<std::string>{"C", "-x"}));
}

TEST(CliParser, TwoDashesEndTheOptions) {
  const Parsed parsed = parse_line("run --rootfs /r -- ls --detach");
  EXPECT_EQ(parsed.arguments.arguments(), (std::vector<std::string>{"ls", "--detach"}));
  EXPECT_FALSE(parsed.arguments.given("detach"));
}

TEST(CliParser, ErrorsHaveTheWordsThatCallersKnow) {
  EXPECT_EQ(error_of(parse_line("create --bundle")), "flag needs an argument: --bundle");
  EXPECT_EQ(error_of(parse_line("restore --lsm-mount-context")),
            "flag needs an argument: --lsm-mount-context");
  EXPECT_EQ(error_of(parse_line("create")), "\"create\" requires exactly 1 argument(s)");
  EXPECT_EQ(error_of(parse_line("start a b")), "\"start\" requires exactly 1 argument(s)");
  EXPECT_EQ(error_of(parse_line("exec")), "\"exec\" requires a minimum of 1 argument(s)");
  EXPECT_EQ(error_of(parse_line("kill a 9 b")), "\"kill\" requires a maximum of 2 argument(s)");
  EXPECT_TRUE(parse_line("create").wrong_count);
  EXPECT_EQ(error_of(parse_line("create --nonsense C")), "flag provided but not defined: --nonsense");
  EXPECT_EQ(error_of(parse_line("mount C")), "unknown command \"mount\"");
}

std::string advice_of(const std::string& line) {
  const Parsed parsed = parse_line(line);
  return parsed.error ? std::string(parsed.error->advice.view()) : std::string();
}

TEST(CliParser, HabitsFromOtherProgramsAreAnswered) {
  const struct {
    const char* line;
    const char* advice;
  } cases[] = {
      {"rm C", "davit delete ID"},
      {"stop C", "davit kill ID"},
      {"logs C", "davit keeps none"},
      {"inspect C", "davit state ID"},
      {"images", "an engine"},
      {"ls", "davit list"},
      {"creat C", "did you mean `davit create`?"},
      {"RUN C", "did you mean `davit run`?"},
      {"nosuchcommand", "`davit --help` lists the commands"},
      {"exec -it C sh", "the standard input is always passed on"},
      {"exec -i C sh", "the standard input is always passed on"},
      {"exec -w / C sh", "--cwd"},
      {"run --rm C", "deletes the container when it ends"},
      {"run --name C b/", "the id is the argument"},
      {"run -v /a:/b C", "`mounts` of config.json"},
      {"run sh -c true", "come behind --"},
      {"kill -9 C", "davit kill ID 9"},
      {"kill -KILL C", "davit kill ID KILL"},
      {"kill -s KILL C", "davit kill ID SIGNAL"},
      {"list -a", "always shows all"},
      {"ps -a", "`davit list` lists containers"},
      {"create --bunlde /b C", "did you mean --bundle?"},
      {"--rot /r list", "did you mean --root?"},
      {"create --nonsense C", "see `davit create --help`"},
  };
  for (const auto& one : cases)
    EXPECT_NE(advice_of(one.line).find(one.advice), std::string::npos)
        << one.line << ": " << advice_of(one.line);
}

TEST(CliParser, HelpWinsOverEverything) {
  EXPECT_TRUE(parse_line("--help").help);
  EXPECT_TRUE(parse_line("create -h").help);
  EXPECT_TRUE(parse_line("help run").help);
  const Parsed probe = parse_line("checkpoint --help");
  EXPECT_TRUE(probe.help);
  EXPECT_FALSE(probe.error);
  EXPECT_TRUE(parse_line("--version").version);
  EXPECT_TRUE(parse_line("-v").version);
}

TEST(CliParser, RestoreAsTheContainerdShimCallsIt) {
  const Parsed parsed = parse_line("restore --bundle /b --image-path /i -no-subreaper --tcp-close C");
  EXPECT_EQ(error_of(parsed), "");
  EXPECT_EQ(parsed.command->name, "restore");
}

TEST(CliCommands, NamesAndLettersAreUnique) {
  std::set<std::string_view> names;
  for (const Command& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.handler, nullptr) << command.name;
    std::set<std::string_view> options;
    std::set<char> letters;
    for (const Option& option : command.options) {
      EXPECT_TRUE(options.insert(option.name).second) << command.name << " --" << option.name;
      if (option.letter != 0) {
        EXPECT_TRUE(letters.insert(option.letter).second) << command.name << " -" << option.letter;
        EXPECT_NE(option.letter, 'h') << command.name;
      }
    }
  }
}

TEST(CliHelp, NamesEveryCommandAndItsOptions) {
  for (const Command& command : commands()) {
    EXPECT_NE(help_text().find(command.name), std::string::npos);
    const std::string text = help_text(command);
    for (const Option& option : command.options)
      EXPECT_EQ(text.find("--" + std::string(option.name)) != std::string::npos, !option.help.empty())
          << command.name << " --" << option.name;
  }
}

TEST(CliVersion, HasTheLinesThatEnginesRead) {
  const std::string text = version_text();
  EXPECT_TRUE(text.starts_with("davit version "));
  EXPECT_NE(text.find("\ncommit: "), std::string::npos);
  EXPECT_NE(text.find("\nspec: 1.3.0\n"), std::string::npos);
  EXPECT_NE(text.find("\n+"), std::string::npos);
}

TEST(CliExecUser, IsExactlyWhatWasWritten) {
  EXPECT_EQ(parse_exec_user("1")->uid, 1u);
  EXPECT_FALSE(parse_exec_user("1")->gid);
  EXPECT_EQ(parse_exec_user("1:2")->gid, 2u);
  EXPECT_EQ(parse_exec_user("01")->uid, 1u);
  EXPECT_EQ(parse_exec_user("4294967294")->uid, 4294967294u);
  for (const char* bad :
       {"", "1:", ":2", "-1", "4294967295", "4294967296", "root", "1 ", " 1", "1:2:3", "0x1", "+1"})
    EXPECT_FALSE(parse_exec_user(bad).ok()) << bad;
}

TEST(CliUpdate, FlagsBecomeResources) {
  const auto text = resources_from_flags(
      parse_line("update C --memory 64M --cpu-quota 5000 --cpuset-cpus 0-1 --pids-limit -1 --memory-swap=-1")
          .arguments);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text,
            "{\"memory\":{\"limit\":67108864,\"swap\":-1},\"cpu\":{\"quota\":5000,\"cpus\":\"0-1\"},"
            "\"pids\":{\"limit\":-1}}");
  EXPECT_EQ(*resources_from_flags(parse_line("update C").arguments), "");
  EXPECT_FALSE(resources_from_flags(parse_line("update C --pids-limit 5k").arguments).ok());
  const auto byte = resources_from_flags(parse_line("update C --memory 1").arguments);
  ASSERT_FALSE(byte.ok());
  EXPECT_NE(byte.error().message.view().find("--memory"), std::string_view::npos);
  EXPECT_NE(byte.error().advice.view().find("1M"), std::string_view::npos);
  for (const char* bad : {"", "k", "1x", "1kk", "-1k", "10X", "9223372036854775807k", "1.5G"})
    EXPECT_FALSE(parse_bytes(bad, "memory").ok()) << bad;
}

}  // namespace
}  // namespace davit::cli
