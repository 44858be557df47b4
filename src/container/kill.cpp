// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <csignal>

#include "container/neighbours.hpp"
#include "container/open.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

Result<void> signal_init(const Record& record, int signal) {
  const sys::UniqueFd pidfd = TRY(open_init(record.init));
  auto sent = sys::send_signal(pidfd, signal);
  if (!sent.ok() && sent.error().errno_value == ESRCH)
    return make_error(Code::wrong_state, "container not running");
  return sent;
}

// --all is there for what outlives init, so a stopped container is no error.
Result<void> signal_all(const Store& store, const Record& record, int signal) {
  if (!TRY(cgroup::processes(record.cgroup)).empty())
    return who_lives_in(store, record).empty() ? cgroup::kill(record.cgroup, signal) : Result<void>();
  // It may have no cgroup of its own.
  auto sent = signal_init(record, signal);
  if (!sent.ok() && sent.error().code == Code::wrong_state) return {};
  return sent;
}

}  // namespace

Result<void> kill(Context& context, const KillCall& call) {
  Entry entry = TRY(context.store.open(call.id));
  const Record record = TRY(entry.read());
  if (call.all) return signal_all(context.store, record, call.signal);
  auto sent = signal_init(record, call.signal);
  const bool is_gone = !sent.ok() && sent.error().code == Code::wrong_state;
  // Without a pid namespace of its own, a container lives on after its init.
  if (is_gone && !record.own_pid_namespace && !TRY(cgroup::processes(record.cgroup)).empty() &&
      who_lives_in(context.store, record).empty())
    return cgroup::kill(record.cgroup, call.signal);
  if (!sent.ok()) return sent;
  if (call.signal != SIGKILL) return {};
  // Without a pid namespace of its own, the death of init ends nobody else.
  if (!record.own_pid_namespace) TRY(cgroup::kill(record.cgroup, SIGKILL));
  // In a frozen v1 cgroup even SIGKILL waits for the thaw.
  return cgroup::thaw_to_die(record.cgroup, record.init.pid);
}

}  // namespace davit::container
