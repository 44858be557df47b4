// SPDX-License-Identifier: Apache-2.0
// What a profile says to each system call, number by number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "davit/spec/seccomp.hpp"

namespace davit::seccomp {

/// One comparison of an argument.
struct Condition {
  std::uint32_t index = 0;
  spec::SeccompOperator op = spec::SeccompOperator::equal;
  bool is_wide = false;  ///< else the upper half of the argument says nothing, and `value`, `mask` have none
  std::uint64_t value = 0;  ///< no bits outside of `mask`
  std::uint64_t mask = 0;   ///< of masked_equal; else all bits
  bool operator==(const Condition&) const = default;
};

/// An action for those calls for which all conditions hold.
struct Rule {
  std::uint32_t action = 0;           ///< SCMP_ACT_*
  std::vector<Condition> conditions;  ///< by index, each index once
};

/// Neighbours that get the same: the calls from `first` up to the next run's first.
struct Run {
  std::uint32_t first = 0;
  std::uint32_t action = 0;  ///< where none of `rules` holds
  std::vector<Rule> rules;   ///< no call is a case for two of them that differ in their action
};

/// The calls of one value of seccomp_data::arch.
struct Table {
  std::uint32_t arch = 0;  ///< AUDIT_ARCH_*
  std::vector<Run> runs;   ///< by number, the first one from 0
};

/// The tables of this machine's own architecture and of the others in the profile, the own one first. None
/// for a profile that libseccomp reads in a way of its own: decide.cpp says which. Of calls that an
/// architecture lacks nothing is said, whatever number below zero libseccomp has for them.
std::optional<std::vector<Table>> decide(const spec::Seccomp& seccomp);

}  // namespace davit::seccomp
