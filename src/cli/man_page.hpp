// SPDX-License-Identifier: Apache-2.0
// Man pages, made from the table of commands.
#pragma once

#include <string>

#include "davit/cli/commands.hpp"

namespace davit::cli {

/// davit(1) in roff.
std::string man_page();
/// davit-COMMAND(1).
std::string man_page(const Command& command);

}  // namespace davit::cli
