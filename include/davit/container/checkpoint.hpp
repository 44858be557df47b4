// SPDX-License-Identifier: Apache-2.0
// checkpoint and restore: a container's processes as files, and back, through CRIU.
#pragma once

#include <string>

#include "davit/container/lifecycle.hpp"
#include "davit/criu/translation.hpp"

namespace davit::container {

struct CheckpointCall {
  std::string id;
  criu::Choices choices;
};
/// Writes a container into a directory; afterwards it is deleted, unless it is to run on. An error says
/// whether it still runs.
Result<void> checkpoint(Context& context, const CheckpointCall& call);

struct RestoreCall {
  CreateCall create;
  criu::Choices choices;
  bool detach = false;
  bool keep = false;  ///< as RunCall::keep
};
/// Makes a container that goes on where a checkpoint was taken. Returns its exit status (0 when detached). On
/// an error nothing is left of it.
Result<int> restore(Context& context, RestoreCall call);

}  // namespace davit::container
