// SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"

#include <cctype>
#include <map>
#include <string_view>

#include "support/files.hpp"

extern "C" {
extern const char embedded_clauses[];
extern const char embedded_clauses_end[];
}

namespace spec_tests {
namespace {

constexpr const char* kSpecification = "https://github.com/opencontainers/runtime-spec/blob/main/";

std::vector<Clause> parse(std::string_view text) {
  std::vector<Clause> clauses;
  for (const auto& line : support::split(text, '\n')) {
    const auto fields = support::split(line, '\t');
    if (fields.size() >= 3)
      clauses.push_back({fields[0], fields[1], fields[2], fields.size() > 3 ? fields[3] : ""});
  }
  return clauses;
}

/// Most sections have an anchor of that name; of the others the heading is known, and its anchor is GitHub's.
std::string anchor_of(std::string section) {
  if (section.find(' ') == std::string::npos) return section;
  for (char& c : section) c = c == ' ' ? '-' : static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return section;
}

}  // namespace

const std::vector<Clause>& catalogue() {
  static const std::vector<Clause> clauses =
      parse({embedded_clauses, static_cast<std::size_t>(embedded_clauses_end - embedded_clauses)});
  return clauses;
}

const Clause* find_clause(const std::string& id) {
  static const std::map<std::string, const Clause*> index = [] {
    std::map<std::string, const Clause*> made;
    for (const auto& clause : catalogue()) made[clause.id] = &clause;
    return made;
  }();
  const auto at = index.find(id);
  return at == index.end() ? nullptr : at->second;
}

std::string file_of(const std::string& id) {
  return id.substr(0, id.rfind('-')) + ".md";
}

std::string line_of(const std::string& id) {
  return id.substr(id.rfind('-') + 1);
}

std::string link_to(const Clause& clause) {
  return kSpecification + file_of(clause.id) + "#" + anchor_of(clause.section);
}

}  // namespace spec_tests
