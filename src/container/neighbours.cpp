// SPDX-License-Identifier: Apache-2.0
#include "container/neighbours.hpp"

#include "davit/sys/file.hpp"

namespace davit::container {

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

}  // namespace davit::container
