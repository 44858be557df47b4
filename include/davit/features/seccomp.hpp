// SPDX-License-Identifier: Apache-2.0
// linux.seccomp: from the profile to BPF, and the listener.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/features.hpp"
#include "davit/spec/state.hpp"
#include "davit/sys/fd.hpp"

namespace davit::seccomp {

/// A compiled filter; one struct sock_filter per item.
struct Filter {
  std::vector<std::uint64_t> instructions;
};

/// What of the container decides about seccomp besides the profile.
struct Context {
  bool fail_unknown_syscall = false;  ///< annotation run.oci.seccomp_fail_unknown_syscall
};
Context context_of(const spec::Annotations& annotations);

/// Compiles in a quarter of a millisecond; what has to be left to libseccomp, in 20. Errors carry the
/// position of the rule.
Result<Filter> build(const spec::Seccomp& seccomp, const Context& context);

/// Whether some rule or the default says SCMP_ACT_NOTIFY, so that a listener comes back.
bool has_listener(const spec::Seccomp& seccomp);

/// Emits await_host for the filter, which davit compiles while init works; it must come before `ready`. The
/// filter is then sent as sys::sealed_memory of Filter::instructions with Point::seccomp.
program::Slot compile_await(features::Compilation& out, const spec::Seccomp& seccomp);
/// load_seccomp with the filter that compile_await's slot holds.
program::LoadSeccomp load(const spec::Seccomp& seccomp, program::Slot filter);

/// Connects to seccomp.listenerPath and sends the container process state with the listener: the container's
/// `state`, and the pid of the `process` under the filter.
Result<void> send_listener(const spec::Seccomp& seccomp, const spec::State& state, pid_t process,
                           sys::FdRef listener);

/// Adds to the words that the reader knows what this kernel can do, for `features`.
void add_support(spec::SeccompFeatures& known);

}  // namespace davit::seccomp
