// SPDX-License-Identifier: Apache-2.0
// The numbers of system calls: most of this machine's from a table, as libseccomp takes longer to find those
// of an engine's profile than all the rest of the compilation.
#pragma once

#include <cstdint>
#include <string>

namespace davit::seccomp {

/// What libseccomp calls a system call of an architecture (SCMP_ARCH_*): below zero, it is no call of it.
int number_of(std::uint32_t token, const std::string& name);

}  // namespace davit::seccomp
