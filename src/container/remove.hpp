// SPDX-License-Identifier: Apache-2.0
// The end of a container, for delete and for whoever has to clean up after a failure.
#pragma once

#include "davit/container/lifecycle.hpp"

namespace davit::container {

/// Kills init if it lives and waits for it, removes cgroup and state, runs the poststop hooks; hooks that
/// fail become warnings. The entry must be locked. `config` may be null: then it is read from the state when
/// there are hooks.
Result<void> destroy(Context& context, const Entry& entry, const Record& record, const spec::Config* config);

}  // namespace davit::container
