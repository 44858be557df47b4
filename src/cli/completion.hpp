// SPDX-License-Identifier: Apache-2.0
// Completions and the man page, made from the table of commands.
#pragma once

#include <string>

namespace davit::cli {

/// A script for bash.
std::string bash_completion();
/// davit(8) in roff.
std::string man_page();

}  // namespace davit::cli
