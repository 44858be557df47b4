// SPDX-License-Identifier: Apache-2.0
// How the operations get hold of an existing container.
#pragma once

#include <string>

#include "davit/container/lifecycle.hpp"
#include "davit/container/status.hpp"

namespace davit::container {

/// A container as it was found: its directory, its record, and its status at that moment.
struct Opened {
  Entry entry;
  Record record;
  spec::Status status;
};

/// The status of a container, from the machine.
spec::Status status_of(Entry& entry, const Record& record);
/// Whether the recorded init still is a process that has not ended.
bool init_alive(const Init& init);
/// The number of this boot.
Result<std::string> boot_id();
/// What a record in that directory has to remember as its boot_id.
Result<std::string> boot_id_for(sys::FdRef directory);

/// What a record in that directory has to remember of a process, to know it again.
Result<Init> identify(pid_t pid, sys::FdRef pidfd, sys::FdRef directory);

/// Opens for an operation that leaves the directory alone: without the lock.
Result<Opened> open_for(Context& context, Operation operation, const std::string& id);
/// Opens with the lock held. Who finds it taken learns at once when the operation is not allowed anyway, and
/// otherwise waits.
Result<Opened> open_locked(Context& context, Operation operation, const std::string& id);

/// The config as it was at create. `context` gets the errors if somebody has tampered with it.
Result<spec::Config> stored_config(Context& context, const Entry& entry);

/// A pidfd of the container's init; Code::wrong_state ("container not running") when it has ended.
Result<sys::UniqueFd> open_init(const Init& init);

}  // namespace davit::container
