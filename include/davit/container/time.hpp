// SPDX-License-Identifier: Apache-2.0
// Points in time as text.
#pragma once

#include <string>

namespace davit::container {

enum class Precision { seconds, nanoseconds };

/// Now in UTC, as RFC 3339 wants it: "2026-01-02T03:04:05.123456789Z".
std::string utc_now(Precision precision);

}  // namespace davit::container
