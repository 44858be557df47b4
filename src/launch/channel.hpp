// davit's end of the channel to init: fixed-size messages, each side knowing from the program which comes
// next.
#pragma once

#include "davit/base/result.hpp"
#include "davit/program/operations.hpp"
#include "davit/sys/fd.hpp"

namespace davit::launch {

struct Incoming {
  program::Message message;
  sys::UniqueFd descriptor;
  bool closed = false;  ///< the other side is gone; there is no message
};

/// Tells init to go on at `point`; `descriptor` may carry what it waits for.
Result<void> tell(sys::FdRef channel, program::Point point, sys::FdRef descriptor = {});
/// Waits for the next message.
Result<Incoming> receive(sys::FdRef channel);

}  // namespace davit::launch
