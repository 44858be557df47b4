// SPDX-License-Identifier: Apache-2.0
// Replays what fuzzing has found, so that it stays fixed without a fuzzer at hand.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/config_harness.hpp"
#include "fuzz/filters.hpp"

namespace davit::fuzz {
namespace {

TEST(FuzzCorpus, ConfigInputsKeepThePromises) {
  std::size_t count = 0;
  on_config = compare_filters;
  const std::filesystem::path tests = DAVIT_TESTS_DIR;
  for (const char* folder : {"fuzz/corpus/config", "golden/spec/good", "golden/spec/bad", "golden/captured"})
    for (const auto& entry : std::filesystem::directory_iterator(tests / folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      exercise_config(std::string(std::istreambuf_iterator<char>(file), {}));
      ++count;
    }
  EXPECT_GT(count, 20u);
  EXPECT_GT(compared_filters, 10u);
}

}  // namespace
}  // namespace davit::fuzz
