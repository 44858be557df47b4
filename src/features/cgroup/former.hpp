// SPDX-License-Identifier: Apache-2.0
// What the files of cgroups said before they were written, to take it back.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "features/cgroup/tree.hpp"

namespace davit::cgroup {

class Former {
 public:
  /// Keeps what the files say that these settings are about to write.
  void remember(const Place& place, const std::vector<Setting>& settings);
  /// Writes it back, as far as it can be.
  void restore() const;

 private:
  void remember_file(const std::string& file, const Setting& setting);

  std::vector<std::pair<std::string, std::string>> files_;
};

}  // namespace davit::cgroup
