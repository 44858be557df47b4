// SPDX-License-Identifier: Apache-2.0
// The spec's words for seccomp in libseccomp's and the kernel's terms.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "davit/spec/seccomp.hpp"

namespace davit::seccomp {

/// SCMP_ARCH_* of one; none: this libseccomp does not know it, so it is none of this machine's, and no
/// process here can make a call of it.
std::optional<std::uint32_t> architecture_token(std::string_view name);
/// SCMP_ACT_* with the errno (or trace) value in its low half.
std::uint32_t encode(spec::SeccompAction action, std::optional<std::uint32_t> errno_ret);
/// SECCOMP_FILTER_FLAG_* of the profile's flags, as seccomp(2) accepts them together.
std::uint32_t kernel_flags(const spec::Seccomp& seccomp);
/// SECCOMP_FILTER_FLAG_* of one flag.
std::uint32_t kernel_flag(spec::SeccompFlag flag);

}  // namespace davit::seccomp
