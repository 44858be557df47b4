// SPDX-License-Identifier: Apache-2.0
// Help and version, as text.
#pragma once

#include <string>

#include "davit/cli/commands.hpp"

namespace davit::cli {

/// The overview.
std::string help_text();
std::string help_text(const Command& command);
/// What the exit statuses of a command mean.
std::string exit_status(const Command& command);
/// The first lines are read by engines: "davit version X", "commit: C", "spec: S".
std::string version_text();
/// "0.1.0".
std::string version_number();
/// Of the libseccomp that this program carries.
std::string seccomp_version_text();

}  // namespace davit::cli
