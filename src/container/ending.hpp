// SPDX-License-Identifier: Apache-2.0
// How a container ended: what is known of it, and never more.
#pragma once

#include "davit/container/lifecycle.hpp"
#include "davit/sys/fd.hpp"

namespace davit::container {

/// What a wait(2) status says, and its cgroup, which must still be there.
Ending ending_of(const Record& record, int wait_status);
/// What is on record; else what the kernel still knows, as long as nobody has reaped init.
Ending known_ending(const Record& record);
/// That the OOM killer ended it, and why; nothing where it did not.
std::optional<Error> death_by_memory(const Record& record, const Ending& ending);
/// What a failed start leaves behind.
Ending failed_start(const Error& error);

}  // namespace davit::container
