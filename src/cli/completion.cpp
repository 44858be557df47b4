// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

#include <algorithm>
#include <utility>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/man_page.hpp"
#include "davit/base/fields.hpp"
#include "davit/cli/commands.hpp"
#include "davit/container/signals.hpp"
#include "davit/container/store.hpp"

namespace davit::cli {

namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::string_view word = next_word(text);
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

/// What may stand at the place of an argument: of "ID [SIGNAL]" at 1 it is SIGNAL, of "[BUNDLE | -]" at 0
/// both.
std::vector<std::string> alternatives_at(std::string_view arguments, std::size_t place) {
  std::vector<std::vector<std::string>> places;
  bool is_repeated = false;
  bool joined = false;
  for (std::string_view word : split(arguments)) {
    joined = joined || word == "|";
    if (word == "|") continue;
    while (word.starts_with('[')) word.remove_prefix(1);
    while (word.ends_with(']')) word.remove_suffix(1);
    is_repeated = word.ends_with("...");
    if (is_repeated) word.remove_suffix(3);
    if (!joined || places.empty()) places.emplace_back();
    joined = false;
    std::string name;
    for (const char c : std::string(word) + "|") {
      if (c != '|')
        name += c;
      else
        places.back().push_back(std::exchange(name, ""));
    }
  }
  if (places.empty() || (place >= places.size() && !is_repeated)) return {};
  return places[std::min(place, places.size() - 1)];
}

/// Whether an id among the arguments is that of a container which is still to be made.
bool makes_container(const Command& command) {
  return command.name == "create" || command.name == "run" || command.name == "restore";
}

class Completer {
 public:
  Completer(std::vector<std::string> words, const IdsBelow& ids_below)
      : words_(std::move(words)), ids_below_(ids_below) {}

  Completion run() {
    current_ = words_.back();
    words_.pop_back();
    for (const std::string& word : words_) pass(word);
    const std::size_t equals = current_.find('=');
    if (awaiting_ != nullptr) {
      offer_values(*awaiting_);
    } else if (!only_arguments_ && current_.starts_with('-') && equals != std::string::npos) {
      prefix_ = current_.substr(0, equals + 1);
      if (const Option* option = find(current_.substr(0, equals))) offer_values(*option);
    } else if (!only_arguments_ && current_.starts_with('-')) {
      if (command_ != nullptr) offer_options(command_->options);
      offer_options(global_options());
    } else if (command_ == nullptr) {
      for (const Command& command : commands()) offer(command.name, command.summary);
    } else {
      for (const std::string& name : alternatives_at(command_->arguments, arguments_)) offer_kind(name);
    }
    return std::move(found_);
  }

 private:
  // The rules are those of the parser, but nothing is wrong on the way to something right.
  void pass(const std::string& word) {
    if (awaiting_ != nullptr) {
      if (awaiting_->name == "root") root_ = word;
      awaiting_ = nullptr;
      return;
    }
    if (!only_arguments_ && word == "--") {
      only_arguments_ = true;
    } else if (!only_arguments_ && word.starts_with('-') && word != "-") {
      const std::size_t equals = word.find('=');
      const Option* option = find(word.substr(0, equals));
      if (option == nullptr || option->takes == Takes::nothing) return;
      if (equals == std::string::npos)
        awaiting_ = option;
      else if (option->name == "root")
        root_ = word.substr(equals + 1);
    } else if (command_ == nullptr) {
      command_ = find_command(word);
    } else {
      ++arguments_;
      if (command_->order == Order::before_arguments) only_arguments_ = true;
    }
  }

  const Option* find(std::string_view word) const {
    const std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    const auto among = [&](std::span<const Option> options) -> const Option* {
      for (const Option& option : options)
        if (option.name == name || (name.size() == 1 && option.letter == name.front())) return &option;
      return nullptr;
    };
    const Option* own = command_ != nullptr ? among(command_->options) : nullptr;
    return own != nullptr ? own : among(global_options());
  }

  void offer(std::string_view word, std::string_view description = {}) {
    std::string whole = prefix_ + std::string(word);
    if (whole.starts_with(current_))
      found_.candidates.push_back({std::move(whole), std::string(description)});
  }

  void offer_options(std::span<const Option> options) {
    for (const Option& option : options)
      if (!option.help.empty()) offer("--" + std::string(option.name), option.help);
  }

  void offer_values(const Option& option) {
    for (const std::string_view value : split(option.values)) offer(value);
    if (option.values.empty()) offer_kind(std::string(option.placeholder));
  }

  // Words in capitals are kinds of things, others are what is to be written.
  void offer_kind(const std::string& name) {
    if (name == "ID" && (command_ == nullptr || !makes_container(*command_))) {
      for (const std::string& id : ids_below_(root_)) offer(id);
    } else if (name == "SIGNAL") {
      for (const std::string_view signal : container::signal_names()) offer(signal);
    } else if (name == "FILE" || name == "SOCKET" || name == "PATH" || name == "OTHER") {
      found_.paths = Paths::files;
    } else if (name == "DIR" || name == "BUNDLE" || name == "BUNDLE/") {
      found_.paths = std::max(found_.paths, Paths::directories);
    } else if (name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos && name != "-") {
      offer(name);
    }
  }

  std::vector<std::string> words_;
  const IdsBelow& ids_below_;
  std::string current_;
  std::string prefix_;  ///< "--option=" of the word that is completed
  std::string root_;
  const Command* command_ = nullptr;
  const Option* awaiting_ = nullptr;  ///< the option whose value comes next
  std::size_t arguments_ = 0;
  bool only_arguments_ = false;
  Completion found_;
};

/// "--root" "=" "x" is "--root=x".
std::vector<std::string> without_splits(std::vector<std::string> words) {
  std::vector<std::string> whole;
  bool goes_on = false;
  for (std::string& word : words) {
    const bool is_split = word == "=" && !whole.empty() && whole.back().starts_with("--");
    if (is_split || goes_on)
      whole.back() += word;
    else
      whole.push_back(std::move(word));
    goes_on = is_split;
  }
  return whole;
}

std::vector<std::string> ids_below(const std::string& root) {
  const auto store = container::Store::at(root);
  if (!store.ok()) return {};
  auto ids = store->ids();
  return ids.ok() ? std::move(*ids) : std::vector<std::string>();
}

std::string lines_of(const Completion& completion) {
  std::string out;
  for (const Candidate& one : completion.candidates) {
    out.append(one.word);
    if (!one.description.empty()) out.append("\t").append(one.description);
    out.append("\n");
  }
  if (completion.paths == Paths::files) out.append(":files\n");
  if (completion.paths == Paths::directories) out.append(":directories\n");
  return out;
}

}  // namespace

Completion complete(std::vector<std::string> words, const IdsBelow& ids_below) {
  if (words.empty()) words.emplace_back();
  return Completer(without_splits(std::move(words)), ids_below).run();
}

Result<int> command_completion(Invocation& invocation) {
  const std::vector<std::string>& words = invocation.arguments();
  const std::string kind = words.empty() ? "bash" : words.front();
  if (kind == "next") {
    TRY(print(lines_of(complete({words.begin() + 1, words.end()}, ids_below))));
    return 0;
  }
  if (kind == "man") {
    const Command* command = words.size() > 1 ? find_command(words[1]) : nullptr;
    if (words.size() > 1 && command == nullptr)
      return make_error(Code::invalid_argument, "davit has no such command: there is no page about it");
    TRY(print(command != nullptr ? man_page(*command) : man_page()));
    return 0;
  }
  const std::string_view script = completion_script(kind);
  if (script.empty()) return make_error(Code::invalid_argument, "it is for bash, zsh and fish, or \"man\"");
  TRY(print(script));
  return 0;
}

}  // namespace davit::cli
