// SPDX-License-Identifier: Apache-2.0
#include "cli/create_call.hpp"
#include "cli/criu_choices.hpp"
#include "cli/handlers.hpp"
#include "davit/container/checkpoint.hpp"

namespace davit::cli {

Result<int> command_restore(Invocation& invocation) {
  const Arguments& options = invocation.options();
  container::RestoreCall call{TRY(create_call(options)), TRY(criu_choices(options)), options.flag("detach"),
                              options.flag("keep")};
  call.create.id = invocation.arguments().front();
  return container::restore(*TRY(invocation.context()), std::move(call));
}

}  // namespace davit::cli
