// SPDX-License-Identifier: Apache-2.0
#include "spec/words.hpp"

#include "davit/spec/names.hpp"

namespace davit::spec {
namespace {

constexpr Word<NamespaceType> kNamespaces[] = {
    {"mount", NamespaceType::mount},   {"pid", NamespaceType::pid},   {"network", NamespaceType::network},
    {"uts", NamespaceType::uts},       {"ipc", NamespaceType::ipc},   {"user", NamespaceType::user},
    {"cgroup", NamespaceType::cgroup}, {"time", NamespaceType::time},
};

constexpr Word<SeccompAction> kActions[] = {
    {"SCMP_ACT_KILL", SeccompAction::kill},
    {"SCMP_ACT_KILL_PROCESS", SeccompAction::kill_process},
    {"SCMP_ACT_KILL_THREAD", SeccompAction::kill_thread},
    {"SCMP_ACT_TRAP", SeccompAction::trap},
    {"SCMP_ACT_ERRNO", SeccompAction::error},
    {"SCMP_ACT_TRACE", SeccompAction::trace},
    {"SCMP_ACT_ALLOW", SeccompAction::allow},
    {"SCMP_ACT_LOG", SeccompAction::log},
    {"SCMP_ACT_NOTIFY", SeccompAction::notify},
};

constexpr Word<SeccompOperator> kOperators[] = {
    {"SCMP_CMP_NE", SeccompOperator::not_equal},           {"SCMP_CMP_LT", SeccompOperator::less},
    {"SCMP_CMP_LE", SeccompOperator::less_or_equal},       {"SCMP_CMP_EQ", SeccompOperator::equal},
    {"SCMP_CMP_GE", SeccompOperator::greater_or_equal},    {"SCMP_CMP_GT", SeccompOperator::greater},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::masked_equal},
};

constexpr Word<SeccompFlag> kSeccompFlags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", SeccompFlag::tsync},
    {"SECCOMP_FILTER_FLAG_LOG", SeccompFlag::log},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SeccompFlag::spec_allow},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SeccompFlag::wait_killable_recv},
};

constexpr Word<SchedulerPolicy> kPolicies[] = {
    {"SCHED_OTHER", SchedulerPolicy::other},
    {"SCHED_FIFO", SchedulerPolicy::fifo},
    {"SCHED_RR", SchedulerPolicy::rr},
    {"SCHED_BATCH", SchedulerPolicy::batch},
    {"SCHED_ISO", SchedulerPolicy::iso},
    {"SCHED_IDLE", SchedulerPolicy::idle},
    {"SCHED_DEADLINE", SchedulerPolicy::deadline},
};

constexpr Word<SchedulerFlag> kSchedulerFlags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SchedulerFlag::reset_on_fork},
    {"SCHED_FLAG_RECLAIM", SchedulerFlag::reclaim},
    {"SCHED_FLAG_DL_OVERRUN", SchedulerFlag::dl_overrun},
    {"SCHED_FLAG_KEEP_POLICY", SchedulerFlag::keep_policy},
    {"SCHED_FLAG_KEEP_PARAMS", SchedulerFlag::keep_params},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SchedulerFlag::util_clamp_min},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SchedulerFlag::util_clamp_max},
};

constexpr Word<IoPriorityClass> kIoClasses[] = {
    {"IOPRIO_CLASS_RT", IoPriorityClass::realtime},
    {"IOPRIO_CLASS_BE", IoPriorityClass::best_effort},
    {"IOPRIO_CLASS_IDLE", IoPriorityClass::idle},
};

constexpr Word<MemoryPolicyMode> kMemoryModes[] = {
    {"MPOL_DEFAULT", MemoryPolicyMode::default_policy},
    {"MPOL_BIND", MemoryPolicyMode::bind},
    {"MPOL_INTERLEAVE", MemoryPolicyMode::interleave},
    {"MPOL_WEIGHTED_INTERLEAVE", MemoryPolicyMode::weighted_interleave},
    {"MPOL_PREFERRED", MemoryPolicyMode::preferred},
    {"MPOL_PREFERRED_MANY", MemoryPolicyMode::preferred_many},
    {"MPOL_LOCAL", MemoryPolicyMode::local},
};

constexpr Word<MemoryPolicyFlag> kMemoryFlags[] = {
    {"MPOL_F_NUMA_BALANCING", MemoryPolicyFlag::numa_balancing},
    {"MPOL_F_RELATIVE_NODES", MemoryPolicyFlag::relative_nodes},
    {"MPOL_F_STATIC_NODES", MemoryPolicyFlag::static_nodes},
};

constexpr Word<RootfsPropagation> kPropagations[] = {
    {"private", RootfsPropagation::private_mount}, {"shared", RootfsPropagation::shared},
    {"slave", RootfsPropagation::slave},           {"unbindable", RootfsPropagation::unbindable},
    {"rprivate", RootfsPropagation::rprivate},     {"rshared", RootfsPropagation::rshared},
    {"rslave", RootfsPropagation::rslave},         {"runbindable", RootfsPropagation::runbindable},
};

constexpr Word<PersonalityDomain> kDomains[] = {
    {"LINUX", PersonalityDomain::linux64},
    {"LINUX32", PersonalityDomain::linux32},
};

constexpr Word<DeviceType> kDeviceTypes[] = {{"c", DeviceType::character},
                                             {"b", DeviceType::block},
                                             {"u", DeviceType::character},
                                             {"p", DeviceType::fifo}};

// An empty type means all: Go programs leave it out or write it empty.
constexpr Word<DeviceRuleType> kRuleTypes[] = {{"a", DeviceRuleType::all},
                                               {"c", DeviceRuleType::character},
                                               {"b", DeviceRuleType::block},
                                               {"", DeviceRuleType::all}};

constexpr std::string_view kRlimitTypes[] = {
    "RLIMIT_AS",      "RLIMIT_CORE",     "RLIMIT_CPU",        "RLIMIT_DATA",   "RLIMIT_FSIZE", "RLIMIT_LOCKS",
    "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",       "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS",
    "RLIMIT_RTPRIO",  "RLIMIT_RTTIME",   "RLIMIT_SIGPENDING", "RLIMIT_STACK",
};

constexpr std::string_view kArchitectures[] = {
    "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64",      "SCMP_ARCH_X32",     "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",     "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",         "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",      "SCMP_ARCH_SHEB",
    "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",    "SCMP_ARCH_RISCV64",
};

template <typename E>
std::string_view find_name(E value) {
  for (const Word<E>& word : words_of(value).list)
    if (word.value == value) return word.text;
  return "unknown";
}

}  // namespace

Words<NamespaceType> words_of(NamespaceType) {
  return {"namespace type", kNamespaces};
}
Words<SeccompAction> words_of(SeccompAction) {
  return {"seccomp action", kActions};
}
Words<SeccompOperator> words_of(SeccompOperator) {
  return {"seccomp operator", kOperators};
}
Words<SeccompFlag> words_of(SeccompFlag) {
  return {"seccomp flag", kSeccompFlags};
}
Words<SchedulerPolicy> words_of(SchedulerPolicy) {
  return {"scheduler policy", kPolicies};
}
Words<SchedulerFlag> words_of(SchedulerFlag) {
  return {"scheduler flag", kSchedulerFlags};
}
Words<IoPriorityClass> words_of(IoPriorityClass) {
  return {"I/O priority class", kIoClasses};
}
Words<MemoryPolicyMode> words_of(MemoryPolicyMode) {
  return {"memory policy mode", kMemoryModes};
}
Words<MemoryPolicyFlag> words_of(MemoryPolicyFlag) {
  return {"memory policy flag", kMemoryFlags};
}
Words<RootfsPropagation> words_of(RootfsPropagation) {
  return {"rootfs propagation", kPropagations};
}
Words<PersonalityDomain> words_of(PersonalityDomain) {
  return {"personality domain", kDomains};
}
Words<DeviceType> words_of(DeviceType) {
  return {"device type", kDeviceTypes};
}
Words<DeviceRuleType> words_of(DeviceRuleType) {
  return {"device rule type", kRuleTypes};
}

std::span<const std::string_view> rlimit_types() {
  return kRlimitTypes;
}
std::span<const std::string_view> seccomp_architectures() {
  return kArchitectures;
}

std::string_view name_of(NamespaceType type) {
  return find_name(type);
}
std::string_view name_of(SeccompAction action) {
  return find_name(action);
}
std::string_view name_of(SeccompOperator op) {
  return find_name(op);
}
std::string_view name_of(SeccompFlag flag) {
  return find_name(flag);
}
std::string_view name_of(SchedulerPolicy policy) {
  return find_name(policy);
}
std::string_view name_of(SchedulerFlag flag) {
  return find_name(flag);
}
std::string_view name_of(IoPriorityClass priority_class) {
  return find_name(priority_class);
}
std::string_view name_of(MemoryPolicyMode mode) {
  return find_name(mode);
}
std::string_view name_of(MemoryPolicyFlag flag) {
  return find_name(flag);
}
std::string_view name_of(RootfsPropagation propagation) {
  return find_name(propagation);
}
std::string_view name_of(PersonalityDomain domain) {
  return find_name(domain);
}

bool report_word(Report& report, json::Value value, std::string_view noun,
                 std::span<const std::string> allowed) {
  std::string list;
  for (const std::string& word : allowed)
    if (!word.empty()) list += (list.empty() ? "" : ", ") + word;
  report.error(value, text("invalid ", noun, " ", json::quoted(value.text())), text("one of ", list));
  return false;
}

}  // namespace davit::spec
