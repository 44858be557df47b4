// SPDX-License-Identifier: Apache-2.0
// Listens to GoogleTest and writes down what it finds, by clause.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "results.hpp"

namespace spec_tests {

class Record : public testing::EmptyTestEventListener {
 public:
  /// The one that GoogleTest's listeners hold; made at the first call.
  static Record& get();
  /// A scope of clauses begins, or the innermost one ends.
  void open(const std::vector<std::string>& ids);
  void close();
  [[nodiscard]] const std::vector<TestResult>& tests() const { return tests_; }
  /// "attacks" or "spec", by where the test is written down.
  static std::string suite_of(const testing::TestInfo& test);
  /// Prints a line for each test as it ends.
  bool talks = false;

 private:
  struct Scope {
    std::vector<std::string> ids;
    Verdict verdict = Verdict::passed;
    std::string seen;
  };
  void OnTestStart(const testing::TestInfo& test) override;
  void OnTestPartResult(const testing::TestPartResult& part) override;
  void OnTestEnd(const testing::TestInfo& test) override;
  void add_findings();

  TestResult current_;
  std::vector<Scope> scopes_;
  std::vector<std::size_t> open_;  ///< indices of scopes_, the innermost one at the end
  std::vector<TestResult> tests_;
};

}  // namespace spec_tests
