#include "clause.hpp"

#include <cstdio>
#include <map>
#include <set>

namespace spec_tests {
namespace {

std::map<std::string, std::set<std::string>>& clauses_of_tests() {
  static std::map<std::string, std::set<std::string>> clauses;
  return clauses;
}

std::string name_of(const testing::TestInfo& test) {
  return std::string(test.test_suite_name()) + "." + test.name();
}

/// Adds up at the end: which clauses were checked, which broken, which could not be checked and why.
class Summary : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& test) override {
    for (const auto& id : clauses_of_tests()[name_of(test)]) {
      if (test.result()->Failed()) {
        failed_.insert(id);
      } else if (test.result()->Skipped()) {
        std::string reason;
        for (int i = 0; i < test.result()->total_part_count(); ++i)
          if (test.result()->GetTestPartResult(i).skipped())
            reason = test.result()->GetTestPartResult(i).summary();
        skipped_.emplace(id, reason.substr(0, reason.find('\n')));
      } else {
        passed_.insert(id);
      }
    }
  }

  void OnTestProgramEnd(const testing::UnitTest& /*program*/) override {
    std::map<std::string, std::string> level;
    for (const auto& line : support::split(support::read_file(SPEC_TESTS_DIR "/clauses.tsv"), '\n')) {
      const auto fields = support::split(line, '\t');
      if (fields.size() == 2) level[fields[0]] = fields[1];
    }
    std::map<std::string, int> total;
    std::map<std::string, int> covered;
    for (const auto& [id, kind] : level) {
      ++total[kind];
      if (passed_.count(id) + failed_.count(id) > 0) ++covered[kind];
    }
    for (const auto& id : failed_) printf("clauses: broken: %s\n", id.c_str());
    int only_skipped = 0;
    for (const auto& [id, reason] : skipped_) {
      if (passed_.count(id) + failed_.count(id) > 0) continue;
      printf("clauses: not checked: %s: %s\n", id.c_str(), reason.c_str());
      ++only_skipped;
    }
    for (const auto* ids : {&passed_, &failed_})
      for (const auto& id : *ids)
        if (level.count(id) == 0) printf("clauses: no such clause: %s\n", id.c_str());
    printf("clauses: checked");
    for (const auto& [kind, count] : total) printf(" %d of %d %s,", covered[kind], count, kind.c_str());
    printf(" %zu broken, %d skipped\n", failed_.size(), only_skipped);
  }

  std::set<std::string> passed_;
  std::set<std::string> failed_;
  std::map<std::string, std::string> skipped_;
};

// Registered before main(), which belongs to GoogleTest.
const bool kRegistered = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new Summary);
  return true;
}();

}  // namespace

std::string note_clauses(const std::vector<std::string>& ids) {
  std::string text = "clauses";
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  for (const auto& id : ids) {
    clauses_of_tests()[name_of(*test)].insert(id);
    text += " " + id;
  }
  return text;
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
