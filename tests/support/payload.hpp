// SPDX-License-Identifier: Apache-2.0
// The programs that run in the containers of tests; they travel inside of the test program.
#pragma once

#include <string>

namespace support {

/// Where the static busybox is, in the sandbox of this test program.
const std::string& busybox();
/// Where the static probe is, in the sandbox of this test program.
const std::string& probe();

}  // namespace support
