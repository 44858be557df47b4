// SPDX-License-Identifier: Apache-2.0
// rlimits and oom_score_adj, set by davit from outside while init waits at Point::limits.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/process.hpp"

namespace davit::limits {

/// The RLIMIT_* number of a name of the spec ("RLIMIT_NOFILE").
std::optional<int> resource_of(std::string_view type);

/// Whether apply() has anything to do, so that init has to stop at Point::limits.
bool wanted(const spec::Process& process);

/// Who has no privileges may not write the score of an init that is not dumpable: init is born with it. While
/// this object lives, process.oomScoreAdj is davit's own score; without effect where the kernel refuses it.
class BirthScore {
 public:
  BirthScore(const spec::Process* process, bool privileged);
  BirthScore(const BirthScore&) = delete;
  BirthScore& operator=(const BirthScore&) = delete;
  ~BirthScore();

 private:
  std::string own_;  ///< empty: nothing was changed
};

/// prlimit(2) of every process.rlimits entry, then /proc/<pid>/oom_score_adj. `pid` is as davit sees it.
/// In a user namespace that an unprivileged davit made (`tolerant`), an oom_score_adj that may not be lowered
/// stays as it is.
/// `forks`: it is a stage, which still has to open descriptors and to fork: of the limits on these it only
/// gets the right to take them (compile_held_back).
Result<void> apply(pid_t pid, const spec::Process& process, bool tolerant, bool forks = false);
/// The limits that apply() holds back from a stage, taken by the process itself.
void compile_held_back(features::Compilation& out, const spec::Process& process);

}  // namespace davit::limits
