// SPDX-License-Identifier: Apache-2.0
// Events as JSON lines, in the shape that runc's `events` has given them.
#pragma once

#include <string>
#include <string_view>

#include "davit/container/lifecycle.hpp"

namespace davit::cli {

/// {"type":"stats","id":...,"data":{...}} and a newline.
std::string usage_event(std::string_view id, const container::Usage& usage);
/// {"type":"oom","id":...} and a newline.
std::string oom_event(std::string_view id);

}  // namespace davit::cli
