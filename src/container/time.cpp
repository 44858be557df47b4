// SPDX-License-Identifier: Apache-2.0
#include "davit/container/time.hpp"

#include <chrono>
#include <cstdio>

namespace davit::container {

// By hand, as gmtime_r would read the time zone file.
std::string utc_now(Precision precision) {
  using std::chrono::days;
  const auto time = std::chrono::system_clock::now();
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::duration_cast<std::chrono::nanoseconds>(time - day));
  char text[64];
  int size = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                           static_cast<int>(clock.seconds().count()));
  if (precision == Precision::nanoseconds)
    size += std::snprintf(text + size, sizeof text - static_cast<std::size_t>(size), ".%09d",
                          static_cast<int>(clock.subseconds().count()));
  return std::string(text, static_cast<std::size_t>(size)) + "Z";
}

}  // namespace davit::container
