// SPDX-License-Identifier: Apache-2.0
// linux.seccomp: from the profile to BPF (libseccomp), a cache of the compiled filters, and the listener.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/features.hpp"
#include "davit/spec/state.hpp"
#include "davit/sys/fd.hpp"

namespace davit::seccomp {

/// A compiled filter; one struct sock_filter per item. Empty: nothing to load (the profile allows all).
struct Filter {
  std::vector<std::uint64_t> instructions;
};

/// SHA-256 of everything a filter depends on.
struct Key {
  std::array<std::uint8_t, 32> digest{};
  [[nodiscard]] std::string hex() const;
};

/// What of the container decides about seccomp besides the profile.
struct Context {
  bool fail_unknown_syscall = false;  ///< annotation run.oci.seccomp_fail_unknown_syscall
};
Context context_of(const spec::Annotations& annotations);

/// The name of the profile's filter in the cache; takes microseconds.
Key key(const spec::Seccomp& seccomp, const Context& context);
/// A filter from the cache directory; none when it is absent, damaged, or not ours alone.
std::optional<Filter> load(const std::string& cache_directory, const Key& key);
/// Keeps a filter (atomically; the oldest ones give way beyond 64). Failures are of no consequence.
Result<void> store(const std::string& cache_directory, const Key& key, const Filter& filter);
/// Compiles with libseccomp: 20 ms for an engine's default profile and three architectures. Errors carry the
/// position of the rule.
Result<Filter> build(const spec::Seccomp& seccomp, const Context& context);

/// Errors that can be known without building: actions, flags and NOTIFY rules that cannot work.
Result<void> check(const spec::Seccomp& seccomp);
/// Whether some rule or the default says SCMP_ACT_NOTIFY, so that a listener comes back.
bool has_listener(const spec::Seccomp& seccomp);

/// Emits await_host for a filter that davit compiles while init works; it must come before `ready`. The
/// filter is then sent as sys::sealed_memory of Filter::instructions with Point::seccomp.
program::Slot compile_await(features::Compilation& out, const spec::Seccomp& seccomp);
/// load_seccomp with the filter inside the program.
program::LoadSeccomp load(features::Compilation& out, const spec::Seccomp& seccomp, const Filter& filter);
/// load_seccomp with the filter that compile_await's slot holds.
program::LoadSeccomp load(const spec::Seccomp& seccomp, program::Slot late);

/// Connects to seccomp.listenerPath and sends the container process state with the listener: the container's
/// `state`, and the pid of the `process` under the filter.
Result<void> send_listener(const spec::Seccomp& seccomp, const spec::State& state, pid_t process,
                           sys::FdRef listener);

/// What this libseccomp and this kernel can do, for `features`.
spec::SeccompFeatures features();

}  // namespace davit::seccomp
