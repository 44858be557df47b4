// SPDX-License-Identifier: Apache-2.0
// Paths as text: nothing here touches a file system.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/path.hpp"

namespace davit::rootfs {

/// The last component.
std::string base_name(std::string_view path);

}  // namespace davit::rootfs
