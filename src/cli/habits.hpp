// SPDX-License-Identifier: Apache-2.0
// What people write who come from another program, and what davit calls it.
#pragma once

#include <string>
#include <string_view>

#include "davit/cli/commands.hpp"

namespace davit::cli {

/// The advice to somebody who asked for a command that there is not.
std::string advice_on_command(std::string_view word);
/// The advice to somebody who gave an option (as written, with its dashes) that the command, or davit itself
/// if that is null, does not have.
std::string advice_on_option(const Command* command, std::string_view written);

}  // namespace davit::cli
