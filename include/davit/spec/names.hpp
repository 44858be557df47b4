// SPDX-License-Identifier: Apache-2.0
// The words of the spec's closed sets, in both directions.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "davit/spec/config.hpp"

namespace davit::spec {

/// The word of an enumerator ("network", "SCMP_ACT_ERRNO", "SCHED_FIFO", "MPOL_BIND", "rslave", ...).
std::string_view name_of(NamespaceType type);
std::string_view name_of(SeccompAction action);
std::string_view name_of(SeccompOperator op);
std::string_view name_of(SeccompFlag flag);
std::string_view name_of(SchedulerPolicy policy);
std::string_view name_of(SchedulerFlag flag);
std::string_view name_of(IoPriorityClass priority_class);
std::string_view name_of(MemoryPolicyMode mode);
std::string_view name_of(MemoryPolicyFlag flag);
std::string_view name_of(RootfsPropagation propagation);
std::string_view name_of(PersonalityDomain domain);

}  // namespace davit::spec
