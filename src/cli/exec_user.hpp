// SPDX-License-Identifier: Apache-2.0
// exec --user.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "davit/base/result.hpp"

namespace davit::cli {

struct ExecUser {
  std::uint32_t uid = 0;
  std::optional<std::uint32_t> gid{};
};

/// "UID" or "UID:GID": exactly these ids, or an error; never a guess (CVE-2026-30892).
Result<ExecUser> parse_exec_user(std::string_view text);

}  // namespace davit::cli
