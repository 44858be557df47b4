// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "spec/sections.hpp"

namespace davit::spec {

void read_members(Object& object, Seccomp& seccomp) {
  object.required("defaultAction", seccomp.default_action);
  object.optional("defaultErrnoRet", seccomp.default_errno_ret);
  object.optional("architectures", seccomp.architectures);
  object.optional("flags", seccomp.flags);
  object.optional("listenerPath", seccomp.listener_path);
  object.optional("listenerMetadata", seccomp.listener_metadata);
  object.optional("syscalls", seccomp.syscalls);
}

void read_members(Object& object, SeccompRule& rule) {
  object.required("names", rule.names);
  object.required("action", rule.action);
  object.optional("errnoRet", rule.errno_ret);
  object.optional("args", rule.args);
}

void read_members(Object& object, SeccompArgument& argument) {
  object.required("index", argument.index);
  object.required("value", argument.value);
  object.optional("valueTwo", argument.value_two);
  object.required("op", argument.op);
}

namespace {

void check_errno(Report& report, const Position& position, std::string_view below, SeccompAction action,
                 const std::optional<std::uint32_t>& value) {
  if (!value) return;
  constexpr std::uint32_t kMaximumErrno = 4095;
  constexpr std::uint32_t kMaximumTrace = 65535;
  const bool error = action == SeccompAction::error;
  if (!error && action != SeccompAction::trace)
    report.error(position, below, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take an errno value");
  else if (*value > (error ? kMaximumErrno : kMaximumTrace))
    report.error(position, below,
                 text("must be at most ", std::to_string(error ? kMaximumErrno : kMaximumTrace)));
}

/// "x86_64" and "amd64" as the spec writes them.
std::string advice_on_architecture(std::string_view written) {
  std::string name = "SCMP_ARCH_";
  for (const char c : written == "amd64" ? "x86_64" : written == "arm64" ? "aarch64" : written)
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto known = seccomp_architectures();
  const bool is_known = std::find(known.begin(), known.end(), name) != known.end();
  return is_known ? text("did you mean ", json::quoted(name), "?")
                  : "they are called SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, ...";
}

}  // namespace

void check(Report& report, SeccompArgument& argument) {
  if (argument.index > 5) report.error(argument.position, "index", "a system call has arguments 0 to 5");
}

void check(Report& report, SeccompRule& rule) {
  if (rule.names.empty()) report.error(rule.position, "names", "must hold at least one system call");
  for (std::size_t i = 0; i < rule.names.size(); ++i)
    if (rule.names[i].empty())
      report.error(rule.position, text("names/", std::to_string(i)), "a system call needs a name");
  check_errno(report, rule.position, "errnoRet", rule.action, rule.errno_ret);
  const bool write = std::find(rule.names.begin(), rule.names.end(), "write") != rule.names.end();
  if (rule.action == SeccompAction::notify && write)
    report.error(rule.position, "action", "SCMP_ACT_NOTIFY cannot be used for the write syscall",
                 "the runtime itself needs write to report the listener");
}

void check(Report& report, Seccomp& seccomp) {
  check_errno(report, seccomp.position, "defaultErrnoRet", seccomp.default_action, seccomp.default_errno_ret);
  if (seccomp.default_action == SeccompAction::notify)
    report.error(seccomp.position, "defaultAction", "SCMP_ACT_NOTIFY cannot be used as default action",
                 "nothing could reach the listener");
  if (!seccomp.listener_metadata.empty() && seccomp.listener_path.empty())
    report.error(seccomp.position, "listenerMetadata", "must not be set without listenerPath");
  const auto known = seccomp_architectures();
  for (std::size_t i = 0; i < seccomp.architectures.size(); ++i)
    if (std::find(known.begin(), known.end(), seccomp.architectures[i]) == known.end())
      report.error(seccomp.position, text("architectures/", std::to_string(i)),
                   text("invalid seccomp architecture ", json::quoted(seccomp.architectures[i])),
                   advice_on_architecture(seccomp.architectures[i]));
  if (!seccomp.listener_path.empty()) return;
  for (const SeccompRule& rule : seccomp.syscalls)
    if (rule.action == SeccompAction::notify)
      report.error(rule.position, "action", "SCMP_ACT_NOTIFY needs somebody who listens",
                   "set linux.seccomp.listenerPath");
}

}  // namespace davit::spec
