// SPDX-License-Identifier: Apache-2.0
// Where CRIU is going to mount: it wants mount points to be there.
#pragma once

#include <string>

#include "davit/base/result.hpp"
#include "davit/spec/config.hpp"

namespace davit::container {

/// Puts where a source of a bind below the rootfs really lies in its place: the links on the way are the
/// container's, and CRIU would follow them on the host.
Result<void> resolve_sources(spec::Config& config, const std::string& rootfs, const std::string& bundle);

/// Makes the missing mount points of a container that is to be restored: in its rootfs, and in what is bound
/// into it. Below other mounts CRIU finds them or makes them.
Result<void> make_mountpoints(const spec::Config& config, const std::string& rootfs,
                              const std::string& bundle);

}  // namespace davit::container
