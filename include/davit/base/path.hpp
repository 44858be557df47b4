// SPDX-License-Identifier: Apache-2.0
// Paths as text.
#pragma once

#include <string>
#include <string_view>

namespace davit {

/// An absolute path without ".", "..", doubled or trailing slashes, by the text alone; a relative one counts
/// from "/".
std::string clean_path(std::string_view path);
/// A host path as configured: a relative one counts from the bundle.
std::string host_path(const std::string& path, const std::string& bundle);
/// Whether `path` lies strictly below `directory`; both are clean.
bool is_below(std::string_view path, std::string_view directory);

}  // namespace davit
