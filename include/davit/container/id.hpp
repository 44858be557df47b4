// SPDX-License-Identifier: Apache-2.0
// Container ids: what they may look like, and how one is made from a path.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/result.hpp"

namespace davit::container {

/// Accepts 1 to 250 characters of [A-Za-z0-9_+.-] that are not "." or "..": an id is one file name.
Result<void> check_id(std::string_view id);
/// A valid id from the last part of a path ("bundles/my web/" becomes "my-web").
std::string id_from_path(std::string_view path);

}  // namespace davit::container
