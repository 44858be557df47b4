// SPDX-License-Identifier: Apache-2.0
#include "cli/create_call.hpp"
#include "cli/handlers.hpp"
#include "davit/container/id.hpp"

namespace davit::cli {

Result<int> command_create(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  container::CreateCall call = TRY(create_call(invocation.options()));
  call.id = invocation.arguments().front();
  TRY(container::check_id(call.id));
  TRY(container::create(context, std::move(call)));
  return 0;
}

}  // namespace davit::cli
