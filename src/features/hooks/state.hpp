// SPDX-License-Identifier: Apache-2.0
// The state document on a hook's stdin.
#pragma once

#include <string>

#include "davit/features/hooks.hpp"

namespace davit::hooks {

/// The state as hooks of this kind see it.
std::string state_for(Kind kind, spec::State state);

}  // namespace davit::hooks
