// SPDX-License-Identifier: Apache-2.0
#include "davit/cli/parser.hpp"

#include <algorithm>
#include <span>

#include "cli/habits.hpp"

namespace davit::cli {

namespace {

const Option* find_name(std::span<const Option> options, std::string_view name) {
  const auto found = std::find_if(options.begin(), options.end(), [name](const Option& option) {
    return option.name == name || (name.size() == 1 && option.letter == name.front());
  });
  return found == options.end() ? nullptr : &*found;
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"true", "True", "TRUE", "t", "T", "1"})
    if (text == yes) return true;
  for (const std::string_view no : {"false", "False", "FALSE", "f", "F", "0"})
    if (text == no) return false;
  return std::nullopt;
}

template <typename... Parts>
Error usage_error(Parts... parts) {
  Text<768> message;
  (message.append(std::string_view(parts)), ...);
  return make_error(Code::invalid_argument, message);
}

/// Walks over the words once: global options, the command, its options and arguments.
class Walk {
 public:
  explicit Walk(const std::vector<std::string_view>& words) : words_(words) {}

  Parsed run() {
    while (at_ < words_.size() && !parsed_.error && !parsed_.help && !parsed_.version) {
      const std::string_view word = words_[at_++];
      if (only_arguments_ || word == "-" || !word.starts_with('-'))
        argument(word);
      else if (word == "--")
        only_arguments_ = true;
      else
        option(word);
    }
    if (!parsed_.error && !parsed_.help && !parsed_.version) check_count();
    return std::move(parsed_);
  }

 private:
  void argument(std::string_view word) {
    if (parsed_.command != nullptr) {
      if (parsed_.command->order == Order::before_arguments) only_arguments_ = true;
      return parsed_.arguments.add_argument(std::string(word));
    }
    if (word == "help") {
      parsed_.help = true;
      if (at_ < words_.size()) parsed_.command = find_command(words_[at_]);
      return;
    }
    parsed_.command = find_command(word);
    if (parsed_.command == nullptr) {
      parsed_.error = usage_error("unknown command \"", word.substr(0, 60), "\"");
      parsed_.error->advise(advice_on_command(word));
    }
  }

  const Option* find(std::string_view name) {
    if (parsed_.command != nullptr)
      if (const Option* own = find_name(parsed_.command->options, name)) return own;
    return find_name(global_options(), name);
  }

  void option(std::string_view word) {
    const bool two_dashes = word.starts_with("--");
    std::string_view name = word.substr(two_dashes ? 2 : 1);
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (name == "help" || name == "h") {
      parsed_.help = true;
      return;
    }
    if (parsed_.command == nullptr && (name == "version" || name == "v" || name == "V")) {
      parsed_.version = true;
      return;
    }
    if (const Option* known = find(name); known != nullptr && !(two_dashes && name.size() == 1))
      return take(*known, word.substr(0, two_dashes ? name.size() + 2 : name.size() + 1), value);
    if (!two_dashes && !value && cluster(name)) return;
    parsed_.error = usage_error("flag provided but not defined: ", word.substr(0, 80));
    parsed_.error->advise(advice_on_option(parsed_.command, word));
  }

  // "-dt" is "-d -t" when all letters are switches.
  bool cluster(std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const Option* known = find(letters.substr(i, 1));
      if (known == nullptr || known->takes != Takes::nothing) return false;
    }
    for (std::size_t i = 0; i < letters.size(); ++i)
      parsed_.arguments.add(*find(letters.substr(i, 1)), "true");
    return true;
  }

  void take(const Option& known, std::string_view written, std::optional<std::string_view> value) {
    if (known.takes == Takes::nothing) {
      const std::optional<bool> on = value ? parse_bool(*value) : true;
      if (!on) {
        parsed_.error = usage_error("invalid value \"", value->substr(0, 60), "\" for flag ", written,
                                    ": it is true or false");
        return;
      }
      return parsed_.arguments.add(known, *on ? "true" : "false");
    }
    if (!value && at_ == words_.size()) {
      parsed_.error = usage_error("flag needs an argument: ", written);
      return;
    }
    parsed_.arguments.add(known, std::string(value ? *value : words_[at_++]));
  }

  void check_count() {
    const Command* command = parsed_.command;
    if (command == nullptr) return;
    const int count = static_cast<int>(parsed_.arguments.arguments().size());
    const bool too_many = command->most >= 0 && count > command->most;
    if (count >= command->least && !too_many) return;
    const std::string_view how = command->least == command->most ? "exactly "
                                 : too_many                      ? "a maximum of "
                                                                 : "a minimum of ";
    const std::string number = std::to_string(too_many ? command->most : command->least);
    parsed_.error = usage_error("\"", command->name, "\" requires ", how, number, " argument(s)");
    parsed_.wrong_count = true;
  }

  const std::vector<std::string_view>& words_;
  std::size_t at_ = 0;
  bool only_arguments_ = false;
  Parsed parsed_;
};

}  // namespace

bool Arguments::given(std::string_view name) const {
  return std::any_of(options_.begin(), options_.end(), [name](const Given& one) { return one.name == name; });
}

bool Arguments::flag(std::string_view name) const {
  return text(name) == "true";
}

std::string Arguments::text(std::string_view name) const {
  const auto found =
      std::find_if(options_.rbegin(), options_.rend(), [name](const Given& one) { return one.name == name; });
  return found == options_.rend() ? std::string() : found->value;
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  std::vector<std::string> values;
  for (const Given& one : options_)
    if (one.name == name) values.push_back(one.value);
  return values;
}

Parsed parse(const std::vector<std::string_view>& words) {
  return Walk(words).run();
}

}  // namespace davit::cli
