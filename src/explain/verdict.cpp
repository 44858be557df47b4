// SPDX-License-Identifier: Apache-2.0
// Findings as a compiler would show them, and as JSON.
#include <algorithm>

#include "davit/explain/validate.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

constexpr std::string_view kGutter = "      ";

/// The characters of a text, each as it is shown.
std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) ++length;
    characters.push_back(text.front() == '\t' ? std::string(" ") : shown(text.substr(0, length)));
    text.remove_prefix(length);
  }
  return characters;
}

/// A part of the line of a mark, as characters: long ones are cut on both sides.
struct Window {
  std::vector<std::string> characters;
  std::size_t begin = 0;  ///< of what the mark points at
};

Window window_of(std::string_view text, const Mark& mark) {
  constexpr std::size_t kReach = 1024;  // bytes, wider than any terminal
  for (std::uint32_t line = mark.line; line > 1; --line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  text = text.substr(0, text.find('\n'));
  const auto begins = [](char character) { return (static_cast<unsigned char>(character) & 0xc0) != 0x80; };
  std::size_t at = 0;
  for (std::uint32_t column = 1; at < text.size(); ++at)
    if (begins(text[at]) && column++ == mark.column) break;
  std::size_t from = at > kReach ? at - kReach : 0;
  while (from < at && !begins(text[from])) ++from;
  Window window;
  window.begin = characters_of(text.substr(from, at - from)).size();
  window.characters = characters_of(text.substr(from, at - from + kReach));
  return window;
}

/// How many characters the value (or the key) has that begins there.
std::size_t length_at(const std::vector<std::string>& characters, std::size_t begin) {
  if (begin >= characters.size()) return 0;
  const std::string& first = characters[begin];
  if (first == "{" || first == "[") return 1;
  std::size_t end = begin + 1;
  if (first == "\"") {
    while (end < characters.size() && characters[end] != "\"") end += characters[end] == "\\" ? 2 : 1;
    return std::min(end + 1, characters.size()) - begin;
  }
  while (end < characters.size() &&
         std::string_view(",]}: \r").find(characters[end]) == std::string_view::npos)
    ++end;
  return end - begin;
}

std::string joined_part(const std::vector<std::string>& characters, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, characters.size()); ++i) text += characters[i];
  return text;
}

/// The line of the config and a line below it that points at the value. Of a long one (a document without
/// line breaks) the part around it.
std::string pointed(std::string_view config_text, const Mark& mark, Tone tone, const Style& style) {
  const auto [characters, begin] = window_of(config_text, mark);
  if (begin >= characters.size()) return {};
  std::size_t length = length_at(characters, begin);
  std::string number = std::to_string(mark.line);
  if (number.size() < 5) number.insert(0, 5 - number.size(), ' ');
  const std::size_t room = std::max<std::size_t>(style.width, number.size() + 20) - number.size() - 3;
  std::size_t from = 0;
  // Spaces in front of a line tell nothing.
  while (from < begin && characters[from] == " ") ++from;
  from = from > 2 ? from - 2 : 0;
  if (begin + length > from + room) from = begin > room / 3 ? begin - room / 3 : 0;
  std::size_t count = room;
  while (count > 1 && columns_of(joined_part(characters, from, from + count)) > room) --count;
  length = std::min(length, from + count > begin ? from + count - begin : 1);
  const std::size_t indent = columns_of(joined_part(characters, from, begin));
  const std::size_t under =
      std::max<std::size_t>(1, columns_of(joined_part(characters, begin, begin + length)));
  std::string source = joined_part(characters, from, from + count);
  while (!source.empty() && (source.back() == ' ' || source.back() == '\r')) source.pop_back();
  std::string out = faint(number + " | ", style) + source + "\n";
  out.append(faint(std::string(number.size(), ' ') + " | ", style)).append(indent, ' ');
  out.append(begin_of(tone, style))
      .append("^")
      .append(under - 1, '~')
      .append(end_of(tone, style))
      .append("\n");
  return out;
}

std::string where_of(const Verdict& verdict, const Mark& mark) {
  std::string where = verdict.name;
  if (mark.line != 0) where += ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
  return where;
}

std::string_view word_of(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

void append_finding(std::string& out, const Verdict& verdict, const Finding& finding,
                    std::string_view config_text, const Style& style) {
  const Tone tone = finding.severity == Severity::error ? Tone::bad : Tone::notable;
  std::string head = where_of(verdict, finding.mark) + ": " + std::string(word_of(finding.severity)) + ": ";
  if (!finding.mark.pointer.empty()) head += finding.mark.pointer + ": ";
  for (const std::string& row : wrap(shown(head + finding.message), style.width))
    out.append(row).append("\n");
  if (finding.mark.line != 0) out.append(pointed(config_text, finding.mark, tone, style));
  if (finding.hint.empty()) return;
  const auto width = static_cast<unsigned>(style.width - kGutter.size());
  for (const std::string& row : wrap(shown("hint: " + finding.hint), width))
    out.append(kGutter).append(row).append("\n");
}

std::string summary(const Verdict& verdict) {
  const std::size_t errors = verdict.count(Severity::error);
  const std::size_t warnings = verdict.count(Severity::warning);
  std::string text = verdict.name + ": " + (errors == 0 ? "no error" : counted(errors, "error"));
  return text + ", " + (warnings == 0 ? "no warning" : counted(warnings, "warning"));
}

}  // namespace

std::string excerpt(std::string_view config_text, const Mark& mark, const Style& style) {
  return mark.line == 0 ? std::string() : pointed(config_text, mark, Tone::bad, style);
}

std::string text_of(const Verdict& verdict, std::string_view config_text, const Style& style) {
  std::string out;
  for (const Finding& finding : verdict.findings) append_finding(out, verdict, finding, config_text, style);
  for (const Section& section : verdict.sections)
    out.append(out.empty() ? "" : "\n").append(text_of(section, style));
  out.append(out.empty() ? "" : "\n");
  for (const std::string& row : wrap(shown(summary(verdict)), style.width)) out.append(row).append("\n");
  return out;
}

std::string json_of(const Verdict& verdict, std::string_view config_text) {
  json::Writer out(json::Style::pretty);
  out.begin_object();
  out.key("file").string(verdict.name);
  out.key("errors").unsigned_number(verdict.count(Severity::error));
  out.key("warnings").unsigned_number(verdict.count(Severity::warning));
  out.key("findings").begin_array();
  for (const Finding& finding : verdict.findings) {
    out.begin_object();
    out.key("severity").string(word_of(finding.severity));
    out.key("message").string(finding.message);
    if (!finding.hint.empty()) out.key("hint").string(finding.hint);
    write_mark(out, finding.mark);
    if (finding.mark.line != 0) {
      const Window window = window_of(config_text, finding.mark);
      out.key("length").unsigned_number(length_at(window.characters, window.begin));
    }
    out.end_object();
  }
  out.end_array();
  write_sections(out, verdict.sections);
  out.end_object();
  return out.take() + "\n";
}

}  // namespace davit::explain
