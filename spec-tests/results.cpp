// SPDX-License-Identifier: Apache-2.0
#include "results.hpp"

#include <algorithm>
#include <array>

#include "catalogue.hpp"

namespace spec_tests {
namespace {

using support::Json;

constexpr std::array<const char*, 4> kWords = {"failed", "passed", "not applicable", "not tested"};

Json finding_to_json(const Finding& finding) {
  Json json = Json::object({{"clause", Json(finding.clause)}, {"verdict", Json(word_of(finding.verdict))}});
  if (!finding.seen.empty()) json["seen"] = finding.seen;
  return json;
}

Json test_to_json(const TestResult& test) {
  Json json = Json::object({{"suite", Json(test.suite)},
                            {"name", Json(test.name)},
                            {"verdict", Json(word_of(test.verdict))},
                            {"milliseconds", Json(test.milliseconds)}});
  if (!test.seen.empty()) json["seen"] = test.seen;
  for (const auto& finding : test.findings) json["findings"].push(finding_to_json(finding));
  return json;
}

TestResult test_from(const Json& json) {
  TestResult test;
  test.suite = json.get("suite").str();
  test.name = json.get("name").str();
  test.verdict = verdict_of(json.get("verdict").str());
  test.seen = json.get("seen").str();
  test.milliseconds = static_cast<int>(json.get("milliseconds").number());
  for (const auto& item : json.get("findings").items())
    test.findings.push_back(
        {item.get("clause").str(), verdict_of(item.get("verdict").str()), item.get("seen").str()});
  return test;
}

Json clauses_to_json(const Run& run) {
  Json all = Json::object();
  for (const auto& [id, result] : by_clause(run)) {
    Json& json = all[id];
    json["level"] = find_clause(id)->level;
    json["verdict"] = word_of(result.verdict);
    if (!result.seen.empty()) json["seen"] = result.seen;
  }
  return all;
}

}  // namespace

const char* word_of(Verdict verdict) {
  return kWords.at(static_cast<std::size_t>(verdict));
}

Verdict verdict_of(const std::string& word) {
  const auto* at = std::find(kWords.begin(), kWords.end(), word);
  return at == kWords.end() ? Verdict::not_tested : static_cast<Verdict>(at - kWords.begin());
}

Json to_json(const Run& run) {
  Json json = Json::object({{"runtime", Json(run.runtime)},
                            {"version", Json(run.version)},
                            {"specification", Json(run.specification)},
                            {"host", Json(run.host)},
                            {"cgroups", Json(run.cgroups)}});
  if (!run.filter.empty()) json["filter"] = run.filter;
  json["tests"] = Json::array();
  for (const auto& test : run.tests) json["tests"].push(test_to_json(test));
  json["clauses"] = clauses_to_json(run);
  return json;
}

Run run_from(const Json& json) {
  Run run;
  run.runtime = json.get("runtime").str();
  run.version = json.get("version").str();
  run.specification = json.get("specification").str();
  run.host = json.get("host").str();
  run.cgroups = json.get("cgroups").str();
  run.filter = json.get("filter").str();
  for (const auto& test : json.get("tests").items()) run.tests.push_back(test_from(test));
  return run;
}

std::map<std::string, ClauseResult> by_clause(const Run& run) {
  std::map<std::string, ClauseResult> results;
  for (const auto& clause : catalogue())
    results[clause.id].seen = clause.reason.empty() ? "its tests were not run" : clause.reason;
  for (const auto& test : run.tests)
    for (const auto& finding : test.findings) {
      const auto at = results.find(finding.clause);
      if (at == results.end()) continue;
      ClauseResult& result = at->second;
      const bool first = result.tests.empty();
      result.tests.push_back(test.name);
      if (!first && finding.verdict > result.verdict) continue;
      if (!first && finding.verdict == result.verdict && !result.seen.empty()) continue;
      result.verdict = finding.verdict;
      result.seen = finding.seen;
    }
  return results;
}

void Count::add(Verdict verdict) {
  switch (verdict) {
    case Verdict::failed:
      ++failed;
      break;
    case Verdict::passed:
      ++passed;
      break;
    case Verdict::not_applicable:
      ++not_applicable;
      break;
    case Verdict::not_tested:
      ++not_tested;
      break;
  }
}

std::map<std::string, Count> by_level(const Run& run) {
  std::map<std::string, Count> counts;
  for (const auto& [id, result] : by_clause(run)) counts[find_clause(id)->level].add(result.verdict);
  return counts;
}

std::vector<Run> together(const std::vector<Run>& runs) {
  std::vector<Run> all;
  std::map<std::string, int> times;
  for (const auto& run : runs) {
    const auto same = [&](const Run& known) { return known.version == run.version; };
    const auto at = std::find_if(all.begin(), all.end(), same);
    ++times[run.version];
    if (at == all.end()) {
      all.push_back(run);
      continue;
    }
    at->tests.insert(at->tests.end(), run.tests.begin(), run.tests.end());
    at->host = std::to_string(times[run.version]) + " runs together";
    at->cgroups += ", " + run.cgroups;
    at->filter.clear();
  }
  const auto once = [&](const Run& run) { return times[run.version] < 2; };
  all.erase(std::remove_if(all.begin(), all.end(), once), all.end());
  return all;
}

Count of_suite(const Run& run, const std::string& suite) {
  Count count;
  for (const auto& test : run.tests)
    if (test.suite == suite) count.add(test.verdict);
  return count;
}

}  // namespace spec_tests
