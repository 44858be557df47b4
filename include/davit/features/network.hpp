// SPDX-License-Identifier: Apache-2.0
// Network devices of the host that move into the container (config-linux.md, "Network Devices").
#pragma once

#include <vector>

#include "davit/base/result.hpp"
#include "davit/base/undo.hpp"
#include "davit/spec/config.hpp"
#include "davit/sys/fd.hpp"

namespace davit::network {

/// Moves the devices from davit's network namespace into the one behind `network`, with their permanent
/// global addresses, and sets them up. `undo` brings them back as they were; without that, one that exists in
/// software only would end with the namespace of a container that failed.
Result<void> move_devices(const std::vector<spec::NetDevice>& devices, sys::FdRef network, Undo& undo);

}  // namespace davit::network
