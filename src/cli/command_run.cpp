// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "cli/create_call.hpp"
#include "cli/handlers.hpp"
#include "cli/quick_config.hpp"
#include "davit/container/id.hpp"
#include "davit/sys/file.hpp"

namespace davit::cli {

namespace {

Error wrong_count() {
  Error error = make_error(Code::invalid_argument, "\"run\" requires exactly 1 argument(s)");
  return error.advise("`davit run ID`, `davit run BUNDLE/` or `davit run --rootfs DIR -- COMMAND`");
}

// run --rootfs: the default config around a directory and a command.
Result<void> without_config(Invocation& invocation, container::RunCall& call) {
  const std::string given = invocation.options().text("rootfs");
  auto real = sys::real_path(given);
  if (!real.ok()) {
    real.error().message = Text<768>("find the directory of --rootfs ").append(given);
    return real.error().advise(
        "it is the directory that becomes / of the container; the command comes behind --");
  }
  const std::string rootfs = *real;
  call.create.bundle = rootfs;
  call.create.id_hint = rootfs;
  QuickConfig quick;
  quick.rootfs = rootfs;
  quick.hostname = container::id_from_path(rootfs);
  quick.args = invocation.arguments();
  quick.terminal = !call.detach && ::isatty(STDIN_FILENO) == 1;
  call.create.config_text = TRY(quick_config(quick));
  invocation.subject = rootfs;
  return {};
}

}  // namespace

Result<int> command_run(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  const Arguments& options = invocation.options();
  container::RunCall call{TRY(create_call(options)), options.flag("detach"), options.flag("keep")};
  const std::vector<std::string>& arguments = invocation.arguments();
  if (options.given("rootfs")) {
    TRY(without_config(invocation, call));
  } else if (arguments.size() != 1) {
    return wrong_count();
  } else if (arguments.front().find('/') != std::string::npos && !options.given("bundle")) {
    // No id has a slash: it is a bundle, and names the container. What is no directory was meant as an id.
    const auto as_id = container::check_id(arguments.front());
    if (!as_id.ok() && !sys::stat_at(sys::current_directory(), arguments.front()).ok()) {
      Error error = as_id.error();
      error.advice = Text<256>("as a bundle: there is no such directory; as an id: it must not have a slash");
      return error;
    }
    call.create.bundle = arguments.front();
    call.create.id_hint = TRY(sys::real_path(arguments.front()));
  } else {
    call.create.id = arguments.front();
    TRY(container::check_id(call.create.id));
  }
  const bool is_id_made_up = call.create.id.empty();
  const bool is_detached = call.detach;
  auto status = container::run(context, std::move(call));
  // There is no config.json whose lines could be meant.
  if (!status.ok() && options.given("rootfs")) status.error().where = {};
  if (status.ok() && is_detached && is_id_made_up) (void)print(context.made_up_id + "\n");
  return status;
}

}  // namespace davit::cli
