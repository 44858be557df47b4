// SPDX-License-Identifier: Apache-2.0
// What create, run and explain read from the command line.
#pragma once

#include "cli/invocation.hpp"
#include "davit/container/lifecycle.hpp"

namespace davit::cli {

/// Everything but the id.
Result<container::CreateCall> create_call(const Arguments& options);
/// --console-socket and the like, as exec has them, too.
Result<launch::Options> launch_options(const Arguments& options);

}  // namespace davit::cli
