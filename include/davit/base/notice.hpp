// SPDX-License-Identifier: Apache-2.0
// What cannot wait until the command has ended: whoever speaks to the user (cli) says it at once.
#pragma once

#include <functional>

#include "davit/base/error.hpp"

namespace davit {

/// From here on `speaker` says every notice; one that is empty says none. Not for several threads.
void set_speaker(std::function<void(const Error&)> speaker);
/// Says it now.
void announce(const Error& what);

}  // namespace davit
