// SPDX-License-Identifier: Apache-2.0
#include "cli/criu_choices.hpp"
#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "davit/container/checkpoint.hpp"

namespace davit::cli {

Result<int> command_checkpoint(Invocation& invocation) {
  const container::CheckpointCall call{invocation.arguments().front(),
                                       TRY(criu_choices(invocation.options()))};
  TRY(container::checkpoint(*TRY(invocation.context()), call));
  return 0;
}

}  // namespace davit::cli
