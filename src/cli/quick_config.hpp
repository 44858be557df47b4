// SPDX-License-Identifier: Apache-2.0
// A config for `run --rootfs`, where there is none.
#pragma once

#include <string>
#include <vector>

#include "davit/base/result.hpp"

namespace davit::cli {

struct QuickConfig {
  std::string rootfs;  ///< absolute
  std::string hostname;
  std::vector<std::string> args;  ///< empty: a shell
  bool terminal = false;
};

/// The text of `davit spec` on this host.
Result<std::string> example_config(bool is_rootless);
/// The text of a config.json: that of `davit spec` for this user, with these values in it.
Result<std::string> quick_config(const QuickConfig& quick);

}  // namespace davit::cli
