// SPDX-License-Identifier: Apache-2.0
// From tables to BPF.
#pragma once

#include <optional>
#include <span>

#include "davit/features/seccomp.hpp"
#include "decide.hpp"

namespace davit::seccomp {

/// A filter in which the way to each answer is short: the kernel walks it for every call of its architectures
/// when it is loaded. None where it would be longer than the kernel takes.
std::optional<Filter> write_filter(std::span<const Table> tables);

}  // namespace davit::seccomp
