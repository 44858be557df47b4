// SPDX-License-Identifier: Apache-2.0
// Documents as text for people and as JSON for programs.
#pragma once

#include <string>
#include <string_view>

#include "davit/explain/document.hpp"
#include "davit/json/writer.hpp"

namespace davit::explain {

/// What the text is for.
struct Style {
  unsigned width = 80;  ///< no line is longer
  bool colour = false;
};

/// The sections one after the other: label, sentence, line:column on the right.
std::string text_of(const Document& document, const Style& style);
/// One section as text_of() has it.
std::string text_of(const Section& section, const Style& style);
/// {"title", "sections": [{"name", "title", "lines": [{"label", "text", "tone", "depth", "pointer", ...}]}]}
std::string json_of(const Document& document);
/// The member "sections" of an object that is open.
void write_sections(json::Writer& out, const std::vector<Section>& sections);
/// The members "pointer", "line" and "column" of an object that is open; none where there is no place.
void write_mark(json::Writer& out, const Mark& mark);

/// What one document says and the other does not: "-" the first, "+" the second; empty: nothing.
std::string difference(const Document& left, const Document& right, const Style& style);
/// The same as JSON.
std::string difference_json(const Document& left, const Document& right);

/// Text in which no character moves the cursor or changes a colour: others are written as \x1b.
std::string shown(std::string_view text);
/// Broken at spaces, and within words that are too long, into lines of at most `width` characters.
std::vector<std::string> wrap(std::string_view text, unsigned width);
/// How many columns a terminal needs for it.
std::size_t columns_of(std::string_view text);

/// Begins and ends of a tone on a terminal; empty without colour.
std::string_view begin_of(Tone tone, const Style& style);
std::string_view end_of(Tone tone, const Style& style);
/// For headings, and for what is less important.
std::string strong(std::string_view text, const Style& style);
std::string faint(std::string_view text, const Style& style);

}  // namespace davit::explain
