// SPDX-License-Identifier: Apache-2.0
#include "container/remove.hpp"

#include <cerrno>
#include <csignal>

#include "container/neighbours.hpp"
#include "container/open.hpp"
#include "container/poststop.hpp"
#include "container/salvage.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

constexpr int kDeathTimeout = 10'000;  // milliseconds

/// Says what keeps init from dying.
Error undead(const Record& record) {
  Error error = make_error(Code::system, "container init still running: pid ");
  error.message.append_number(record.init.pid);
  const auto stat = sys::process_stat(record.init.pid);
  if (stat.ok()) error.message.append(" in state ").append(std::string(1, stat->state));
  const std::string frozen_by = cgroup::frozen_above(record.cgroup, record.init.pid);
  if (!frozen_by.empty()) return error.advise(frozen_by + " is frozen: thaw it");
  return error.advise(
      "in state D it waits for a device or NFS; else for the parent of an exec to take its exit status");
}

/// A container that has ended leaves its cgroup to another one that was made in it since.
Result<void> remove_cgroup(Context& context, const Record& record) {
  const std::string other = who_lives_in(context.store, record);
  if (other.empty()) return cgroup::remove(record.cgroup, context.warnings);
  Error warning = make_error(Code::wrong_state, "its cgroup stays: the container ");
  warning.message.append(other).append(" runs in it");
  context.warnings.push_back(warning.advise("give each container a cgroupsPath of its own"));
  return {};
}

Result<void> kill_init(const Record& record) {
  auto pidfd = open_init(record.init);
  if (!pidfd.ok() && pidfd.error().code == Code::wrong_state) return {};
  if (!pidfd.ok()) return pidfd.error();
  const auto sent = sys::send_signal(*pidfd, SIGKILL);
  if (!sent.ok() && sent.error().errno_value != ESRCH) return sent;
  // In a frozen v1 cgroup even SIGKILL waits for the thaw.
  TRY(cgroup::thaw_to_die(record.cgroup, record.init.pid));
  if (TRY(sys::wait_end(*pidfd, kDeathTimeout))) return {};
  return undead(record);
}

// A directory without a record: its creator was killed before it made anything on this machine, or is just
// beginning. False: it has become a container.
Result<bool> remove_reservation(Entry& entry, bool force) {
  if (!TRY(entry.try_lock())) {
    if (!force) TRY(check_allowed(Operation::remove, spec::Status::creating, entry.id()));
    TRY(entry.lock());
  }
  const auto record = entry.read();
  if (record.ok() || record.error().code != Code::not_found) return false;
  TRY(entry.check_removable());
  TRY(entry.discard());
  return true;
}

Result<void> remove_damaged(Context& context, const std::string& id, const Error& cause) {
  Entry entry = TRY(context.store.open(id));
  TRY(entry.check_removable());
  TRY(entry.lock());
  context.warnings.push_back(cause);
  TRY(salvage(context, entry));
  return entry.discard();
}

}  // namespace

Result<void> destroy(Context& context, const Entry& entry, const Record& record, const spec::Config* config) {
  const bool was_alive = init_alive(record.init);
  TRY(kill_init(record));
  // Before the state goes: the hooks must be known when there is no state any more.
  std::optional<spec::Config> stored;
  if (config == nullptr && record.poststop_hooks) {
    auto read = stored_config(context, entry);
    if (read.ok())
      config = &stored.emplace(std::move(*read));
    else
      context.warnings.push_back(read.error());
  }
  // What has ended only now may still have processes in it.
  TRY(was_alive ? cgroup::remove(record.cgroup, context.warnings) : remove_cgroup(context, record));
  // While there is a record, `delete` can be tried again.
  TRY(resctrl::remove(resctrl::host_tree(), record.resctrl_group));
  TRY(entry.discard());
  if (config != nullptr) run_poststop_hooks(context, record, *config);
  return {};
}

Result<void> remove(Context& context, const std::string& id, bool force) {
  const Operation operation = force ? Operation::force_remove : Operation::remove;
  for (;;) {
    auto opened = open_locked(context, operation, id);
    if (opened.ok()) return destroy(context, opened->entry, opened->record, nullptr);
    const Error& error = opened.error();
    if (error.code == Code::internal && force) return remove_damaged(context, id, error);
    if (error.code != Code::not_found) return error;
    auto reserved = context.store.open(id);
    if (!reserved.ok() && !force) return error;
    if (!reserved.ok()) {
      // Mostly it was deleted before, perhaps by a davit that was killed over it.
      context.store.sweep();
      return {};
    }
    const auto removed = remove_reservation(*reserved, force);
    if (removed.ok() && *removed) return {};
    if (!removed.ok() && removed.error().code != Code::not_found) return removed.error();
  }
}

}  // namespace davit::container
