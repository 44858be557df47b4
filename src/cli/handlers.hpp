// SPDX-License-Identifier: Apache-2.0
// One function per command.
#pragma once

#include "davit/base/result.hpp"

namespace davit::cli {

class Invocation;

Result<int> command_checkpoint(Invocation& invocation);
Result<int> command_completion(Invocation& invocation);
Result<int> command_create(Invocation& invocation);
Result<int> command_delete(Invocation& invocation);
Result<int> command_doctor(Invocation& invocation);
Result<int> command_events(Invocation& invocation);
Result<int> command_exec(Invocation& invocation);
Result<int> command_explain(Invocation& invocation);
Result<int> command_features(Invocation& invocation);
Result<int> command_kill(Invocation& invocation);
Result<int> command_list(Invocation& invocation);
Result<int> command_mounts(Invocation& invocation);
Result<int> command_pause(Invocation& invocation);
Result<int> command_ps(Invocation& invocation);
Result<int> command_resume(Invocation& invocation);
Result<int> command_restore(Invocation& invocation);
Result<int> command_run(Invocation& invocation);
Result<int> command_spec(Invocation& invocation);
Result<int> command_start(Invocation& invocation);
Result<int> command_state(Invocation& invocation);
Result<int> command_stats(Invocation& invocation);
Result<int> command_update(Invocation& invocation);
Result<int> command_validate(Invocation& invocation);
Result<int> command_wait(Invocation& invocation);

}  // namespace davit::cli
