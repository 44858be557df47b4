// SPDX-License-Identifier: Apache-2.0
// Paths as text: nothing here touches a file system.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/path.hpp"

namespace davit::rootfs {

/// The last component.
std::string base_name(std::string_view path);
/// Whether `path` (clean) lies strictly below `directory` (clean).
bool is_below(std::string_view path, std::string_view directory);

}  // namespace davit::rootfs
