// SPDX-License-Identifier: Apache-2.0
// Device nodes and the links of /dev.
#pragma once

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/config.hpp"
#include "davit/sys/fd.hpp"

namespace davit::devices {

/// The default devices, linux.devices, and the links of /dev; after the mounts and before the pivot. A /dev
/// that is bound from the host is left alone. `link_core`: make /dev/core too. What the host does not have
/// (`host_has`; null: it has all) is made outside of a user namespace, in which nobody can.
Result<void> compile(features::Compilation& compilation, const spec::Config& config, bool link_core,
                     bool (*host_has)(const spec::Device& device) = nullptr);

/// Whether this machine has that device at its path.
bool host_has(const spec::Device& device);
/// A node in a filesystem of its own, detached.
Result<sys::UniqueFd> make_node(const spec::Device& device);

/// Whether this machine has a /proc/kcore for /dev/core to point at.
bool host_has_kcore();

}  // namespace davit::devices
