// SPDX-License-Identifier: Apache-2.0
// What a davit that has stayed with a container does about it in the end.
#pragma once

#include "container/make.hpp"
#include "container/supervise.hpp"

namespace davit::container {

/// Stays with a container that runs until it ends; notes how, and with `keep` leaves that on record.
Result<int> attend(Context& context, Made& made, Foreground& foreground, bool keep);
/// What `run` does last: unless the container stays, it is destroyed. Returns the exit status.
Result<int> finish(Context& context, Made& made, Result<int> status, bool stays);

}  // namespace davit::container
