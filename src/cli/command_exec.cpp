// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "cli/create_call.hpp"
#include "cli/exec_user.hpp"
#include "cli/handlers.hpp"

namespace davit::cli {

Result<ExecUser> parse_exec_user(std::string_view text) {
  ExecUser user;
  const std::size_t colon = text.find(':');
  auto uid = parse_number(text.substr(0, colon), "--user");
  auto gid = colon == std::string_view::npos ? Result<std::uint32_t>(0)
                                             : parse_number(text.substr(colon + 1), "--user group");
  for (auto* const number : {&uid, &gid})
    if (!number->ok())
      return number->error().advise(
          "names are not looked up: take the numbers from /etc/passwd and /etc/group of the container");
  user.uid = *uid;
  if (colon != std::string_view::npos) user.gid = *gid;
  return user;
}

Result<int> command_exec(Invocation& invocation) {
  const Arguments& options = invocation.options();
  const std::vector<std::string>& arguments = invocation.arguments();
  container::ExecCall call;
  call.id = arguments.front();
  call.process_file = options.text("process");
  call.args.assign(arguments.begin() + 1, arguments.end());
  if (call.args.empty() && call.process_file.empty()) {
    Error error = make_error(Code::invalid_argument, "process args cannot be empty");
    return error.advise("name a command after the id, or a file with --process");
  }
  if (options.given("cwd")) call.cwd = options.text("cwd");
  call.env = options.list("env");
  if (options.given("user")) {
    const ExecUser user = TRY(parse_exec_user(options.text("user")));
    call.uid = user.uid;
    call.gid = user.gid;
  }
  for (const std::string& gid : options.list("additional-gids"))
    call.additional_gids.push_back(TRY(parse_number(gid, "--additional-gids")));
  call.capabilities = options.list("cap");
  call.apparmor_profile = options.text("apparmor");
  call.selinux_label = options.text("process-label");
  call.no_new_privileges = options.flag("no-new-privs");
  call.terminal = options.flag("tty");
  call.ignore_paused = options.flag("ignore-paused");
  call.detach = options.flag("detach");
  for (const std::string& path : options.list("cgroup"))
    if (!path.empty()) call.cgroups.push_back(path);
  call.pid_file = options.text("pid-file");
  call.options = TRY(launch_options(options));
  return container::exec(*TRY(invocation.context()), call);
}

}  // namespace davit::cli
