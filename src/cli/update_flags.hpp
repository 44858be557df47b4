// SPDX-License-Identifier: Apache-2.0
// The options of update that name a single limit.
#pragma once

#include <string>

#include "davit/base/result.hpp"
#include "davit/cli/parser.hpp"

namespace davit::cli {

/// The text of a linux.resources object with what was given, or empty when nothing was.
Result<std::string> resources_from_flags(const Arguments& options);
/// "512", "64k", "1.5G" is refused, "-1"; in bytes.
Result<std::int64_t> parse_bytes(std::string_view text, std::string_view what);

}  // namespace davit::cli
