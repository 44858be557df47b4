// SPDX-License-Identifier: Apache-2.0
// Containers that share a pid namespace, and may see each other's processes, or a cgroup.
#pragma once

#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/container/store.hpp"

namespace davit::container {

/// Has all containers whose init is in that pid namespace (a path) know that somebody in there may trace
/// others.
Result<void> note_tracer_among(const Store& store, const std::string& pid_namespace);

/// The same before a container of that config is there, if what is in it can do so.
Result<void> warn_neighbours(const Store& store, const spec::Config& config);

/// The other containers whose cgroups are in these, or the other way round.
std::vector<std::string> who_else_is_in(const Store& store, const std::string& id,
                                        const cgroup::Place& place);

/// One of them that lives, where this one has ended: then the processes that are there are not this one's.
/// Empty: there is none.
std::string who_lives_in(const Store& store, const Record& record);

}  // namespace davit::container
