// SPDX-License-Identifier: Apache-2.0
// Paths as text: nothing here touches a file system.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/path.hpp"

namespace davit::rootfs {

/// A host path as configured: a relative one counts from the bundle.
std::string host_path(const std::string& path, const std::string& bundle);
/// The last component.
std::string base_name(std::string_view path);
/// Whether `path` (clean) lies strictly below `directory` (clean).
bool is_below(std::string_view path, std::string_view directory);

}  // namespace davit::rootfs
