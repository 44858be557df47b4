// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <utility>

#include "container/bundle.hpp"
#include "container/ending.hpp"
#include "container/notify.hpp"
#include "container/open.hpp"
#include "container/remove.hpp"
#include "davit/base/story.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

Result<void> wait_until_ready(const Notify& notify, const Record& record) {
  auto pidfd = open_init(record.init);
  if (pidfd.ok()) notify.forward(record.init.pid, *pidfd);
  return {};
}

/// A failed start or poststart hook ends the container's life (runtime.md, lifecycle).
void destroy_after_hook(Context& context, Opened& opened, const spec::Config& config) {
  // A hook may have deleted it already.
  if (!opened.entry.locked() && !opened.entry.lock().ok()) return;
  if (auto destroyed = destroy(context, opened.entry, opened.record, &config); !destroyed.ok())
    context.warnings.push_back(destroyed.error());
}

/// The container stays, as a stopped one: somebody may want to know later what has become of it.
void record_failure(Context& context, Opened& opened, const Error& error) {
  if (!opened.entry.locked() || init_alive(opened.record.init)) return;
  opened.record.ending = failed_start(error);
  if (auto written = opened.entry.write(opened.record); !written.ok())
    context.warnings.push_back(written.error());
}

}  // namespace

Result<void> start(Context& context, const std::string& id) {
  Opened opened = TRY(open_locked(context, Operation::start, id));
  const Record& record = opened.record;
  spec::Config config;
  launch::ConfigReader read_config = [&]() -> Result<void> {
    config = TRY(stored_config(context, opened.entry));
    return {};
  };
  if (!record.starts_plainly || story::is_listening()) {
    TRY(std::exchange(read_config, {})());
    TRY(check_process(config));
  }
  std::optional<Notify> notify = Notify::from_environment();
  if (notify)
    if (auto listening = notify->listen(opened.entry); !listening.ok()) {
      if (listening.error().code != Code::not_found) return listening;
      notify.reset();
    }
  const launch::StartRequest request{opened.entry.directory(), config,       read_config, id, record.bundle,
                                     record.init.pid,          record.cgroup};
  auto started = launch::start_by_socket(request, [&opened] { opened.entry.unlock(); });
  if (started.ok()) return notify ? wait_until_ready(*notify, record) : started;
  const int errno_value = started.error().errno_value;
  if (started.error().code == Code::system && (errno_value == ECONNREFUSED || errno_value == ENOENT)) {
    // Init ended, or another davit was faster, after we had looked. It closes its socket before it is dead.
    constexpr int kMoment = 1000;  // milliseconds
    if (const auto init = open_init(record.init); init.ok() && errno_value == ECONNREFUSED)
      (void)sys::wait_end(*init, kMoment);
    TRY(check_allowed(Operation::start, status_of(opened.entry, record), id));
    return started;
  }
  if (started.error().code == Code::hook_failed)
    destroy_after_hook(context, opened, config);
  else
    record_failure(context, opened, started.error());
  return started;
}

}  // namespace davit::container
