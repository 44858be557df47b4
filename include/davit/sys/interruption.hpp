// SPDX-License-Identifier: Apache-2.0
// Signals that ask davit to end while there is something to take back.
#pragma once

#include <sys/types.h>

#include "davit/sys/fd.hpp"

namespace davit::sys {

/// While it lives, the first SIGHUP, SIGINT or SIGTERM does not end davit, but what it waits for: `channel`
/// is shut down, and the group of an InterruptibleGroup is killed. A second one ends davit. What davit's
/// caller ignores stays ignored. There can be one at a time.
class Interruption {
 public:
  explicit Interruption(FdRef channel) : Interruption(channel, false) {}
  /// With `despite_mask` also if davit blocks them, as one does who has a signalfd; in the end they are
  /// blocked again, so that none is lost.
  Interruption(FdRef channel, bool despite_mask);
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption() { (void)end(); }
  /// Makes everything as it was; the signal that has come, or 0.
  int end();
  /// The same, but handlers stay for who blocks signals next and then asks has_come(): none gets lost
  /// between.
  int hand_over();
  /// Whether one has come.
  static bool has_come();
};

/// A process group of davit's, to be destroyed before the group's leader is reaped.
class InterruptibleGroup {
 public:
  explicit InterruptibleGroup(pid_t leader);
  InterruptibleGroup(const InterruptibleGroup&) = delete;
  InterruptibleGroup& operator=(const InterruptibleGroup&) = delete;
  ~InterruptibleGroup();
};

}  // namespace davit::sys
