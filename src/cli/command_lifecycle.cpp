// SPDX-License-Identifier: Apache-2.0
// The commands that only name a container.
#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "davit/container/signals.hpp"

namespace davit::cli {

namespace {

// With --regex, the argument stands for all ids that it matches.
Result<std::vector<std::string>> named_ids(Invocation& invocation, container::Context& context) {
  const std::string& argument = invocation.arguments().front();
  if (!invocation.options().flag("regex")) return std::vector<std::string>{argument};
  return container::matching(context, argument);
}

}  // namespace

Result<int> command_start(Invocation& invocation) {
  TRY(container::start(*TRY(invocation.context()), invocation.arguments().front()));
  return 0;
}

Result<int> command_kill(Invocation& invocation) {
  const std::vector<std::string>& arguments = invocation.arguments();
  const int signal = TRY(container::parse_signal(arguments.size() > 1 ? arguments[1] : "TERM"));
  container::Context& context = *TRY(invocation.context());
  for (const std::string& id : TRY(named_ids(invocation, context)))
    TRY(container::kill(context, {id, signal, invocation.options().flag("all")}));
  return 0;
}

Result<int> command_delete(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  for (const std::string& id : TRY(named_ids(invocation, context)))
    TRY(container::remove(context, id, invocation.options().flag("force")));
  return 0;
}

Result<int> command_pause(Invocation& invocation) {
  TRY(container::pause(*TRY(invocation.context()), invocation.arguments().front()));
  return 0;
}

Result<int> command_resume(Invocation& invocation) {
  TRY(container::resume(*TRY(invocation.context()), invocation.arguments().front()));
  return 0;
}

Result<int> command_state(Invocation& invocation) {
  const spec::State state = TRY(container::state(*TRY(invocation.context()), invocation.arguments().front()));
  TRY(print(spec::state_json(state, spec::JsonStyle::pretty) + "\n"));
  return 0;
}

Result<int> command_wait(Invocation& invocation) {
  const int status = TRY(container::wait(*TRY(invocation.context()), invocation.arguments().front()));
  TRY(print(std::to_string(status) + "\n"));
  return 0;
}

}  // namespace davit::cli
