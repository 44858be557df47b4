// SPDX-License-Identifier: Apache-2.0
// The options that checkpoint and restore have in common.
#pragma once

#include "davit/cli/parser.hpp"
#include "davit/criu/translation.hpp"

namespace davit::cli {

/// Reads those that are for CRIU; ones that the command does not have are not given.
Result<criu::Choices> criu_choices(const Arguments& options);

}  // namespace davit::cli
