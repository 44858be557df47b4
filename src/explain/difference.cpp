// SPDX-License-Identifier: Apache-2.0
// Two documents side by side: what only one of them says.
#include <algorithm>

#include "davit/explain/render.hpp"

namespace davit::explain {
namespace {

/// A line of the one, of the other, or of both with different texts.
struct Change {
  const Line* left = nullptr;
  const Line* right = nullptr;
};

/// A label names a mount, a file, a limit; where it occurs several times, they count from the first.
struct Numbered {
  const Line* line;
  std::string path;  ///< labels of a tree are relative
  std::size_t number;
};

std::vector<Numbered> numbered(const Section& section) {
  std::vector<Numbered> lines;
  std::vector<std::string> above;
  for (const Line& line : section.lines) {
    above.resize(std::min<std::size_t>(line.depth, above.size()));
    std::string path;
    for (const std::string& part : above) path += part + "\n";
    above.push_back(line.label);
    path += line.label;
    const auto same =
        std::count_if(lines.begin(), lines.end(), [&](const Numbered& other) { return other.path == path; });
    lines.push_back({&line, std::move(path), static_cast<std::size_t>(same)});
  }
  return lines;
}

const Numbered* find(const std::vector<Numbered>& lines, const Numbered& wanted) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const Numbered& line) {
    return line.path == wanted.path && line.number == wanted.number;
  });
  return found == lines.end() ? nullptr : &*found;
}

std::vector<Change> changes_of(const Section& left, const Section& right) {
  std::vector<Change> changes;
  const std::vector<Numbered> before = numbered(left);
  const std::vector<Numbered> after = numbered(right);
  for (const Numbered& one : before) {
    const Numbered* other = find(after, one);
    if (other == nullptr)
      changes.push_back({one.line, nullptr});
    else if (other->line->text != one.line->text)
      changes.push_back({one.line, other->line});
  }
  for (const Numbered& one : after)
    if (find(before, one) == nullptr) changes.push_back({nullptr, one.line});
  return changes;
}

const Section& section_of(const Document& document, const Section& like) {
  static const Section kNone{};
  const auto found = std::find_if(document.sections.begin(), document.sections.end(),
                                  [&](const Section& section) { return section.name == like.name; });
  return found == document.sections.end() ? kNone : *found;
}

Line marked(const Line& line, const char* sign, Tone tone) {
  Line result = line;
  result.label = sign + (" " + line.label);
  result.tone = tone;
  result.depth = 0;
  return result;
}

void write_side(json::Writer& out, const char* name, const Line* line) {
  if (line == nullptr) return;
  out.key(name).begin_object();
  out.key("text").string(line->text);
  write_mark(out, line->mark);
  out.end_object();
}

}  // namespace

std::string difference(const Document& left, const Document& right, const Style& style) {
  std::string out;
  for (const Section& section : left.sections) {
    Section shown_section{section.name, section.title, {}};
    for (const Change& change : changes_of(section, section_of(right, section))) {
      if (change.left != nullptr) shown_section.lines.push_back(marked(*change.left, "-", Tone::bad));
      if (change.right != nullptr) shown_section.lines.push_back(marked(*change.right, "+", Tone::good));
    }
    if (shown_section.lines.empty()) continue;
    out.append(out.empty() ? "" : "\n").append(text_of(shown_section, style));
  }
  return out;
}

std::string difference_json(const Document& left, const Document& right) {
  json::Writer out(json::Style::pretty);
  out.begin_object();
  out.key("left").string(left.title);
  out.key("right").string(right.title);
  out.key("differences").begin_array();
  for (const Section& section : left.sections)
    for (const Change& change : changes_of(section, section_of(right, section))) {
      out.begin_object();
      out.key("section").string(section.name);
      out.key("label").string((change.left != nullptr ? change.left : change.right)->label);
      write_side(out, "left", change.left);
      write_side(out, "right", change.right);
      out.end_object();
    }
  out.end_array();
  out.end_object();
  return out.take() + "\n";
}

}  // namespace davit::explain
