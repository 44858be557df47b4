// SPDX-License-Identifier: Apache-2.0
// The pure half of probing cgroups: text of /proc in, layout out.
#pragma once

#include <string_view>

#include "davit/base/result.hpp"
#include "davit/host/facts.hpp"

namespace davit::host {

/// The layout that /proc/self/mountinfo describes. Of several mounts of one hierarchy the one that shows most
/// of it counts: the shortest root, then the first in the file.
CgroupLayout parse_mountinfo(std::string_view text);
/// Puts the lines of /proc/self/cgroup (or of another process) into `own_path`.
Result<void> parse_own_paths(std::string_view text, CgroupLayout& layout);

}  // namespace davit::host
