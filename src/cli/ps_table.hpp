// SPDX-License-Identifier: Apache-2.0
// The output of the host's ps, reduced to one container.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"

namespace davit::cli {

/// Keeps the header and the rows whose PID column is one of `pids`.
Result<std::string> filter_ps(std::string_view output, const std::vector<pid_t>& pids);

}  // namespace davit::cli
