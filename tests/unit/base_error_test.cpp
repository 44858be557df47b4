// SPDX-License-Identifier: Apache-2.0
#include "davit/base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "davit/base/result.hpp"
#include "davit/base/undo.hpp"

namespace davit {
namespace {

TEST(Text, CutsAndMarksWhatDoesNotFit) {
  Text<8> text("123456789");
  EXPECT_EQ(text.view(), "1234...");
  text.append("x");
  EXPECT_EQ(text.view(), "1234...");
}

TEST(Text, AppendsNumbers) {
  Text<64> text;
  text.append_number(INT64_MIN).append(' ').append_number(0).append(' ').append_number(42);
  EXPECT_EQ(text.view(), "-9223372036854775808 0 42");
}

TEST(Error, DescribesPlaceCauseAndErrno) {
  Error error = system_error(EPERM, "mount proc on /proc");
  error.where.file = "config.json";
  error.where.line = 41;
  error.where.column = 7;
  error.where.pointer = "/mounts/3";
  EXPECT_EQ(describe(error).view(),
            "config.json:41:7: /mounts/3: mount proc on /proc: Operation not permitted");
}

Result<int> half(int number) {
  if (number % 2 != 0) return make_error(Code::invalid_argument, "odd");
  return number / 2;
}
Result<int> quarter(int number) {
  return TRY(half(TRY(half(number))));
}

TEST(Result, TryHandsTheErrorUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6).ok());
  EXPECT_EQ(quarter(6).error().message.view(), "odd");
}

TEST(Undo, RunsInReverseUnlessCommitted) {
  std::string order;
  {
    Undo undo;
    undo.push([&] { order += 'a'; });
    undo.push([&] { order += 'b'; });
  }
  EXPECT_EQ(order, "ba");
  {
    Undo undo;
    undo.push([&] { order += 'c'; });
    undo.commit();
  }
  EXPECT_EQ(order, "ba");
}

}  // namespace
}  // namespace davit
