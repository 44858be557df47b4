// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "catalogue.hpp"
#include "markup.hpp"
#include "report.hpp"

extern "C" {
extern const char embedded_page_css[];
extern const char embedded_page_css_end[];
extern const char embedded_page_js[];
extern const char embedded_page_js_end[];
}

namespace spec_tests {
namespace {

/// The runs and, for each, what became of every clause and test.
struct Table {
  const std::vector<Run>& runs;
  std::vector<std::map<std::string, ClauseResult>> clauses;
  std::vector<std::map<std::string, const TestResult*>> tests;
};

struct Cell {
  Verdict verdict = Verdict::not_tested;
  std::string seen;
};

/// The word as a class of the style sheet.
std::string style_of(Verdict verdict) {
  constexpr const char* kStyles[] = {"failed", "passed", "na", "nt"};
  return kStyles[static_cast<std::size_t>(verdict)];
}

std::string mark_of(Verdict verdict) {
  constexpr const char* kMarks[] = {"✗", "✓", "–", "·"};
  return kMarks[static_cast<std::size_t>(verdict)];
}

std::string tag(const std::string& name, const std::string& style, const std::string& inner) {
  return "<" + name + " class=\"" + style + "\">" + inner + "</" + name + ">";
}

/// The name, and as much more as tells this run from the others: its cgroups, and a number.
std::string label_of(const Run& run, const std::vector<Run>& runs) {
  int same_name = 0;
  int same_cgroups = 0;
  int number = 0;
  for (const auto& other : runs) {
    if (other.runtime != run.runtime) continue;
    ++same_name;
    same_cgroups += other.cgroups == run.cgroups ? 1 : 0;
    if (&other == &run) number = same_cgroups;
  }
  std::string label = run.runtime;
  if (same_name > 1) label += " " + run.cgroups;
  if (same_cgroups > 1) label += " #" + std::to_string(number);
  return label;
}

std::string numbers(const Count& count) {
  std::string cells = tag("td", "passed", std::to_string(count.passed));
  cells += tag("td", count.failed > 0 ? "failed" : "none", std::to_string(count.failed));
  cells += tag("td", "na", std::to_string(count.not_applicable));
  return cells + tag("td", "nt", std::to_string(count.not_tested));
}

/// What became of one run, level by level.
std::string summary_of(const Run& run, const std::string& label) {
  auto counts = by_level(run);
  for (const char* suite : kOtherSuites)
    if (const Count count = of_suite(run, suite); count.total() > 0) counts[suite] = count;
  std::string html = "<tbody>";
  bool first = true;
  for (const char* level : {"MUST", "SHOULD", "FIELD", "MAY", "attacks", "faults"}) {
    if (counts.count(level) == 0) continue;
    html += "<tr>";
    if (first)
      html += "<th rowspan=\"" + std::to_string(counts.size()) + "\">" + escaped(label) + "<small>" +
              escaped(run.version) + "<br>specification " + escaped(run.specification) + "<br>" +
              escaped(run.host) + "<br>cgroups " + escaped(run.cgroups) +
              (run.filter.empty() ? "" : "<br>only " + escaped(run.filter)) + "</small></th>";
    first = false;
    html += tag("td", "level", level) + numbers(counts[level]) + "</tr>\n";
  }
  return html + "</tbody>";
}

std::string summary(const std::vector<Run>& runs) {
  std::string html =
      "<table class=\"summary\"><thead><tr><th>runtime</th><th></th><th>passed</th><th>failed</th>"
      "<th title=\"not applicable\">n. a.</th><th title=\"not tested\">n. t.</th></tr></thead>\n";
  for (const auto& run : together(runs)) html += summary_of(run, run.runtime);
  for (const auto& run : runs) html += summary_of(run, label_of(run, runs));
  return html +
         "</table>\n<p class=\"legend\">✓ passed, ✗ failed, – not applicable (n. a.): the runtime says that "
         "it lacks it, · not tested (n. t.): the host lacks what the test needs, or nothing can be seen from "
         "outside. A clause opens to what was seen.</p>\n";
}

/// One clause or test: its head, the verdicts side by side, and what was seen where it is opened.
std::string entry(const std::string& head, const std::string& level, const std::vector<Run>& runs,
                  const std::vector<Cell>& cells, const std::string& body) {
  std::string verdicts;
  std::string chips;
  std::string seen;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string name = escaped(label_of(runs[i], runs));
    verdicts += (verdicts.empty() ? "" : " ") + style_of(cells[i].verdict);
    chips += "<span class=\"chip " + style_of(cells[i].verdict) + "\" title=\"" + word_of(cells[i].verdict) +
             "\">" + name + " <b>" + mark_of(cells[i].verdict) + "</b></span>";
    seen += "<dt class=\"" + style_of(cells[i].verdict) + "\">" + name + ": " + word_of(cells[i].verdict) +
            "</dt>";
    if (!cells[i].seen.empty()) seen += "<dd><pre>" + escaped(cells[i].seen) + "</pre></dd>";
  }
  return "<details class=\"entry\" data-level=\"" + level + "\" data-verdicts=\"" + verdicts +
         "\"><summary>" + head + "<span class=\"chips\">" + chips + "</span></summary>" + body + "<dl>" +
         seen + "</dl></details>\n";
}

std::string clause_entry(const Clause& clause, const Table& table) {
  std::vector<Cell> cells;
  std::string tests;
  for (const auto& run : table.clauses) {
    const ClauseResult& result = run.at(clause.id);
    cells.push_back({result.verdict, result.seen});
    if (!tests.empty()) continue;
    for (std::size_t i = 0; i < result.tests.size() && i < 4; ++i)
      tests += (tests.empty() ? "" : ", ") + escaped(result.tests[i]);
    if (result.tests.size() > 4) tests += ", and " + std::to_string(result.tests.size() - 4) + " more";
  }
  const std::string head = "<span class=\"id\">" + clause.id + "</span>" +
                           tag("span", "level", clause.level) +
                           tag("span", "tests", tests.empty() ? escaped(clause.reason) : tests);
  const std::string body = "<p><a href=\"" + link_to(clause) + "\" rel=\"noreferrer\">" + file_of(clause.id) +
                           ", line " + line_of(clause.id) + "</a> of the specification, in " +
                           escaped(clause.section) + ".</p>";
  return entry(head, clause.level, table.runs, cells, body);
}

std::string clauses(const Table& table) {
  std::string html;
  std::string section;
  for (const auto& clause : catalogue()) {
    const std::string name = file_of(clause.id) + " – " + clause.section;
    if (name != section) {
      if (!section.empty()) html += "</section>\n";
      html += "<section data-file=\"" + file_of(clause.id) + "\"><h2>" + escaped(name) + "</h2>\n";
      section = name;
    }
    html += clause_entry(clause, table);
  }
  return html + "</section>\n";
}

/// The tests of a suite that is about no clause.
std::string tests_of(const std::string& suite, const Table& table) {
  std::string html;
  for (const auto& run : table.runs)
    for (const auto& test : run.tests) {
      if (test.suite != suite || html.find(">" + test.name + "<") != std::string::npos) continue;
      std::vector<Cell> cells;
      for (const auto& results : table.tests) {
        const auto at = results.find(test.name);
        cells.push_back(at == results.end() ? Cell{Verdict::not_tested, "was not run"}
                                            : Cell{at->second->verdict, at->second->seen});
      }
      html += entry("<span class=\"id\">" + escaped(test.name) + "</span>", suite, table.runs, cells, "");
    }
  if (html.empty()) return "";
  return "<section data-file=\"" + suite + "\"><h2>" + suite + "</h2>\n" + html + "</section>\n";
}

std::string filters(const Table& table) {
  std::string html =
      "<form class=\"filters\"><input type=\"search\" id=\"words\" placeholder=\"clause, test, message\" "
      "aria-label=\"search\">"
      "<select id=\"verdict\" aria-label=\"verdict\"><option value=\"\">any verdict</option>"
      "<option value=\"failed\">failed</option><option value=\"passed\">passed</option>"
      "<option value=\"na\">not applicable</option><option value=\"nt\">not tested</option>"
      "<option value=\"differ\">runtimes differ</option></select>"
      "<select id=\"level\" aria-label=\"level\"><option value=\"\">any level</option>";
  for (const char* level : {"MUST", "SHOULD", "FIELD", "MAY"})
    html += std::string("<option>") + level + "</option>";
  html += "</select><select id=\"file\" aria-label=\"section\"><option value=\"\">any section</option>";
  std::string last;
  for (const auto& clause : catalogue()) {
    if (file_of(clause.id) == last) continue;
    last = file_of(clause.id);
    html += "<option>" + last + "</option>";
  }
  for (const char* suite : kOtherSuites) {
    const auto has = [&](const Run& run) { return of_suite(run, suite).total() > 0; };
    if (std::any_of(table.runs.begin(), table.runs.end(), has))
      html += std::string("<option>") + suite + "</option>";
  }
  return html + "</select><output id=\"count\"></output></form>\n";
}

}  // namespace

std::string html_report(const std::vector<Run>& runs) {
  Table table{runs, {}, {}};
  for (const auto& run : runs) {
    table.clauses.push_back(by_clause(run));
    auto& tests = table.tests.emplace_back();
    for (const auto& test : run.tests) tests[test.name] = &test;
  }
  const std::string css(embedded_page_css, embedded_page_css_end);
  const std::string script(embedded_page_js, embedded_page_js_end);
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
         "<title>Conformance to the OCI runtime specification</title><style>" +
         css + "</style></head><body><main>\n<h1>Conformance to the OCI runtime specification</h1>\n" +
         summary(runs) + filters(table) + clauses(table) + tests_of("attacks", table) +
         tests_of("faults", table) + "</main><script>" + script + "</script></body></html>\n";
}

}  // namespace spec_tests
