// SPDX-License-Identifier: Apache-2.0
// What init is called.
#pragma once

namespace davit::program {

/// comm(5) of init until it executes its program, which may have any name but one with a slash in it: what is
/// called this has not executed anything, even if it has ended.
inline constexpr char kInitName[] = "davit/init";

}  // namespace davit::program
