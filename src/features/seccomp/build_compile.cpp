// SPDX-License-Identifier: Apache-2.0
#include <seccomp.h>

#include "davit/features/seccomp.hpp"
#include "decide.hpp"
#include "library.hpp"
#include "write_filter.hpp"

namespace davit::seccomp {
namespace {

Result<void> check_names(const spec::Seccomp& seccomp) {
  for (const spec::SeccompRule& rule : seccomp.syscalls)
    for (std::size_t i = 0; i < rule.names.size(); ++i) {
      const std::string& name = rule.names[i];
      if (::seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR) continue;
      const Error error = make_error(Code::invalid_config, "seccomp: unknown syscall " + name);
      return spec::at(rule.position, "names/" + std::to_string(i), error);
    }
  return {};
}

}  // namespace

Result<Filter> build(const spec::Seccomp& seccomp, const Context& context) {
  if (context.fail_unknown_syscall) TRY(check_names(seccomp));
  if (const auto tables = decide(seccomp))
    if (auto filter = write_filter(*tables)) return std::move(*filter);
  return build_with_library(seccomp);
}

}  // namespace davit::seccomp
