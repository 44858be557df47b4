// SPDX-License-Identifier: Apache-2.0
// One function per command. Those that engines do not call for every container are cold: the compiler keeps
// them, and what only they need, away from the rest.
#pragma once

#include "davit/base/result.hpp"

namespace davit::cli {

class Invocation;

[[gnu::cold]] Result<int> command_checkpoint(Invocation& invocation);
[[gnu::cold]] Result<int> command_completion(Invocation& invocation);
Result<int> command_create(Invocation& invocation);
Result<int> command_delete(Invocation& invocation);
[[gnu::cold]] Result<int> command_doctor(Invocation& invocation);
[[gnu::cold]] Result<int> command_events(Invocation& invocation);
Result<int> command_exec(Invocation& invocation);
[[gnu::cold]] Result<int> command_explain(Invocation& invocation);
[[gnu::cold]] Result<int> command_features(Invocation& invocation);
Result<int> command_kill(Invocation& invocation);
Result<int> command_list(Invocation& invocation);
[[gnu::cold]] Result<int> command_mounts(Invocation& invocation);
[[gnu::cold]] Result<int> command_pause(Invocation& invocation);
Result<int> command_ps(Invocation& invocation);
[[gnu::cold]] Result<int> command_resume(Invocation& invocation);
[[gnu::cold]] Result<int> command_restore(Invocation& invocation);
Result<int> command_run(Invocation& invocation);
[[gnu::cold]] Result<int> command_spec(Invocation& invocation);
Result<int> command_start(Invocation& invocation);
Result<int> command_state(Invocation& invocation);
[[gnu::cold]] Result<int> command_stats(Invocation& invocation);
[[gnu::cold]] Result<int> command_update(Invocation& invocation);
[[gnu::cold]] Result<int> command_validate(Invocation& invocation);
[[gnu::cold]] Result<int> command_wait(Invocation& invocation);

}  // namespace davit::cli
