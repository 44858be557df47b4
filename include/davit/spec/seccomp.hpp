// SPDX-License-Identifier: Apache-2.0
// The `linux.seccomp` object of runtime-spec 1.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/spec/position.hpp"

namespace davit::spec {

enum class SeccompAction : std::uint8_t {
  kill,          ///< SCMP_ACT_KILL
  kill_process,  ///< SCMP_ACT_KILL_PROCESS
  kill_thread,   ///< SCMP_ACT_KILL_THREAD
  trap,          ///< SCMP_ACT_TRAP
  error,         ///< SCMP_ACT_ERRNO
  trace,         ///< SCMP_ACT_TRACE
  allow,         ///< SCMP_ACT_ALLOW
  log,           ///< SCMP_ACT_LOG
  notify,        ///< SCMP_ACT_NOTIFY
};

enum class SeccompOperator : std::uint8_t {
  not_equal,
  less,
  less_or_equal,
  equal,
  greater_or_equal,
  greater,
  masked_equal,
};

enum class SeccompFlag : std::uint8_t { tsync, log, spec_allow, wait_killable_recv };

struct SeccompArgument {
  std::uint32_t index = 0;  ///< 0..5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::equal;
  Position position;
};

struct SeccompRule {
  std::vector<std::string> names;  ///< never empty; an unknown name is not an error of the reader
  SeccompAction action = SeccompAction::error;
  std::optional<std::uint32_t> errno_ret;  ///< only with error and trace; absent: EPERM
  std::vector<SeccompArgument> args;
  Position position;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::error;
  std::optional<std::uint32_t> default_errno_ret;  ///< only with error and trace; absent: EPERM
  std::vector<std::string> architectures;          ///< names of the spec's list ("SCMP_ARCH_X86_64")
  std::vector<SeccompFlag> flags;
  std::string listener_path;      ///< empty: none
  std::string listener_metadata;  ///< only with listener_path
  std::vector<SeccompRule> syscalls;
  Position position;
};

}  // namespace davit::spec
