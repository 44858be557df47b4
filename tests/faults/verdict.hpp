// SPDX-License-Identifier: Apache-2.0
// Injects a fault into a scenario and says what was wrong with what came of it.
#pragma once

#include <string>
#include <vector>

#include "faults/scenario.hpp"

namespace faults {

struct Finding {
  enum class What { nothing, not_reached, residue, fail_open, hang, false_success, silent };
  What what = What::nothing;
  std::string detail;
  [[nodiscard]] bool is_fault() const { return what != What::nothing && what != What::not_reached; }
};

/// How many of each.
class Tally {
 public:
  void add(const Finding& finding) { ++counts_[static_cast<std::size_t>(finding.what)]; }
  [[nodiscard]] std::size_t injections() const;
  [[nodiscard]] std::string line() const;

 private:
  std::size_t counts_[7] = {};
};

class Judge {
 public:
  explicit Judge(Scenario& scenario) : scenario_(scenario) {}
  /// Runs the scenario without a fault; "" or why there is nothing to compare with.
  std::string learn();
  /// Every call of every process with every error; before main() only the kill, see first_own_call().
  [[nodiscard]] std::vector<Fault> all_faults() const;
  Finding inject(const Fault& fault);
  /// One line about it, with what it takes to see it again.
  [[nodiscard]] std::string describe(const Fault& fault, const Finding& finding) const;
  /// "2:57:EPERM"
  [[nodiscard]] static Fault parse(const std::string& text);

 private:
  std::string learn_twice();
  Finding judge(const Fault& fault, const Result& result);
  Finding judge_success(const Fault& fault);
  [[nodiscard]] bool is_death_in_waiting(const Fault& fault, const std::string& effect) const;
  [[nodiscard]] bool is_same(const std::string& effect, const Fault& fault) const;
  [[nodiscard]] bool is_begin_of_same(const std::string& seen) const;
  [[nodiscard]] std::size_t first_own_call() const;
  Finding judge_failure(const Fault& fault, const Result& result);

  Scenario& scenario_;
  Result undisturbed_;
  std::string standing_;
  std::string effect_;
  std::string last_error_;
  long struck_ = -1;  ///< the call that the last fault came upon
};

}  // namespace faults
