// SPDX-License-Identifier: Apache-2.0
// Words that several sections use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace davit::explain {

/// "a, b, c"
std::string joined(const std::vector<std::string>& words, std::string_view between = ", ");
/// "1 call", "2 calls"
std::string counted(std::size_t number, std::string_view noun);
/// "512 MiB" where it is a whole number of something larger than bytes; else empty.
std::string round_bytes(std::uint64_t bytes);
/// "0644"
std::string octal(std::uint32_t mode);
/// The words as a command line: quoted where a shell would split them.
std::string command_line(const std::vector<std::string>& words);

}  // namespace davit::explain
