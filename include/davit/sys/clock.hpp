// SPDX-License-Identifier: Apache-2.0
// Time that only goes forward.
#pragma once

#include <time.h>

#include <cstdint>

namespace davit::sys {

/// Milliseconds of CLOCK_MONOTONIC.
inline std::int64_t monotonic_milliseconds() {
  struct timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1000000;
}

}  // namespace davit::sys
