// SPDX-License-Identifier: Apache-2.0
// Configurations that real engines wrote, made to run on this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/bundle.hpp"

namespace support {

/// Paths of the captured configurations; empty if they are not there.
std::vector<std::string> captured_configs();

/// A bundle of one of them: our rootfs, sources made for its bind mounts, new namespaces in place of joined
/// ones, no profile that the host does not have, nothing that this machine may not grant.
class CapturedBundle {
 public:
  explicit CapturedBundle(const std::string& path, const std::string& cgroup);
  Bundle bundle;

 private:
  void adapt_mounts();
  void adapt_process();
  TempDir sources_;
};

}  // namespace support
