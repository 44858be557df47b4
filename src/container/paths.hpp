// SPDX-License-Identifier: Apache-2.0
// Paths as text: made absolute and tidy without asking the file system.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/path.hpp"
#include "davit/base/result.hpp"

namespace davit::container {

/// `path` itself when it is absolute, else below `base`; clean.
std::string below(std::string_view base, std::string_view path);
/// The same with the current directory as base.
Result<std::string> absolute_path(std::string_view path);

}  // namespace davit::container
