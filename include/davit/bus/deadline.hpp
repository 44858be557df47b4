// A point in time after which nobody waits any more.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>

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
  static std::int64_t now() {
    struct timespec time = {};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1000000;
  }
  std::int64_t end_;
};

}  // namespace davit::bus
