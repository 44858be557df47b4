// SPDX-License-Identifier: Apache-2.0
// The compiled seccomp filter: from the cache before init starts, or built while init works.
#include <span>

#include "davit/sys/file.hpp"
#include "launch/session.hpp"

namespace davit::launch {

void look_up_filter(Session& session, const std::string& cache) {
  const auto& profile = session.subject.config.linux.seccomp;
  if (!profile || cache.empty()) return;
  session.filter =
      seccomp::load(cache, seccomp::key(*profile, seccomp::context_of(session.subject.config.annotations)));
}

Result<void> build_filter(Session& session, const std::string& cache) {
  if (!session.plan.late_seccomp) return {};
  const spec::Seccomp& profile = *session.subject.config.linux.seccomp;
  const seccomp::Context context = seccomp::context_of(session.subject.config.annotations);
  const seccomp::Filter filter = TRY(seccomp::build(profile, context));
  const auto bytes = std::as_bytes(std::span(filter.instructions));
  session.late_filter = TRY(sys::sealed_memory("davit-filter", {bytes}, false));
  // Only the next container would have gained from it.
  if (!cache.empty()) (void)seccomp::store(cache, seccomp::key(profile, context), filter);
  return {};
}

}  // namespace davit::launch
