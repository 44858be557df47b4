// SPDX-License-Identifier: Apache-2.0
// The names of system calls.
#pragma once

#include <string>
#include <vector>

namespace davit::seccomp {

/// Whether libseccomp knows a call of this name, on whatever architecture.
bool is_known_call(const std::string& name);
/// All names of this machine's own architecture.
std::vector<std::string> native_calls();

}  // namespace davit::seccomp
