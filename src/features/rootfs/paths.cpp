// SPDX-License-Identifier: Apache-2.0
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace davit::rootfs
