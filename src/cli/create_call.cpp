// SPDX-License-Identifier: Apache-2.0
#include "cli/create_call.hpp"

#include "davit/base/story.hpp"

namespace davit::cli {

Result<launch::Options> launch_options(const Arguments& options) {
  launch::Options launch;
  launch.console_socket = options.text("console-socket");
  launch.pidfd_socket = options.text("pidfd-socket");
  if (options.given("preserve-fds"))
    launch.preserve_fds = TRY(parse_number(options.text("preserve-fds"), "--preserve-fds"));
  launch.no_pivot = options.flag("no-pivot");
  launch.no_new_keyring = options.flag("no-new-keyring");
  launch.trace = story::is_listening();
  return launch;
}

Result<container::CreateCall> create_call(const Arguments& options) {
  container::CreateCall call;
  for (const std::string_view name : {"bundle", "config"})
    if (options.given(name) && options.text(name).empty())
      return make_error(Code::invalid_argument, "--" + std::string(name) + " is empty");
  if (options.given("bundle")) call.bundle = options.text("bundle");
  call.config_file = options.text("config");
  call.pid_file = options.text("pid-file");
  call.options = TRY(launch_options(options));
  return call;
}

}  // namespace davit::cli
