// SPDX-License-Identifier: Apache-2.0
// The names of system calls.
#pragma once

#include <string>
#include <vector>

#include "davit/spec/seccomp.hpp"

namespace davit::seccomp {

/// Whether libseccomp knows a call of this name, on whatever architecture.
bool is_known_call(const std::string& name);
/// All names of this machine's own architecture.
std::vector<std::string> native_calls();
/// Those of the profile whose rules overlap in a way that libseccomp loses track of: the filter may allow
/// what no rule allows, or refuse what one does. Only of this machine's own architecture.
std::vector<std::string> calls_with_tangled_rules(const spec::Seccomp& seccomp);

}  // namespace davit::seccomp
