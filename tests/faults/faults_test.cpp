// SPDX-License-Identifier: Apache-2.0
// Every system call of every process of a command fails once, in every way, and the process is killed there:
// the command says so, or did all it should; and nothing is left.
//   DAVIT_FAULTS_SECONDS  for a sample, drawn from all scenarios (default 180)
//   DAVIT_FAULTS_SEED     to draw the same sample again
//   DAVIT_FAULTS_ALL=1    everything, however long it takes; --gtest_filter chooses scenarios
//   DAVIT_FAULTS_ALL=calls  every call of every process once, with one of its errors, which the seed chooses
//   DAVIT_FAULTS_EACH=SECONDS  a sample of each scenario of so many seconds, as a test of its own; one that
//   the
//                         runtime cannot do undisturbed is skipped, so that any runtime can be tried
//   DAVIT_FAULTS_AT       process:call:error of one injection, as a failure prints it with its scenario
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "faults/verdict.hpp"

namespace faults {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kFew = 200;

Tally& tally() {
  static Tally tally;
  return tally;
}

class Summary : public ::testing::Environment {
 public:
  void TearDown() override {
    if (tally().injections() > 0) std::cout << tally().line() << std::endl;
  }
};
const auto* const kSummary = ::testing::AddGlobalTestEnvironment(new Summary);

bool is_choice_made() {
  for (const char* name : {"DAVIT_FAULTS_ALL", "DAVIT_FAULTS_AT", "DAVIT_FAULTS_EACH"})
    if (getenv(name) != nullptr) return true;
  return false;
}

unsigned choose_seed() {
  const char* given = getenv("DAVIT_FAULTS_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(strtoul(given, nullptr, 10)) : std::random_device()();
  std::cout << "DAVIT_FAULTS_SEED=" << seed << std::endl;
  return seed;
}

void inject(Judge& judge, const Fault& fault) {
  const Finding finding = judge.inject(fault);
  tally().add(finding);
  if (finding.is_fault()) ADD_FAILURE() << judge.describe(fault, finding);
}

/// Draws faults of a scenario that was learned until that moment.
void draw(Judge& judge, std::mt19937& random, Clock::time_point end) {
  const std::vector<Fault> faults = judge.all_faults();
  std::uniform_int_distribution<std::size_t> any(0, faults.size() - 1);
  do inject(judge, faults[any(random)]);
  while (Clock::now() < end);
}

void sample(const Kind& kind, std::mt19937& random, Clock::time_point end) {
  Scenario scenario(kind);
  Judge judge(scenario);
  ASSERT_EQ(judge.learn(), "") << kind.name() << " does not work when nothing disturbs it";
  draw(judge, random, end);
}

TEST(Faults, ASampleLeavesNothingOpenOrBehind) {
  if (is_choice_made()) GTEST_SKIP() << "chosen faults instead of a sample";
  const auto budget = std::chrono::seconds(support::number_from_env("DAVIT_FAULTS_SECONDS", 180));
  const auto end = Clock::now() + budget;
  std::vector<Kind> kinds = all_kinds();
  std::mt19937 random(choose_seed());
  std::shuffle(kinds.begin(), kinds.end(), random);
  // Each has to be learned first, so that not all of them have their turn where time is short.
  const auto turn = std::max<Clock::duration>(std::min<Clock::duration>(budget / 24, std::chrono::seconds(8)),
                                              budget / kinds.size());
  for (const Kind& kind : kinds)
    if (Clock::now() < end && support::missing(kind.view).empty()) sample(kind, random, Clock::now() + turn);
  if (tally().injections() < kFew)
    std::cout << "faults: these are few, on a machine as busy as this one: give it more DAVIT_FAULTS_SECONDS"
              << std::endl;
}

/// One of the faults of each call.
std::vector<Fault> one_of_each_call(const std::vector<Fault>& faults, std::mt19937& random) {
  std::vector<Fault> chosen;
  for (std::size_t begin = 0, end = 0; begin < faults.size(); begin = end) {
    while (end < faults.size() && faults[end].process == faults[begin].process &&
           faults[end].call == faults[begin].call)
      ++end;
    chosen.push_back(faults[std::uniform_int_distribution<std::size_t>(begin, end - 1)(random)]);
  }
  return chosen;
}

/// The runtime may be another one than ours, and not do all that the scenario asks for.
void sample_if_it_works(const Kind& kind, long seconds) {
  Scenario scenario(kind);
  Judge judge(scenario);
  if (const std::string why = judge.learn(); !why.empty())
    GTEST_SKIP() << "the runtime does not do this even when nothing disturbs it: " << why;
  std::mt19937 random(
      static_cast<unsigned>(support::number_from_env("DAVIT_FAULTS_SEED", std::random_device()())));
  draw(judge, random, Clock::now() + std::chrono::seconds(seconds));
}

class FaultsOf : public ::testing::TestWithParam<Kind> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FaultsOf);

TEST_P(FaultsOf, LeaveNothingOpenOrBehind) {
  if (const std::string why = support::missing(GetParam().view); !why.empty()) GTEST_SKIP() << why;
  if (const long seconds = support::number_from_env("DAVIT_FAULTS_EACH", 0); seconds > 0)
    return sample_if_it_works(GetParam(), seconds);
  Scenario scenario(GetParam());
  Judge judge(scenario);
  ASSERT_EQ(judge.learn(), "") << "it does not work when nothing disturbs it";
  std::vector<Fault> faults = judge.all_faults();
  const std::size_t all = faults.size();
  if (const char* at = getenv("DAVIT_FAULTS_AT")) {
    faults = {Judge::parse(at)};
  } else if (getenv("DAVIT_FAULTS_ALL") == std::string("calls")) {
    std::mt19937 random(choose_seed());
    faults = one_of_each_call(faults, random);
  }
  for (const Fault& fault : faults) inject(judge, fault);
  std::cout << GetParam().name() << ": " << faults.size() << " of " << all << " injections" << std::endl;
}

std::vector<Kind> demanded() {
  return is_choice_made() ? all_kinds() : std::vector<Kind>();
}
INSTANTIATE_TEST_SUITE_P(Each, FaultsOf, ::testing::ValuesIn(demanded()),
                         [](const auto& kind) { return kind.param.name(); });

}  // namespace
}  // namespace faults
