// SPDX-License-Identifier: Apache-2.0
// Trying something in a child, so that nothing of it stays with us.
#pragma once

#include <functional>
#include <string>

#include "davit/base/result.hpp"

namespace davit::doctor {

/// How far an attempt came.
struct Outcome {
  std::string step{};   ///< that failed; empty: none
  int errno_value = 0;  ///< of that step
  [[nodiscard]] bool ok() const { return step.empty(); }
};

/// In the child: remembers the step that is under way, so that it can be named when it fails.
class Steps {
 public:
  /// `value` is what a system call returned, -1 with errno: false, and the attempt is over.
  bool did(const char* step, long value);
  /// The same for what is no system call.
  bool did(const char* step, const Result<void>& result);

  struct Shared;
  explicit Steps(Shared* shared) : shared_(shared) {}

 private:
  Shared* shared_;
};

/// Forks; the child does `work`, which ends at its first step that fails, and exits. After ten seconds it is
/// killed ("does not answer").
Outcome attempt(const std::function<void(Steps&)>& work);

}  // namespace davit::doctor
