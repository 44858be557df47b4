// SPDX-License-Identifier: Apache-2.0
// Staying with a process in the foreground.
#pragma once

#include "davit/container/lifecycle.hpp"
#include "davit/features/terminal.hpp"
#include "davit/launch/launch.hpp"

namespace davit::container {

/// Says the warnings of what has been done so far, which the user wants to know before a process takes over
/// the terminal for days.
void announce_warnings(Context& context);

class Foreground {
 public:
  /// From here on, signals wait to be forwarded. To be called before the process is let go; it does not
  /// inherit that, as init has a mask of its own.
  static Result<Foreground> open();
  /// Forwards signals and the terminal until the process ends; its exit status, 128 + n when signal n killed
  /// it. If that cannot be done, the process is killed: nobody would look after it.
  Result<int> supervise(launch::Launched& launched);
  /// How wait(2) has it, after supervise().
  [[nodiscard]] int wait_status() const { return supervisor_.wait_status(); }

 private:
  explicit Foreground(terminal::Supervisor supervisor) : supervisor_(std::move(supervisor)) {}
  Result<int> stay(launch::Launched& launched);

  terminal::Supervisor supervisor_;
};

}  // namespace davit::container
