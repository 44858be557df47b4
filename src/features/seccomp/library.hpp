// SPDX-License-Identifier: Apache-2.0
// The filters that libseccomp makes.
#pragma once

#include "davit/features/seccomp.hpp"

namespace davit::seccomp {

/// For profiles that are not ours to decide, and what ours is compared with in the tests: 20 ms for an
/// engine's default profile and three architectures. Errors carry the position of the rule.
Result<Filter> build_with_library(const spec::Seccomp& seccomp);

}  // namespace davit::seccomp
