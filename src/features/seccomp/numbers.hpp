// SPDX-License-Identifier: Apache-2.0
// The numbers of system calls, which never change once a kernel has given them out.
#pragma once

#include <cstdint>
#include <string>

namespace davit::seccomp {

/// What libseccomp resolves a name to on an architecture (SCMP_ARCH_*), its numbers below zero for the parts
/// of x86's multiplexers included; libseccomp goes through its table once per name and architecture, and the
/// profiles of engines have 400 names for three of them.
int number_of(std::uint32_t token, const std::string& name);

}  // namespace davit::seccomp
