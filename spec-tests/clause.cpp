// SPDX-License-Identifier: Apache-2.0
#include "clause.hpp"

#include "record.hpp"

namespace spec_tests {

ClauseScope::ClauseScope(const std::vector<std::string>& ids) : text_("clauses") {
  for (const auto& id : ids) text_ += " " + id;
  Record::get().open(ids);
}

ClauseScope::~ClauseScope() {
  Record::get().close();
}

void SpecTest::TearDown() {
  if (IsSkipped()) {
    support::ContainerTest::TearDown();
    return;
  }
  // What a container has left behind when it is gone.
  CLAUSE("runtime-77", "runtime-143");
  support::ContainerTest::TearDown();
}

void SpecTest::expect_clean_failure(const Outcome& outcome, const std::string& id,
                                    const support::HostSnapshot& before) {
  CLAUSE("runtime-84");
  expect_nothing_of(outcome, id, before);
}

std::string SpecTest::report(const Json& config) {
  Bundle bundle(config);
  bundle.args({"/bin/probe", "report"});
  const Outcome outcome = run_bundle(bundle);
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  return "\n" + outcome.out;
}

bool has_line(const std::string& report, const std::string& line) {
  return report.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace spec_tests
