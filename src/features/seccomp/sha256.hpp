// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4): none of the libraries that davit links has one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace davit::seccomp {

std::array<std::uint8_t, 32> sha256(std::string_view data);

}  // namespace davit::seccomp
