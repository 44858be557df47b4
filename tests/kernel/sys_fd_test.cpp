// SPDX-License-Identifier: Apache-2.0
// Descriptors that are closed together.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <vector>

#include "davit/sys/file.hpp"

namespace davit::sys {
namespace {

bool is_open(int number) {
  return ::fcntl(number, F_GETFD) >= 0;
}

std::vector<UniqueFd> open_many(std::size_t count) {
  std::vector<UniqueFd> files;
  while (files.size() < count) files.push_back(open("/dev/null", O_RDONLY).value());
  return files;
}

TEST(SpentFds, ClosesItsOwnAndNothingBetween) {
  std::vector<UniqueFd> files = open_many(7);
  std::vector<int> numbers;
  for (const UniqueFd& file : files) numbers.push_back(file.number());
  {
    SpentFds spent;
    spent.add(UniqueFd());
    for (const std::size_t index : {5U, 0U, 1U, 2U, 6U}) spent.add(std::move(files[index]));
    for (const int number : numbers) EXPECT_TRUE(is_open(number)) << number;
    spent.close();
    for (const std::size_t index : {0U, 1U, 2U, 5U, 6U}) EXPECT_FALSE(is_open(numbers[index])) << index;
    for (const std::size_t index : {3U, 4U}) EXPECT_TRUE(is_open(numbers[index])) << index;
    spent.add(std::move(files[3]));
  }
  EXPECT_FALSE(is_open(numbers[3]));
  EXPECT_TRUE(is_open(numbers[4]));
}

TEST(SpentFds, DoesNotPileThemUp) {
  SpentFds spent;
  int first = -1;
  for (int i = 0; i < 100; ++i) {
    UniqueFd file = open("/dev/null", O_RDONLY).value();
    if (i == 0) first = file.number();
    EXPECT_LT(file.number(), first + 64);
    spent.add(std::move(file));
  }
}

}  // namespace
}  // namespace davit::sys
