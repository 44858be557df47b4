// SPDX-License-Identifier: Apache-2.0
#include "container/open.hpp"

#include <linux/magic.h>

#include <cerrno>
#include <csignal>

#include "davit/spec/reader.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/mount.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

class Machine : public Evidence {
 public:
  Machine(Entry& entry, const Record& record) : entry_(entry), record_(record) {}

  bool has_init() override { return record_.init.pid > 0; }
  bool being_created() override {
    if (entry_.locked()) return false;
    const auto locked = entry_.try_lock();
    if (!locked.ok()) return false;
    if (*locked) entry_.unlock();
    return !*locked;
  }
  bool init_alive() override { return container::init_alive(record_.init); }
  bool waits_for_start() override { return entry_.waits_for_start(); }
  bool frozen() override { return cgroup::frozen(record_.cgroup).value_or(false); }

 private:
  Entry& entry_;
  const Record& record_;
};

// A first thread that has ended looks like a zombie, too, while others of the process run on.
bool other_threads_run(pid_t pid) {
  const auto pidfd = sys::open_pidfd(pid);
  if (!pidfd.ok()) return false;
  const auto ended = sys::wait_end(*pidfd, 0);
  return ended.ok() && !*ended;
}

bool is_numbered(sys::FdRef pidfd, const Init& init) {
  const auto status = sys::stat_of(pidfd);
  if (!status.ok() || status->st_ino != init.number) return false;
  const auto ended = sys::wait_end(pidfd, 0);
  return ended.ok() && !*ended;
}

bool same_process(const Init& init) {
  if (init.number != 0) {
    const auto pidfd = sys::open_pidfd(init.pid);
    if (pidfd.ok()) return is_numbered(*pidfd, init);
    if (pidfd.error().errno_value == ESRCH) return false;
  }
  const auto stat = sys::process_stat(init.pid);
  if (!stat.ok() || stat->start_time != init.start_time || stat->state == 'X') return false;
  return stat->state != 'Z' || other_threads_run(init.pid);
}

bool same_boot(const Init& init) {
  if (init.boot_id.empty()) return true;
  const auto id = boot_id();
  return id.ok() && *id == init.boot_id;
}

/// Asks the davit that is creating the container to take it back: it may wait for a hook that never ends.
void interrupt_creator(const Entry& entry) {
  const auto holder = sys::lock_holder(entry.directory());
  if (!holder.ok() || *holder <= 0) return;
  const auto pidfd = sys::open_pidfd(*holder);
  if (!pidfd.ok()) return;
  // Again, now that the number cannot pass to somebody else.
  const auto still = sys::lock_holder(entry.directory());
  if (still.ok() && *still == *holder) (void)sys::send_signal(*pidfd, SIGTERM);
}

/// Who holds the lock may wait for what ends with the container only: a startContainer hook.
void end_processes(const Record& record) {
  const auto init = open_init(record.init);
  if (init.ok()) (void)sys::send_signal(*init, SIGKILL);
  if (!record.own_pid_namespace) (void)cgroup::kill(record.cgroup, SIGKILL);
  (void)cgroup::thaw_to_die(record.cgroup, init.ok() ? record.init.pid : 0);
}

/// What this call of davit was told goes before what create was told.
Result<Record> read_record(const Context& context, const Entry& entry) {
  Record record = TRY(entry.read());
  if (context.patience) record.cgroup.unit.patience = *context.patience;
  return record;
}

}  // namespace

Result<std::string> boot_id() {
  std::string id = TRY(sys::read_record("/proc/sys/kernel/random/boot_id"));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

Result<std::string> boot_id_for(sys::FdRef directory) {
  const auto type = sys::filesystem_type(directory);
  return type.ok() && *type == TMPFS_MAGIC ? std::string() : boot_id();
}

Result<Init> identify(pid_t pid, sys::FdRef pidfd, sys::FdRef directory) {
  Init init;
  init.pid = pid;
  init.start_time = TRY(sys::process_stat(pid)).start_time;
  init.number = TRY(sys::pidfd_number(pidfd));
  init.boot_id = TRY(boot_id_for(directory));
  return init;
}

bool init_alive(const Init& init) {
  return init.pid > 0 && same_process(init) && same_boot(init);
}

spec::Status status_of(Entry& entry, const Record& record) {
  Machine machine(entry, record);
  return derive_status(machine);
}

Result<Opened> open_for(Context& context, Operation operation, const std::string& id) {
  Entry entry = TRY(context.store.open(id));
  Record record = TRY(read_record(context, entry));
  const spec::Status status = status_of(entry, record);
  TRY(check_allowed(operation, status, id));
  return Opened{std::move(entry), std::move(record), status};
}

Result<Opened> open_locked(Context& context, Operation operation, const std::string& id) {
  Entry entry = TRY(context.store.open(id));
  if (!TRY(entry.try_lock())) {
    // A hook may call us while its own davit holds the lock: what cannot succeed must not wait.
    const Record before = TRY(entry.read());
    const spec::Status now = status_of(entry, before);
    TRY(check_allowed(operation, now, id));
    if (operation == Operation::force_remove && now == spec::Status::creating) interrupt_creator(entry);
    if (operation == Operation::force_remove && now != spec::Status::creating) end_processes(before);
    TRY(entry.lock());
  }
  Record record = TRY(read_record(context, entry));
  const spec::Status status = status_of(entry, record);
  TRY(check_allowed(operation, status, id));
  return Opened{std::move(entry), std::move(record), status};
}

Result<spec::Config> stored_config(Context& context, const Entry& entry) {
  auto read = spec::read_config(TRY(entry.read_config()), "config.json");
  if (read.ok()) return std::move(read.value);
  context.errors = std::move(read.errors);
  Error error = context.errors.front();
  error.wrap("the stored config is damaged");
  return error;
}

Result<sys::UniqueFd> open_init(const Init& init) {
  const Error gone = make_error(Code::wrong_state, "container not running");
  if (init.pid <= 0) return gone;
  auto pidfd = sys::open_pidfd(init.pid);
  if (!pidfd.ok() && pidfd.error().errno_value == ESRCH) return gone;
  if (!pidfd.ok()) return pidfd.error();
  // Only now: the pidfd pins the process that is compared.
  const bool is_init = init.number != 0 ? is_numbered(*pidfd, init) : same_process(init);
  if (!is_init || !same_boot(init)) return gone;
  return pidfd;
}

}  // namespace davit::container
