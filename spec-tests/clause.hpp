// SPDX-License-Identifier: Apache-2.0
// Each test names the clauses of the specification that it checks: a file and a line of runtime-spec, as in
// clauses.tsv.
#pragma once

#include <string>
#include <vector>

#include "claims.hpp"
#include "support/fixture.hpp"

namespace spec_tests {

using support::Bundle;
using support::Child;
using support::Json;
using support::Outcome;
using support::TempDir;

/// The clauses that are checked from here to the end of the block, or to the next CLAUSE in it: whatever
/// fails meanwhile breaks them, and only them.
class ClauseScope {
 public:
  explicit ClauseScope(const std::vector<std::string>& ids);
  ~ClauseScope();
  ClauseScope(const ClauseScope&) = delete;
  ClauseScope& operator=(const ClauseScope&) = delete;
  /// "clauses config-41 config-43"
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class SpecTest : public support::ContainerTest {
 protected:
  void TearDown() override;
  /// An error that leaves something behind breaks the clause about errors, not the one that asks for it.
  void expect_clean_failure(const Outcome& outcome, const std::string& id,
                            const support::HostSnapshot& before) override;
  /// What probe reports of a process with that configuration, one item per line.
  std::string report(const Json& config);
  [[nodiscard]] const Claims& claims() const { return Claims::of(runtime.path()); }
};

/// True if `report` has that whole line.
bool has_line(const std::string& report, const std::string& line);

/// Begins the reason of a skip that is the runtime's own word.
constexpr const char* kNotApplicable = "not applicable: ";

}  // namespace spec_tests

#define SPEC_JOIN_(a, b) a##b
#define SPEC_JOIN(a, b) SPEC_JOIN_(a, b)
#define CLAUSE(...)                                                                  \
  const ::spec_tests::ClauseScope SPEC_JOIN(clause_scope_, __LINE__)({__VA_ARGS__}); \
  SCOPED_TRACE(SPEC_JOIN(clause_scope_, __LINE__).text())
#define SKIP_IF_(reason) \
  if (const std::string why = (reason); !why.empty()) GTEST_SKIP() << ::spec_tests::kNotApplicable << why
/// Ends the test where the runtime says that it lacks the feature, or is older than it; see Claims::lacks.
#define NEEDS_FEATURE(feature, since) SKIP_IF_(claims().lacks(feature, since))
/// Ends the test where the runtime says that it knows only older specifications.
#define NEEDS_VERSION(since) SKIP_IF_(claims().older_than(since))
