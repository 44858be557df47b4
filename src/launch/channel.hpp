// SPDX-License-Identifier: Apache-2.0
// davit's end of the channel to init: fixed-size messages, each side knowing from the program which comes
// next.
#pragma once

#include <utility>

#include "davit/base/result.hpp"
#include "davit/program/operations.hpp"
#include "davit/sys/fd.hpp"

namespace davit::launch {

struct Incoming {
  program::Message message;
  sys::UniqueFd descriptor;
  pid_t sender = 0;     ///< as the kernel says
  bool closed = false;  ///< the other side is gone; there is no message
};

/// Tells init to go on at `point`; `descriptor` may carry what it waits for.
Result<void> tell(sys::FdRef channel, program::Point point, sys::FdRef descriptor = {});
/// Our end of a new channel, which says who sends; and init's.
Result<std::pair<sys::UniqueFd, sys::UniqueFd>> make_channel();
/// Waits for the next message; one of another size is an error.
Result<Incoming> receive(sys::FdRef channel);

}  // namespace davit::launch
