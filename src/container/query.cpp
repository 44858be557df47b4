// SPDX-License-Identifier: Apache-2.0
#include <regex.h>

#include <cstring>
#include <string_view>

#include "container/ending.hpp"
#include "container/open.hpp"
#include "davit/host/users.hpp"
#include "davit/sys/file.hpp"

namespace davit::container {

namespace {

std::string name_of_owner(uid_t uid) {
  if (uid == 0) return "root";
  const std::string name = host::user_name(uid);
  return name.empty() ? std::to_string(uid) : name;
}

void tell_ending(const Ending& ending, spec::State& state) {
  state.finished = ending.finished;
  state.exit_code = ending.exit_code;
  if (ending.signal != 0) {
    const char* name = ::sigabbrev_np(ending.signal);
    state.exit_signal = name != nullptr ? std::string("SIG") + name : std::to_string(ending.signal);
  }
  state.oom_killed = ending.oom_killed;
  state.failed_step = ending.failed_step;
  state.error = ending.error;
}

spec::State to_state(const Record& record, spec::Status status) {
  spec::State state;
  state.id = record.id;
  state.status = status;
  state.pid = status == spec::Status::stopped ? 0 : record.init.pid;
  state.bundle = record.bundle;
  state.rootfs = record.rootfs;
  state.created = record.created;
  state.annotations = record.annotations;
  state.owner = name_of_owner(record.owner);
  if (status == spec::Status::stopped) tell_ending(known_ending(record), state);
  return state;
}

/// Whatever was missed was missing because the container ended meanwhile.
Result<void> unless_ended(const Opened& opened, Operation operation, const std::string& id,
                          Result<void> done) {
  if (!done.ok() && !init_alive(opened.record.init)) TRY(check_allowed(operation, spec::Status::stopped, id));
  return done;
}

}  // namespace

Result<spec::State> state(Context& context, const std::string& id) {
  Entry entry = TRY(context.store.open(id));
  const Record record = TRY(entry.read());
  return to_state(record, status_of(entry, record));
}

Result<std::vector<spec::State>> list(Context& context) {
  std::vector<spec::State> states;
  for (const std::string& id : TRY(context.store.ids())) {
    auto found = state(context, id);
    if (found.ok()) {
      states.push_back(std::move(*found));
    } else if (found.error().code != Code::not_found) {  // else: deleted, or reserved, at this moment
      Error error = found.error();
      context.warnings.push_back(error.wrap(id));
    }
  }
  return states;
}

Result<std::vector<std::string>> matching(Context& context, const std::string& expression) {
  regex_t compiled;
  if (::regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return make_error(Code::invalid_argument, "not a regular expression: " + expression);
  auto ids = context.store.ids();
  std::vector<std::string> found;
  if (ids.ok())
    for (std::string& id : *ids)
      if (::regexec(&compiled, id.c_str(), 0, nullptr, 0) == 0) found.push_back(std::move(id));
  ::regfree(&compiled);
  if (!ids.ok()) return ids.error();
  return found;
}

Result<std::vector<pid_t>> processes(Context& context, const std::string& id) {
  const Opened opened = TRY(open_for(context, Operation::processes, id));
  std::vector<pid_t> found = TRY(cgroup::processes(opened.record.cgroup));
  // Without a cgroup of its own, that is all that is known of a container.
  if (found.empty() && opened.status != spec::Status::stopped) found.push_back(opened.record.init.pid);
  return found;
}

Result<void> pause(Context& context, const std::string& id) {
  const Opened opened = TRY(open_for(context, Operation::pause, id));
  return unless_ended(opened, Operation::pause, id, cgroup::freeze(opened.record.cgroup));
}

Result<void> resume(Context& context, const std::string& id) {
  const Opened opened = TRY(open_for(context, Operation::resume, id));
  return unless_ended(opened, Operation::resume, id, cgroup::thaw(opened.record.cgroup));
}

Result<void> update(Context& context, const std::string& id, const spec::Resources& resources,
                    const resctrl::Schemata& schemata) {
  const Opened opened = TRY(open_for(context, Operation::update, id));
  spec::Resources limits = resources;
  // New device rules would replace those of create, which engines do not send again.
  limits.devices.clear();
  Undo undo;
  TRY(resctrl::update(resctrl::host_tree(), opened.record.resctrl_group, schemata, undo));
  TRY(cgroup::apply(opened.record.cgroup, limits));
  undo.commit();
  return {};
}

}  // namespace davit::container
