// SPDX-License-Identifier: Apache-2.0
#include "container/neighbours.hpp"

#include "container/open.hpp"
#include "davit/features/credentials.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/sys/file.hpp"

namespace davit::container {

namespace {

bool overlap(const std::string& left, const std::string& right) {
  return (left + "/").starts_with(right + "/") || (right + "/").starts_with(left + "/");
}

bool overlap(const cgroup::Place& left, const cgroup::Place& right) {
  for (const cgroup::Directory& one : left.directories)
    for (const cgroup::Directory& other : right.directories)
      if (overlap(one.path, other.path)) return true;
  return false;
}

bool lives(const Store& store, const std::string& id) {
  auto entry = store.open(id);
  const auto record = entry.ok() ? entry->read() : entry.error();
  return record.ok() && status_of(*entry, *record) != spec::Status::stopped;
}

}  // namespace

Result<void> note_tracer_among(const Store& store, const std::string& pid_namespace) {
  for (const std::string& id : TRY(store.ids())) {
    const auto entry = store.open(id);
    const auto record = entry.ok() ? entry->read() : entry.error();
    if (!record.ok() || record->init.pid <= 0) continue;  // gone, or not made yet: its own config tells
    const std::string theirs = "/proc/" + std::to_string(record->init.pid) + "/ns/pid";
    if (sys::is_same_file(theirs, pid_namespace).value_or(false)) TRY(entry->note_tracer());
  }
  return {};
}

Result<void> warn_neighbours(const Store& store, const spec::Config& config) {
  if (!namespaces::shares_pids(config) || !config.process) return {};
  if (!credentials::may_trace(config.process->capabilities)) return {};
  return note_tracer_among(store, config.linux.find_namespace(spec::NamespaceType::pid)->path);
}

std::vector<std::string> who_else_is_in(const Store& store, const std::string& id,
                                        const cgroup::Place& place) {
  std::vector<std::string> found;
  const auto ids = store.ids();
  if (!ids.ok()) return {"another container"};
  for (const std::string& other : *ids) {
    if (other == id) continue;
    const auto entry = store.open(other);
    const auto record = entry.ok() ? entry->read() : entry.error();
    if (record.ok() && overlap(record->cgroup, place)) found.push_back(other);
  }
  return found;
}

std::string who_lives_in(const Store& store, const Record& record) {
  const auto processes = cgroup::processes(record.cgroup);
  if (init_alive(record.init) || (processes.ok() && processes->empty())) return {};
  for (std::string& id : who_else_is_in(store, record.id, record.cgroup))
    if (lives(store, id)) return std::move(id);
  return {};
}

}  // namespace davit::container
