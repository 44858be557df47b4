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

/// An error if a symlink leads to where an image says that a mount comes from: below a bind, the container
/// may have put it there since, and CRIU would follow it.
Result<void> check_straight(const spec::Config& config, const std::string& bundle, const std::string& place);

/// Makes the missing mount points of a container that is to be restored: in its rootfs, and in what is bound
/// into it. Below other mounts CRIU finds them or makes them.
Result<void> make_mountpoints(const spec::Config& config, const std::string& rootfs,
                              const std::string& bundle);

}  // namespace davit::container
