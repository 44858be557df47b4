// SPDX-License-Identifier: Apache-2.0
// Device nodes and the links of /dev.
#pragma once

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/config.hpp"

namespace davit::devices {

/// The default devices, linux.devices, and the links of /dev; after the mounts and before the pivot. A /dev
/// that is bound from the host is left alone. `link_core`: make /dev/core too.
Result<void> compile(features::Compilation& compilation, const spec::Config& config, bool link_core);

/// Whether this machine has a /proc/kcore for /dev/core to point at.
bool host_has_kcore();

}  // namespace davit::devices
