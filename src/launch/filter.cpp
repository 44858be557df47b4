// SPDX-License-Identifier: Apache-2.0
// The compiled seccomp filter, made while init works.
#include <span>

#include "davit/sys/file.hpp"
#include "launch/session.hpp"

namespace davit::launch {

Result<void> build_filter(Session& session) {
  if (!session.plan.awaits_filter) return {};
  const spec::Seccomp& profile = *session.subject.config.linux.seccomp;
  const seccomp::Context context = seccomp::context_of(session.subject.config.annotations);
  const seccomp::Filter filter = TRY(seccomp::build(profile, context));
  const auto bytes = std::as_bytes(std::span(filter.instructions));
  session.filter = TRY(sys::sealed_memory("davit-filter", {bytes}, false));
  return {};
}

}  // namespace davit::launch
