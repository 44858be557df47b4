// SPDX-License-Identifier: Apache-2.0
#include "container/ending.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "container/open.hpp"
#include "davit/container/time.hpp"
#include "davit/sys/clock.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

void take_status(Ending& ending, int wait_status) {
  ending.signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
  ending.exit_code = ending.signal != 0 ? 128 + ending.signal : WEXITSTATUS(wait_status);
}

/// The status of an init that nobody has waited for yet.
std::optional<int> status_of_zombie(const Init& init) {
  if (init.pid <= 0) return {};
  const auto stat = sys::process_stat(init.pid);
  if (!stat.ok() || stat->start_time != init.start_time || stat->state != 'Z') return {};
  if (!init.boot_id.empty()) {
    const auto boot = boot_id();
    if (!boot.ok() || *boot != init.boot_id) return {};
  }
  return sys::zombie_status(init.pid);
}

/// Whoever is init's parent may take some time to reap it, and may be anybody.
std::optional<int> status_after_end(const Init& init, sys::FdRef pidfd) {
  constexpr std::int64_t kPatience = 5000;  // milliseconds
  const std::int64_t until = sys::monotonic_milliseconds() + kPatience;
  for (;;) {
    if (const auto status = sys::reaped_status(pidfd)) return status;
    if (const auto status = status_of_zombie(init)) return status;
    const auto stat = sys::process_stat(init.pid);
    const bool is_there = stat.ok() && stat->start_time == init.start_time;
    // Reaped, and the kernel does not say how; or in our way between the two looks.
    if (!is_there) return sys::reaped_status(pidfd);
    if (sys::monotonic_milliseconds() > until) return {};
    ::usleep(20'000);
  }
}

Error unknown_status() {
  Error error = make_error(Code::unsupported, "the container has ended, but its exit status is not known");
  return error.advise(
      "it is for `run` in the foreground with --keep, and for a `wait` that began before the end (Linux "
      "6.15)");
}

}  // namespace

Ending ending_of(const Record& record, int wait_status) {
  Ending ending;
  ending.finished = utc_now(Precision::nanoseconds);
  take_status(ending, wait_status);
  // The counter is of all processes in there; a shell that is init says 137 of one that it waited for.
  const bool was_killed = *ending.exit_code == 128 + SIGKILL;
  if (!was_killed)
    ending.oom_killed = false;
  else if (cgroup::counts_oom_kills(record.cgroup))
    ending.oom_killed = cgroup::oom_kills(record.cgroup) > 0;
  return ending;
}

Ending known_ending(const Record& record) {
  if (record.ending) return *record.ending;
  Ending ending;
  if (const auto status = status_of_zombie(record.init)) take_status(ending, *status);
  return ending;
}

std::optional<Error> death_by_memory(const Record& record, const Ending& ending) {
  if (!ending.oom_killed.value_or(false)) return {};
  Error error = make_error(Code::system, "the OOM killer ended it: ");
  const std::string limit = cgroup::reached_limit(record.cgroup);
  if (limit.empty()) {
    error.message.append("the host, or a cgroup above the container's, ran out of memory");
    return error;
  }
  error.message.append("it had reached ").append(limit);
  return error.advise("raise linux.resources.memory of config.json, or let the program use less");
}

Ending failed_start(const Error& error) {
  Ending ending;
  ending.finished = utc_now(Precision::nanoseconds);
  ending.failed_step = error.step.empty() ? "start" : error.step.view();
  ending.error = describe(error).view();
  return ending;
}

Result<int> wait(Context& context, const std::string& id) {
  Entry entry = TRY(context.store.open(id));
  Record record = TRY(entry.read());
  if (record.init.pid <= 0 && !record.ending) {
    const Error error = make_error(Code::wrong_state, "cannot wait for a container that is being created");
    return error;
  }
  std::optional<int> status;
  auto pidfd = open_init(record.init);
  if (pidfd.ok()) {
    TRY(sys::wait_end(*pidfd, -1));
    status = status_after_end(record.init, *pidfd);
  }
  Ending ending;
  if (status) {
    take_status(ending, *status);
  } else {
    // Its davit may have put it on record meanwhile.
    auto again = entry.read();
    ending = known_ending(again.ok() ? *again : record);
  }
  if (!ending.exit_code) return unknown_status();
  return *ending.exit_code;
}

}  // namespace davit::container
