// SPDX-License-Identifier: Apache-2.0
// Which message may come from inside, when, how often, and from whom.
#pragma once

#include <sys/types.h>

#include "davit/program/builder.hpp"
#include "launch/channel.hpp"

namespace davit::launch {

/// Follows the messages of one conversation. What init says is input: another process may have got hold of
/// its channel, or of init itself.
class Protocol {
 public:
  /// Refuses a message that the program cannot have sent: `sender` is who may speak now. An empty program is
  /// one that another davit compiled, whose init has leave to execute: it can only fail.
  Result<void> check(const program::Program& program, const Incoming& incoming, pid_t sender);

  /// Refuses an end before init has met davit wherever the program says.
  Result<void> check_end(const program::Program& program) const;

 private:
  std::uint32_t operation_ = 0;  ///< the one that spoke last; they come in order
  std::uint32_t met_ = 0;        ///< how many tell_host operations have spoken
  std::uint32_t seen_ = 0;       ///< which rules its messages have used
  bool has_failed_ = false;
};

}  // namespace davit::launch
