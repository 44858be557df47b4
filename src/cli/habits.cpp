// SPDX-License-Identifier: Apache-2.0
#include "cli/habits.hpp"

#include <algorithm>
#include <vector>

#include "davit/container/signals.hpp"

namespace davit::cli {

namespace {

struct Habit {
  std::string_view words;  ///< between spaces
  std::string_view advice;
};

constexpr std::string_view kEngine =
    "that is the work of an engine (podman, docker, nerdctl): davit runs bundles, a config.json and a "
    "directory";

constexpr Habit kCommandHabits[] = {
    {" rm remove del destroy ", "`davit delete ID`, with --force also when it runs"},
    {" stop terminate end ", "`davit kill ID` sends SIGTERM, `davit delete --force ID` ends it in any case"},
    {" restart ", "a container runs once: `davit delete --force ID`, then `davit run`"},
    {" logs log ",
     "davit keeps none: what a container writes goes where stdout and stderr of `davit run` went"},
    {" inspect show status ", "`davit state ID`; its config is the bundle's config.json"},
    {" ls containers ", "`davit list`"},
    {" top ", "`davit ps ID`, or `davit stats ID` for what it uses"},
    {" unpause thaw continue ", "`davit resume ID`"},
    {" freeze suspend ", "`davit pause ID`"},
    {" enter attach shell sh bash ", "`davit exec -t ID sh` runs a shell in a container"},
    {" init new ", "`davit spec` writes a config.json"},
    {" info ", "`davit features` says what davit can do, `davit --version` what it is"},
    {" version ", "`davit --version`"},
    {" container pod ", "leave that word out: davit knows nothing but containers"},
    {" cp export diff ", "a container's files are those of its bundle's rootfs: any program can copy them"},
    {" rename ", "a container keeps its id: delete it, and run it with another"},
    {" build pull push image images rmi tag save load import login logout search commit history manifest ",
     kEngine},
    {" network volume compose system port secret play kube swarm service stack node builder plugin ",
     kEngine},
};

struct OptionHabit {
  std::string_view commands;  ///< between spaces; empty: of all
  std::string_view options;   ///< without dashes, between spaces
  std::string_view advice;
};

constexpr OptionHabit kOptionHabits[] = {
    {" exec ", " i interactive it ti ",
     "the standard input is always passed on; -t gives a terminal: `davit exec -t ID sh`"},
    {" exec ", " w workdir ", "the working directory of an exec is --cwd DIR"},
    {" exec ", " privileged ", "give it what it needs with --cap CAPABILITY"},
    {" exec ", " env-file detach-keys ", "davit has no such thing; --env NAME=VALUE may be repeated"},
    {" run create ", " rm ", "`davit run` deletes the container when it ends, unless --keep is given"},
    {" run create ", " i t it ti interactive tty ",
     "the standard input is always passed on; a terminal is process.terminal in config.json"},
    {" run create ", " name ", "the id is the argument: `davit run --bundle DIR ID`"},
    {" run create ", " v volume mount tmpfs ", "volumes stand in `mounts` of config.json"},
    {" run create ", " p publish expose network net ip dns ",
     "davit sets up no network: an engine or a hook does, in the network namespace of config.json"},
    {" run create ", " e env env-file ", "variables stand in process.env of config.json"},
    {" run create ", " u user w workdir cwd entrypoint cap-add cap-drop ulimit ",
     "what runs, as whom and where stands in `process` of config.json"},
    {" run create ", " m memory cpus cpu-shares cpuset-cpus pids-limit device cpu-quota ",
     "limits stand in linux.resources of config.json; `davit update` changes them later"},
    {" run create ", " privileged security-opt read-only hostname pid ipc uts userns ",
     "what a container may do and see stands in config.json: `davit spec` writes one to start from"},
    {" run ", " image pull restart ",
     "davit knows no images: it runs a bundle, a config.json and a directory with the files"},
    {" kill ", " s signal ", "the signal is an argument: `davit kill ID SIGNAL`"},
    {" list ", " a all ", "`davit list` always shows all"},
    {" list ", " no-trunc filter n last ",
     "`davit list` shows all and cuts nothing; --format json is for programs"},
    {" ps ", " a all q ", "`davit list` lists containers; `davit ps ID` lists the processes of one"},
    {" delete ", " v volumes a all ",
     "davit has no volumes; --regex and an expression delete several containers"},
    {" state ", " f format ", "`davit state` prints JSON: pipe it through jq"},
    {" update ", " cpus ", "--cpu-quota and --cpu-period: 1.5 CPUs are 150000 of 100000"},
    {"", " D ", "did you mean --debug?"},
    {"", " H host context config ", "davit is no client of a server: it runs the container itself"},
};

bool has_word(std::string_view words, std::string_view word) {
  const std::string wanted = " " + std::string(word) + " ";
  return word.find(' ') == std::string_view::npos && words.find(wanted) != std::string_view::npos;
}

/// How many letters have to be changed, added, left out or exchanged with their neighbours.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> cost(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= right.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i)
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[left.size()][right.size()];
}

std::string lower(std::string_view text) {
  std::string result(text.substr(0, 40));
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// The name that was probably meant; empty: none is near. A short word has to be nearer.
std::string_view nearest(std::string_view written, const std::vector<std::string_view>& names) {
  const std::string word = lower(written);
  std::size_t best = word.size() < 4 ? 2 : 3;
  std::string_view found;
  for (const std::string_view name : names) {
    const std::size_t steps = distance(word, name);
    if (steps < best) {
      best = steps;
      found = name;
    }
  }
  return found;
}

std::string_view name_of(std::string_view written) {
  written.remove_prefix(std::min(written.find_first_not_of('-'), written.size()));
  return written.substr(0, written.find('='));
}

std::string_view habit_of(std::string_view command, std::string_view name) {
  for (const OptionHabit& habit : kOptionHabits)
    if ((habit.commands.empty() || has_word(habit.commands, command)) && has_word(habit.options, name))
      return habit.advice;
  return {};
}

bool is_option_of_a_command(std::string_view name) {
  for (const Command& command : commands())
    for (const Option& option : command.options)
      if (!option.help.empty() && (option.name == name || (name.size() == 1 && option.letter == name[0])))
        return true;
  return false;
}

}  // namespace

std::string advice_on_command(std::string_view word) {
  for (const Habit& habit : kCommandHabits)
    if (has_word(habit.words, word)) return std::string(habit.advice);
  if (word.find('/') != std::string_view::npos) return "to run a bundle: `davit run BUNDLE/`";
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  const std::string_view meant = nearest(word, names);
  if (meant.empty()) return "`davit --help` lists the commands";
  return "did you mean `davit " + std::string(meant) + "`?";
}

std::string advice_on_option(const Command* command, std::string_view written) {
  const std::string_view name = name_of(written);
  const std::string_view of = command != nullptr ? command->name : std::string_view();
  if (of == "kill" && container::parse_signal(name).ok())
    return "the signal is the last argument: `davit kill ID " + std::string(name) + "`";
  if (const std::string_view habit = habit_of(of, name); !habit.empty()) return std::string(habit);
  if (command == nullptr && is_option_of_a_command(name))
    return "options of a command stand behind it: `davit COMMAND " + std::string(written.substr(0, 60)) +
           " ...`";
  std::vector<std::string_view> names;
  const auto add = [&](std::span<const Option> options) {
    for (const Option& option : options)
      if (!option.help.empty()) names.push_back(option.name);
  };
  if (command != nullptr) add(command->options);
  add(global_options());
  const std::string_view meant = name.size() > 1 ? nearest(name, names) : std::string_view();
  if (!meant.empty()) return "did you mean --" + std::string(meant) + "?";
  if (of == "run")
    return "options of what runs in the container come behind --: `davit run --rootfs DIR -- sh -c ...`; see "
           "`davit run --help`";
  return command == nullptr ? "`davit --help` lists the options"
                            : "see `davit " + std::string(of) + " --help`";
}

}  // namespace davit::cli
