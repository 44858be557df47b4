// SPDX-License-Identifier: Apache-2.0
// Containers that share a pid namespace, and may see each other's processes.
#pragma once

#include <string>

#include "davit/base/result.hpp"
#include "davit/container/store.hpp"

namespace davit::container {

/// Has all containers whose init is in that pid namespace (a path) know that somebody in there may trace
/// others.
Result<void> note_tracer_among(const Store& store, const std::string& pid_namespace);

}  // namespace davit::container
