// SPDX-License-Identifier: Apache-2.0
// The configurations that commands are disturbed on: all that a runtime could forget is in them.
#pragma once

#include <string>

#include "faults/scenario.hpp"
#include "support/json.hpp"

namespace faults {

struct Places {
  std::string id;
  std::string rootfs;
  std::string identity;  ///< the file into which the process writes what it is
  std::string marks;     ///< the file in which hooks leave their marks
};

support::Json config_for(const Kind& kind, const Places& places);

}  // namespace faults
