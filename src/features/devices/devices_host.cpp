// SPDX-License-Identifier: Apache-2.0
// What of the devices depends on this machine.
#include <unistd.h>

#include "davit/features/devices.hpp"

namespace davit::devices {

bool host_has_kcore() {
  return access("/proc/kcore", F_OK) == 0;
}

}  // namespace davit::devices
