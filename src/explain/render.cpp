// SPDX-License-Identifier: Apache-2.0
#include "davit/explain/render.hpp"

#include <algorithm>

#include "davit/spec/position.hpp"

namespace davit::explain {
namespace {

constexpr unsigned kMargin = 2;
constexpr unsigned kGap = 2;
constexpr unsigned kNarrowest = 24;

std::string place_text(const Mark& mark) {
  return mark.line == 0 ? std::string() : std::to_string(mark.line) + ":" + std::to_string(mark.column);
}

std::string label_of(const Line& line) {
  return std::string(std::size_t{2} * line.depth, ' ') + shown(line.label);
}

/// Where the columns of a section begin.
struct Columns {
  unsigned label = 0;  ///< width of the labels; a longer one has a line of its own
  unsigned place = 0;  ///< width of line:column
  unsigned text = 0;
};

Columns columns_for(const Section& section, const Style& style) {
  Columns columns;
  const unsigned widest = std::max(style.width * 3 / 8, 8U);
  for (const Line& line : section.lines) {
    const auto label = static_cast<unsigned>(columns_of(label_of(line)));
    if (label <= widest) columns.label = std::max(columns.label, label);
    columns.place = std::max(columns.place, static_cast<unsigned>(place_text(line.mark).size()));
  }
  const unsigned fixed = kMargin + columns.label + (columns.label > 0 ? kGap : 0);
  const unsigned right = columns.place > 0 ? kGap + columns.place : 0;
  columns.text = style.width > fixed + right ? style.width - fixed - right : 1;
  // What cannot stand beside each other on so narrow a terminal stands below each other.
  if (columns.text < kNarrowest && columns.label > 0) {
    columns.label = 2;
    columns.text = std::max(style.width, kMargin + 2 + kGap + right + 1) - (kMargin + 2 + kGap) - right;
  }
  return columns;
}

void append_row(std::string& out, const Columns& columns, const Style& style, std::string_view label,
                std::string_view text, const Line& line, bool shows_place) {
  std::string row(kMargin, ' ');
  row.append(label);
  std::size_t used = kMargin + columns_of(label);
  const std::size_t begin = kMargin + columns.label + (columns.label > 0 ? kGap : 0);
  if (!text.empty()) {
    if (used < begin) row.append(begin - used, ' ');
    used = std::max(used, begin) + columns_of(text);
    row.append(begin_of(line.tone, style)).append(text).append(end_of(line.tone, style));
  }
  const std::string place = shows_place ? place_text(line.mark) : std::string();
  if (!place.empty() && used + place.size() < style.width) {
    row.append(style.width - used - place.size(), ' ').append(faint(place, style));
  } else {
    row.resize(row.find_last_not_of(' ') + 1);
  }
  out.append(row).append("\n");
}

void append_line(std::string& out, const Columns& columns, const Style& style, const Line& line) {
  std::string label = label_of(line);
  std::vector<std::string> rows = wrap(shown(line.text), columns.text);
  bool shows_place = true;
  if (columns_of(label) > columns.label && !label.empty()) {
    const std::vector<std::string> parts = wrap(label, style.width - kMargin);
    for (const std::string& part : parts) {
      append_row(out, columns, style, part, {}, line, shows_place && parts.size() == 1);
      shows_place = shows_place && parts.size() > 1;
    }
    label.clear();
  }
  for (const std::string& row : rows) {
    append_row(out, columns, style, label, row, line, shows_place);
    label.clear();
    shows_place = false;
  }
}

std::string_view word_of(Tone tone) {
  constexpr std::string_view kWords[] = {"plain", "good", "notable", "bad"};
  return kWords[static_cast<std::size_t>(tone)];
}

}  // namespace

Mark mark_of(const Location& where) {
  return {where.line, where.column, std::string(where.pointer.view())};
}

Mark mark_of(const spec::Position& position, std::string_view below) {
  Mark mark = mark_of(spec::locate(position, below));
  mark.pointer = spec::pointer_of(position, below);
  return mark;
}

std::string text_of(const Section& section, const Style& style) {
  std::string out;
  for (const std::string& row : wrap(section.title, style.width)) out.append(strong(row, style)).append("\n");
  const Columns columns = columns_for(section, style);
  for (const Line& line : section.lines) append_line(out, columns, style, line);
  return out;
}

std::string text_of(const Document& document, const Style& style) {
  std::string out;
  for (const std::string& row : wrap(shown(document.title), style.width)) out.append(row).append("\n");
  for (const Section& section : document.sections) out.append("\n").append(text_of(section, style));
  return out;
}

void write_mark(json::Writer& out, const Mark& mark) {
  if (mark.line == 0) return;
  out.key("pointer").string(mark.pointer);
  out.key("line").unsigned_number(mark.line);
  out.key("column").unsigned_number(mark.column);
}

void write_sections(json::Writer& out, const std::vector<Section>& sections) {
  out.key("sections").begin_array();
  for (const Section& section : sections) {
    out.begin_object();
    out.key("name").string(section.name);
    out.key("title").string(section.title);
    out.key("lines").begin_array();
    for (const Line& line : section.lines) {
      out.begin_object();
      out.key("label").string(line.label);
      out.key("text").string(line.text);
      if (line.tone != Tone::plain) out.key("tone").string(word_of(line.tone));
      if (line.depth > 0) out.key("depth").unsigned_number(line.depth);
      write_mark(out, line.mark);
      out.end_object();
    }
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

std::string json_of(const Document& document) {
  json::Writer out(json::Style::pretty);
  out.begin_object();
  out.key("title").string(document.title);
  write_sections(out, document.sections);
  out.end_object();
  return out.take() + "\n";
}

}  // namespace davit::explain
