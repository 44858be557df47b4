// SPDX-License-Identifier: Apache-2.0
// spec-tests: puts any OCI runtime to the clauses of the specification.
#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "claims.hpp"
#include "options.hpp"
#include "record.hpp"
#include "report.hpp"
#include "support/fixture.hpp"
#include "support/view.hpp"

namespace support {

std::string runtime_by_default() {
  return "";
}

}  // namespace support

namespace spec_tests {
namespace {

int fail(const std::string& why) {
  fprintf(stderr, "spec-tests: %s\n", why.c_str());
  return 2;
}

bool write_reports(const Options& options, const std::vector<Run>& runs) {
  bool good = true;
  for (const auto& file : options.reports) {
    FILE* out = fopen(file.c_str(), "w");
    const std::string text = report_for(file, runs);
    const bool written = out != nullptr && fwrite(text.data(), 1, text.size(), out) == text.size();
    if ((out != nullptr && fclose(out) != 0) || !written) {
      perror(("spec-tests: " + file).c_str());
      good = false;
    }
  }
  return good;
}

/// Suites of one runtime on one host are one run.
void add(const Run& run, std::vector<Run>& runs) {
  for (auto& known : runs) {
    if (known.version != run.version || known.host != run.host || known.cgroups != run.cgroups) continue;
    if (run.filter.empty()) known.filter.clear();
    known.tests.insert(known.tests.end(), run.tests.begin(), run.tests.end());
    return;
  }
  runs.push_back(run);
}

int merge(const Options& options) {
  std::vector<Run> runs;
  for (const auto& file : options.merged) {
    const auto found = runs_from(support::read_file(file));
    if (found.empty()) return fail(file + ": not a JSON report of spec-tests");
    for (const auto& run : found) add(run, runs);
  }
  return write_reports(options, runs) ? 0 : 2;
}

/// GoogleTest's filter for the tests of a suite; "" for all of them.
std::string filter_for(const Options& options) {
  const std::string but =
      "-Faults.*";  // is there for davit's own tests, and what FaultsOf does scenario by scenario
  if (options.suite == "all") return but;
  std::string filter;
  const auto& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const auto& suite = *all.GetTestSuite(i);
    if (suite.total_test_count() > 0 && Record::suite_of(*suite.GetTestInfo(0)) == options.suite)
      filter += (filter.empty() ? "" : ":") + std::string(suite.name()) + ".*";
  }
  return filter + but;
}

/// A filter says which tests are wanted; without one the suite does.
void choose_tests(const Options& options) {
  const std::string filter = options.filter.empty() ? filter_for(options) : options.filter;
  if (!filter.empty()) testing::GTEST_FLAG(filter) = filter;
}

void set_up_googletest(const Options& options) {
  std::vector<std::string> words = {"spec-tests"};
  words.insert(words.end(), options.googletest.begin(), options.googletest.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(words.size());
  testing::InitGoogleTest(&argc, argv.data());
  choose_tests(options);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!options.verbose) delete listeners.Release(listeners.default_result_printer());
  Record::get().talks = !options.verbose;
  listeners.Append(&Record::get());
}

Run describe(const support::Runtime& runtime, const std::string& filter) {
  const Claims& claims = Claims::of(runtime.path());
  utsname system{};
  uname(&system);
  Run run;
  run.runtime = runtime.name();
  run.version = claims.version();
  run.specification = claims.specification();
  run.host = std::string(system.sysname) + " " + system.release + ", " + system.machine;
  run.cgroups = support::cgroup_layout();
  run.filter = filter;
  run.tests = Record::get().tests();
  return run;
}

int run_tests(const Options& options) {
  if (geteuid() != 0) return fail("needs root: it makes containers");
  char path[4096];
  if (realpath(options.runtime.c_str(), path) == nullptr || access(path, X_OK) != 0)
    return fail(options.runtime + ": no such program");
  setenv("RUNTIME", path, 1);
  if (const auto why = support::become(options.view); !why.empty()) return fail("--view: " + why);
  support::peers_are_excused() = false;
  setenv("DAVIT_FAULTS_EACH", std::to_string(options.seconds).c_str(), 1);
  support::patience_ms() = options.patience * 1000;
  set_up_googletest(options);
  const int status = RUN_ALL_TESTS();
  if (Record::get().tests().empty()) return status != 0 ? status : fail("no test has that name");
  const Run run = describe(support::Runtime(path, "/nonexistent"), options.filter);
  fputs(text_report(run).c_str(), stdout);
  return write_reports(options, {run}) ? status : 2;
}

}  // namespace
}  // namespace spec_tests

int main(int argc, char** argv) {
  spec_tests::Options options;
  if (const auto why = spec_tests::read_options({argv + 1, argv + argc}, options); !why.empty())
    return spec_tests::fail(why + "; see spec-tests --help");
  if (options.help) {
    fputs(spec_tests::help_text(), stdout);
    return 0;
  }
  return options.merged.empty() ? spec_tests::run_tests(options) : spec_tests::merge(options);
}
