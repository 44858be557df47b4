// SPDX-License-Identifier: Apache-2.0
// A point in time after which nobody waits any more.
#pragma once

#include <algorithm>
#include <cstdint>

#include "davit/sys/clock.hpp"

namespace davit::bus {

class Deadline {
 public:
  static Deadline in(std::int64_t milliseconds) { return Deadline(now() + milliseconds); }
  /// Milliseconds for poll(2); 0: it has passed.
  [[nodiscard]] int left() const {
    return static_cast<int>(std::clamp<std::int64_t>(end_ - now(), 0, INT32_MAX));
  }
  [[nodiscard]] bool passed() const { return left() == 0; }
  /// The earlier of this one and one in so many milliseconds.
  [[nodiscard]] Deadline at_most(std::int64_t milliseconds) const {
    return Deadline(std::min(end_, now() + milliseconds));
  }

 private:
  explicit Deadline(std::int64_t end) : end_(end) {}
  static std::int64_t now() { return sys::monotonic_milliseconds(); }
  std::int64_t end_;
};

}  // namespace davit::bus
