// SPDX-License-Identifier: Apache-2.0
// What a failure of init becomes for the user, beyond the words of the operation.
#include "launch/describe.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "davit/program/operations.hpp"

namespace davit::launch {
namespace {

TEST(DescribeFailure, AChrootIsToldHowToBecomeAMountPoint) {
  program::Builder builder;
  builder.emit(program::SetPropagation{});
  const program::Program program = builder.finish();
  program::Message message;
  message.error = EINVAL;
  EXPECT_NE(describe_failure(program, message).advice.find("mount --bind"), std::string_view::npos);
  message.error = EPERM;
  EXPECT_EQ(describe_failure(program, message).advice, "");
}

// Callers match the words for a container that does not run.
TEST(DescribeFailure, AnInitThatEndsWhileItIsJoinedIsAContainerThatDoesNotRun) {
  program::Builder builder;
  builder.emit(program::JoinProcess{});
  const program::Program program = builder.finish();
  program::Message message;
  message.error = ESRCH;
  EXPECT_NE(describe_failure(program, message).advice.find("container not running"), std::string_view::npos);
  message.error = EPERM;
  EXPECT_EQ(describe_failure(program, message).advice, "");
}

}  // namespace
}  // namespace davit::launch
