// SPDX-License-Identifier: Apache-2.0
#include "davit/features/seccomp.hpp"
#include "names.hpp"

namespace davit::seccomp {

Context context_of(const spec::Annotations& annotations) {
  Context context;
  const auto found = annotations.find("run.oci.seccomp_fail_unknown_syscall");
  context.fail_unknown_syscall =
      found != annotations.end() && found->second != "0" && found->second != "false";
  return context;
}

bool has_listener(const spec::Seccomp& seccomp) {
  if (seccomp.default_action == spec::SeccompAction::notify) return true;
  for (const spec::SeccompRule& rule : seccomp.syscalls)
    if (rule.action == spec::SeccompAction::notify) return true;
  return false;
}

program::Slot compile_await(features::Compilation& out, const spec::Seccomp& seccomp) {
  program::AwaitHost operation;
  operation.point = program::Point::seccomp;
  operation.slot = out.builder.reserve();
  out.builder.emit(operation, out.origin(seccomp.position));
  out.lasting.push_back(operation.slot);
  return operation.slot;
}

program::LoadSeccomp load(const spec::Seccomp& seccomp, program::Slot filter) {
  program::LoadSeccomp operation;
  operation.flags = kernel_flags(seccomp);
  operation.filter = filter;
  return operation;
}

}  // namespace davit::seccomp
