// SPDX-License-Identifier: Apache-2.0
// From init's terse messages to errors a person can use.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "davit/features/lsm.hpp"
#include "davit/program/init_name.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "launch/describe.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

const features::Place& place_of(const plan::Plan& plan, const program::Message& message) {
  static const features::Place nowhere;
  const std::size_t operation = message.operation;
  return operation < plan.program.origins.size() ? plan.places[plan.program.origins[operation]] : nowhere;
}

/// Where a failed operation stands in the source map.
Error located(const plan::Plan& plan, const program::Message& message, Error error) {
  const features::Place& place = place_of(plan, message);
  return spec::at(place.position, place.below, error);
}

}  // namespace

Result<void> complete(Subject& subject) {
  if (!subject.read_config) return {};
  TRY(std::exchange(subject.read_config, {})());
  subject.process = subject.config.process ? &*subject.config.process : nullptr;
  return {};
}

spec::State state_of(const Subject& subject, pid_t pid) {
  spec::State state;
  state.id = subject.id;
  state.pid = pid > 0 ? pid : 0;
  state.bundle = subject.bundle;
  state.annotations = subject.config.annotations;
  return state;
}

features::Call call_of(const std::string& id, const std::string& bundle, const Options& options) {
  return {.id = id,
          .bundle = bundle,
          .no_pivot = options.no_pivot,
          .no_new_keyring = options.no_new_keyring,
          .relays_terminal = options.foreground && options.console_socket.empty(),
          .preserve_fds = options.preserve_fds};
}

Error failure_after_start(const Subject& subject, program::Message message) {
  const plan::Plan plan =
      plan::compile_after_start(subject.config, {.id = subject.id, .bundle = subject.bundle});
  message.operation -= static_cast<std::uint32_t>(message.pid);
  return failure_of(plan, subject, message);
}

Error failure_of(const plan::Plan& plan, const Subject& subject, const program::Message& message) {
  const Failure failure = describe_failure(plan.program, message);
  Error error = make_error(failure.code, failure.text.view());
  error.errno_value = failure.shows_errno ? message.error : 0;
  error.advise(failure.advice);
  error.step.append(operation_name(plan.program, message.operation));
  error = located(plan, message, error);
  explain_failure(plan, subject, message, error);
  if (failure.is_label && subject.process != nullptr) lsm::explain_label_failure(*subject.process, error);
  return error;
}

Error warning_of(const plan::Plan& plan, const program::Message& message) {
  const Failure failure = describe_failure(plan.program, message);
  Error error = make_error(failure.code, failure.text.view());
  error.errno_value = message.error;
  return located(plan, message, error);
}

Error interrupted_by(int signal) {
  Text<768> message("interrupted by SIG");
  return make_error(Code::system, message.append(::sigabbrev_np(signal)));
}

namespace {

constexpr int kEndTimeout = 10000;  // milliseconds, for a process that has closed all it had

/// What a filter has to do with the silence of an init that was about to execute.
void suspect_filter(const Session& session, Error& error) {
  if (!session.subject.config.linux.seccomp) return;
  error.advise(
      "the seccomp profile seems to refuse what a process needs to run its program or to end: allow execve, "
      "write, exit and exit_group, and for an exec where CAP_SYS_PTRACE is there also what a fork needs");
}

/// The name of a process, which a zombie has as well; empty: it is gone. One that cannot be read says nothing
/// of what it does.
Result<std::string> name_of(pid_t pid) {
  auto name = sys::read_record("/proc/" + std::to_string(pid) + "/comm");
  if (!name.ok() && (name.error().errno_value == ENOENT || name.error().errno_value == ESRCH))
    return std::string();
  while (name.ok() && name->ends_with('\n')) name->pop_back();
  return name;
}

/// What to say of an init that ended by a signal.
Error killed_by(const Session& session, int signal) {
  Error error = make_error(Code::internal, "init ended unexpectedly: killed by signal ");
  error.message.append_number(signal);
  // What init ends by where nothing else is allowed (exit_process).
  if (signal != SIGKILL) suspect_filter(session, error);
  return error;
}

/// The signal that ended an init, or a short program, that an engine has reaped at once.
std::optional<int> ended_by(const Session& session) {
  const auto status = sys::reaped_status(session.launched.pidfd);
  return status && WIFSIGNALED(*status) ? std::optional(WTERMSIG(*status)) : std::nullopt;
}

/// Whether a signal is the one of init's last resort, see exit_process.
bool is_filters_work(const Session& session, int signal) {
  return session.subject.config.linux.seccomp && (signal == SIGILL || signal == SIGTRAP);
}

}  // namespace

Result<void> check_executed(Session& session) {
  constexpr std::uint64_t kLongest = 2000;  // microseconds
  bool was_init = false;
  // execve closes the channel before it changes the name, mostly by some microseconds.
  std::uint64_t pause = 20;
  for (std::uint64_t waited = 0; waited < kEndTimeout * 1000ULL; pause = std::min(pause * 2, kLongest)) {
    const bool has_ended = TRY(sys::wait_end(session.launched.pidfd, 0));
    const std::string name = TRY(name_of(session.launched.pid));
    if (name.empty() || (has_ended && name == program::kInitName)) (void)complete(session.subject);
    const auto signal = name.empty() ? ended_by(session) : std::nullopt;
    if (signal && (was_init || is_filters_work(session, *signal))) return killed_by(session, *signal);
    if (name != program::kInitName) return {};
    was_init = true;
    if (!has_ended) {
      ::usleep(static_cast<useconds_t>(pause));
      waited += pause;
      continue;
    }
    Error error = post_mortem(session);
    suspect_filter(session, error);
    return error;
  }
  return make_error(Code::internal, "init has closed its channel, but neither executes its program nor ends");
}

Error post_mortem(Session& session) {
  const std::uint64_t oom_kills = cgroup::oom_kills(session.place);
  const pid_t pid = session.stage_pid > 0 ? session.stage_pid : session.launched.pid;
  const auto ended = sys::wait_end(session.launched.pidfd, kEndTimeout);
  if (!ended.ok() || !*ended)
    return make_error(Code::internal, "init has closed its channel, but does not end");
  session.launched.pidfd.reset();  // nobody is left to be killed
  session.stage_pid = -1;
  const auto status = sys::wait_for(pid);
  Error error = status.ok() && WIFSIGNALED(*status) ? killed_by(session, WTERMSIG(*status))
                                                    : make_error(Code::internal, "init ended unexpectedly");
  if (status.ok() && WIFEXITED(*status))
    error.message.append(": exit status ").append_number(WEXITSTATUS(*status));
  if (oom_kills > 0) {
    error.message.append(", its cgroup ran out of memory");
    error.advise("raise linux.resources.memory.limit: the container did not even start within it");
  }
  return error;
}

}  // namespace davit::launch
