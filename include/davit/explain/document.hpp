// SPDX-License-Identifier: Apache-2.0
// What davit has to say about a config: sections of short lines, each with its place in the config. Made by
// explain, validate and doctor, written by render.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "davit/spec/position.hpp"

namespace davit::explain {

enum class Tone : std::uint8_t {
  plain,
  good,     ///< it is there, it works
  notable,  ///< what a careful person wants to see
  bad,      ///< it cannot work
};

/// A place in the config; line 0: none.
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string pointer{};
};

/// One sentence and what it is about.
struct Line {
  std::string label{};  ///< "/proc", "memory.max"; may be empty
  std::string text{};
  Mark mark{};
  Tone tone = Tone::plain;
  unsigned depth = 0;  ///< in a tree
};

struct Section {
  std::string name;   ///< one word that stays the same, for programs
  std::string title;  ///< for people
  std::vector<Line> lines{};
};

struct Document {
  std::string title;
  std::vector<Section> sections{};
};

/// Where a value of the config stands, or what is below it.
Mark mark_of(const spec::Position& position, std::string_view below = {});
Mark mark_of(const Location& where);

}  // namespace davit::explain
