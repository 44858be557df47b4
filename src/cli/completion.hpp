// SPDX-License-Identifier: Apache-2.0
// What may come next on a command line, made from the table of commands. The scripts for the shells are
// small: they ask davit itself, which knows its options and its containers best.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace davit::cli {

struct Candidate {
  std::string word;
  std::string description;  ///< may be empty
};

/// What the shell itself completes.
enum class Paths : std::uint8_t { none, directories, files };

struct Completion {
  std::vector<Candidate> candidates;
  Paths paths = Paths::none;
};

/// The containers below --root; an empty root is the default one.
using IdsBelow = std::function<std::vector<std::string>(const std::string& root)>;

/// What the last of `words`, all after "davit", may become. Bash gives an "=" as a word of its own.
Completion complete(std::vector<std::string> words, const IdsBelow& ids_below);

/// For "bash", "zsh" and "fish"; empty: no such shell.
std::string_view completion_script(std::string_view shell);

}  // namespace davit::cli
