// SPDX-License-Identifier: Apache-2.0
#include "support/runtime.hpp"

namespace support {

std::string runtime_by_default() {
  return DAVIT_BINARY;
}

}  // namespace support
