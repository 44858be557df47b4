#include "cli/create_call.hpp"
#include "cli/handlers.hpp"

namespace davit::cli {

Result<int> command_create(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  container::CreateCall call = TRY(create_call(invocation.options()));
  call.id = invocation.arguments().front();
  TRY(container::create(context, std::move(call)));
  return 0;
}

Result<int> command_explain(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  container::CreateCall call = TRY(create_call(invocation.options()));
  if (!invocation.arguments().empty()) call.id = invocation.arguments().front();
  TRY(print(TRY(container::explain(context, std::move(call)))));
  return 0;
}

}  // namespace davit::cli
