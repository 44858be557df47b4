// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cli/handlers.hpp"
#include "cli/invocation.hpp"
#include "cli/ps_table.hpp"
#include "davit/json/writer.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"

namespace davit::cli {

namespace {

// Runs the host's ps and returns what it prints.
Result<std::string> host_ps(const std::vector<std::string>& options) {
  std::vector<std::string> words = {"ps"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "make a pipe");
  sys::UniqueFd reading = sys::UniqueFd::adopt(ends[0]);
  sys::UniqueFd writing = sys::UniqueFd::adopt(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.number(), STDOUT_FILENO);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, "ps", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    Error error = system_error(failure, "run the host's ps");
    return error.advise("install procps, or use --format json");
  }
  writing.reset();
  // It looks at every process of the machine, and may hang at one: then nobody waits for it, either.
  auto output = sys::read_file_or_pipe("/proc/self/fd/" + std::to_string(reading.number()), 16u << 20);
  if (!output.ok()) {
    (void)::kill(pid, SIGKILL);
    return output.error().wrap("the host's ps");
  }
  const int status = TRY(sys::wait_for(pid));
  if (status != 0) return make_error(Code::system, "the host's ps failed");
  return output;
}

}  // namespace

Result<int> command_ps(Invocation& invocation) {
  container::Context& context = *TRY(invocation.context());
  const std::vector<std::string>& arguments = invocation.arguments();
  const bool json = TRY(wants_json(invocation.options()));
  const std::vector<pid_t> pids = TRY(container::processes(context, arguments.front()));
  if (json) {
    json::Writer out(json::Style::compact);
    out.begin_array();
    for (const pid_t pid : pids) out.number(pid);
    out.end_array();
    TRY(print(out.take() + "\n"));
    return 0;
  }
  std::vector<std::string> options(arguments.begin() + 1, arguments.end());
  if (options.empty()) options = {"-ef"};
  TRY(print(TRY(filter_ps(TRY(host_ps(options)), pids))));
  return 0;
}

}  // namespace davit::cli
