// SPDX-License-Identifier: Apache-2.0
// What a run has found: of each test, and from that of each clause.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/json.hpp"

namespace spec_tests {

enum class Verdict {
  failed,
  passed,
  not_applicable,  ///< the runtime says that it does not have what the clause is about
  not_tested,      ///< this host lacks what the test needs, or no test can see it from outside
};

const char* word_of(Verdict verdict);
Verdict verdict_of(const std::string& word);

/// Suites that are about no clause.
constexpr const char* kOtherSuites[] = {"attacks", "faults"};

struct Finding {
  std::string clause;
  Verdict verdict = Verdict::passed;
  std::string seen;  ///< what was seen instead, or why there is nothing to see
};

struct TestResult {
  std::string suite;  ///< "spec" or one of the others
  std::string name;
  Verdict verdict = Verdict::passed;
  std::string seen;
  int milliseconds = 0;
  std::vector<Finding> findings;
};

struct Run {
  std::string runtime;        ///< its name
  std::string version;        ///< what it calls itself
  std::string specification;  ///< the newest one that it knows
  std::string host;           ///< kernel and machine
  std::string cgroups;        ///< hybrid, v1, v2
  std::string filter;         ///< which tests were wanted, if not all of a suite
  std::vector<TestResult> tests;
};

support::Json to_json(const Run& run);
Run run_from(const support::Json& json);

struct ClauseResult {
  Verdict verdict = Verdict::not_tested;
  std::string seen;
  std::vector<std::string> tests;
};

/// Every clause of the catalogue: failed if one test says so, passed if some did and none failed.
std::map<std::string, ClauseResult> by_clause(const Run& run);

struct Count {
  int failed = 0;
  int passed = 0;
  int not_applicable = 0;
  int not_tested = 0;
  void add(Verdict verdict);
  [[nodiscard]] int total() const { return failed + passed + not_applicable + not_tested; }
};

/// How many clauses of each level came out how.
std::map<std::string, Count> by_level(const Run& run);
/// What the runs of each version that ran more than once have seen together, wherever they ran.
std::vector<Run> together(const std::vector<Run>& runs);
/// How many tests of a suite came out how.
Count of_suite(const Run& run, const std::string& suite);

}  // namespace spec_tests
