// The commands that only name a container.
#include <unistd.h>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "davit/container/signals.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/file.hpp"

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

Result<int> command_update(Invocation& invocation) {
  const std::string file = invocation.options().text("resources");
  if (file.empty()) {
    Error error = make_error(Code::invalid_argument, "update needs --resources in this release");
    return error.advise(
        "give the file name of a JSON object as in linux.resources, or - for the standard input");
  }
  std::string text =
      file == "-" ? TRY(sys::read_all(sys::FdRef::of(STDIN_FILENO))) : TRY(sys::read_file(file));
  container::Context& context = *TRY(invocation.context());
  auto read = spec::read_resources(std::move(text), file == "-" ? "standard input" : file);
  context.warnings = std::move(read.warnings);
  if (!read.ok()) {
    context.errors = std::move(read.errors);
    return context.errors.front();
  }
  TRY(container::update(context, invocation.arguments().front(), read.value.resources));
  return 0;
}

Result<int> command_state(Invocation& invocation) {
  const spec::State state = TRY(container::state(*TRY(invocation.context()), invocation.arguments().front()));
  TRY(print(spec::state_json(state, spec::JsonStyle::pretty) + "\n"));
  return 0;
}

Result<int> command_unsupported(Invocation& invocation) {
  invocation.subject.clear();
  return make_error(Code::unsupported, "not supported by this release");
}

}  // namespace davit::cli
