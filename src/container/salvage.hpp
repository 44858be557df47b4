// SPDX-License-Identifier: Apache-2.0
// The end of a container whose record is damaged: what its config still tells.
#pragma once

#include "davit/container/lifecycle.hpp"

namespace davit::container {

/// Kills what runs in its cgroups and removes them, if config and machine leave no doubt which they are; what
/// may be left becomes a warning. The entry must be locked.
Result<void> salvage(Context& context, const Entry& entry);

}  // namespace davit::container
