// SPDX-License-Identifier: Apache-2.0
// What create would do to cgroups, without doing it.
#pragma once

#include <string>
#include <vector>

#include "davit/features/cgroup.hpp"

namespace davit::cgroup {

/// One value for one file.
struct Write {
  std::string controller;
  std::string file;   ///< "memory.max"
  std::string value;  ///< as the kernel gets it
  spec::Position position;
  std::string below;  ///< the member of the object at `position`
};

struct Preview {
  std::vector<Write> writes;
  std::vector<Error> errors;    ///< what these cgroups cannot do, or nobody can: all of it
  bool allows_devices = false;  ///< those that no rule names
  std::vector<spec::DeviceRule>
      devices;  ///< in the order in which they count; the last one that fits decides
};

/// In the order in which they are written. The place need not exist.
Preview preview(const Place& place, const spec::Resources& resources);

}  // namespace davit::cgroup
