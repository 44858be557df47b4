// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include "catalogue.hpp"
#include "markup.hpp"
#include "support/files.hpp"

namespace spec_tests {
namespace {

using support::Json;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string row(const std::string& name, const Count& count) {
  char line[160];
  snprintf(line, sizeof line, "  %-8s %7d %7d %15d %11d\n", name.c_str(), count.passed, count.failed,
           count.not_applicable, count.not_tested);
  return line;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// What came out so, clause by clause; of a run of chosen tests, only what they are about.
std::string lines_of(const Run& run, Verdict verdict, const char* title) {
  const auto results = by_clause(run);
  std::string text;
  for (const auto& clause : catalogue()) {
    const ClauseResult& result = results.at(clause.id);
    const bool left_out = result.tests.empty() && (clause.reason.empty() || !run.filter.empty());
    if (result.verdict != verdict || left_out) continue;
    text += std::string("clauses: ") + title + ": " + clause.id + " " + clause.level + " (" + clause.section +
            "): " + first_line(result.seen) + "\n";
  }
  return text;
}

/// A line of TAP, and beneath it what was seen where it failed.
std::string tap_line(int number, const std::string& name, Verdict verdict, const std::string& seen) {
  std::string line = (verdict == Verdict::failed ? "not ok " : "ok ") + std::to_string(number) + " - " + name;
  if (verdict == Verdict::not_applicable || verdict == Verdict::not_tested)
    line += std::string(" # SKIP ") + word_of(verdict) + ": " + first_line(seen);
  line += "\n";
  if (verdict != Verdict::failed) return line;
  for (const auto& part : support::split(seen, '\n')) line += "# " + part + "\n";
  return line;
}

std::string seconds(int milliseconds) {
  char text[32];
  snprintf(text, sizeof text, "%d.%03d", milliseconds / 1000, milliseconds % 1000);
  return text;
}

std::string junit_case(const TestResult& test) {
  std::string text = "<testcase classname=\"" + test.suite + "\" name=\"" + escaped(test.name) +
                     "\" time=\"" + seconds(test.milliseconds) + "\">";
  const std::string message = " message=\"" + escaped(first_line(test.seen)) + "\"";
  if (test.verdict == Verdict::failed)
    text += "<failure" + message + ">" + escaped(test.seen) + "</failure>";
  else if (test.verdict != Verdict::passed)
    text += "<skipped" + message + "/>";
  return text + "</testcase>\n";
}

}  // namespace

std::string text_report(const Run& run) {
  std::string text = "\n" + run.version + ", specification " + run.specification + "; " + run.host +
                     ", cgroups " + run.cgroups + (run.filter.empty() ? "" : "; only " + run.filter) + "\n";
  text += lines_of(run, Verdict::not_tested, "not tested");
  text += lines_of(run, Verdict::not_applicable, "not applicable");
  text += lines_of(run, Verdict::failed, "broken");
  text += "\n            passed  failed  not applicable  not tested\n";
  std::string summary = "clauses: checked";
  int broken = 0;
  for (const auto& [level, count] : by_level(run)) {
    text += row(level, count);
    broken += count.failed;
    summary += " " + std::to_string(count.passed + count.failed) + " of " + std::to_string(count.total()) +
               " " + level + ",";
  }
  for (const char* suite : kOtherSuites)
    if (const Count count = of_suite(run, suite); count.total() > 0) text += row(suite, count);
  return text + summary + " " + std::to_string(broken) + " broken\n";
}

std::string json_report(const std::vector<Run>& runs) {
  Json json = Json::object();
  json["runs"] = Json::array();
  for (const auto& run : runs) json["runs"].push(to_json(run));
  return json.dump() + "\n";
}

std::vector<Run> runs_from(const std::string& json) {
  std::vector<Run> runs;
  const auto document = Json::try_parse(json);
  if (!document) return runs;
  for (const auto& run : document->get("runs").items()) runs.push_back(run_from(run));
  return runs;
}

std::string tap_report(const std::vector<Run>& runs) {
  std::string lines;
  int number = 0;
  for (const auto& run : runs) {
    const std::string prefix = runs.size() < 2 ? "" : run.runtime + " (cgroups " + run.cgroups + ") ";
    const auto results = by_clause(run);
    for (const auto& clause : catalogue()) {
      const ClauseResult& result = results.at(clause.id);
      lines += tap_line(++number, prefix + clause.id + " " + clause.level, result.verdict, result.seen);
    }
    for (const auto& test : run.tests)
      if (test.suite != "spec")
        lines += tap_line(++number, prefix + test.suite + " " + test.name, test.verdict, test.seen);
  }
  return "TAP version 13\n1.." + std::to_string(number) + "\n" + lines;
}

std::string junit_report(const std::vector<Run>& runs) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const auto& run : runs) {
    Count count;
    int milliseconds = 0;
    std::string cases;
    for (const auto& test : run.tests) {
      count.add(test.verdict);
      milliseconds += test.milliseconds;
      cases += junit_case(test);
    }
    text += "<testsuite name=\"" + escaped(run.version + ", cgroups " + run.cgroups) + "\" tests=\"" +
            std::to_string(count.total()) + "\" failures=\"" + std::to_string(count.failed) +
            "\" errors=\"0\" skipped=\"" + std::to_string(count.not_applicable + count.not_tested) +
            "\" time=\"" + seconds(milliseconds) + "\">\n" + cases + "</testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string report_for(const std::string& file, const std::vector<Run>& runs) {
  if (ends_with(file, ".html")) return html_report(runs);
  if (ends_with(file, ".json")) return json_report(runs);
  if (ends_with(file, ".xml")) return junit_report(runs);
  if (ends_with(file, ".tap")) return tap_report(runs);
  std::string text;
  for (const auto& run : runs) text += text_report(run);
  for (const auto& run : together(runs)) text += text_report(run);
  return text;
}

}  // namespace spec_tests
