// SPDX-License-Identifier: Apache-2.0
// What the files of cgroups said before they were written, to take it back.
#pragma once

#include <string>
#include <vector>

#include "features/cgroup/tree.hpp"

namespace davit::cgroup {

class Former {
 public:
  /// Keeps what the files say that these settings are about to write.
  void remember(const Place& place, const std::vector<Setting>& settings);
  /// Writes it back, as far as it can be.
  void restore() const;
  /// What would have to be set for it to be so again.
  [[nodiscard]] const std::vector<Setting>& settings() const { return settings_; }

 private:
  void remember_file(const std::string& directory, const std::string& file, const Setting& setting);

  std::vector<std::string> paths_;
  std::vector<Setting> settings_;  ///< one for each path
};

}  // namespace davit::cgroup
