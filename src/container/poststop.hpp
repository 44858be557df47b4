// SPDX-License-Identifier: Apache-2.0
// The hooks after the end of a container.
#pragma once

#include "davit/container/lifecycle.hpp"

namespace davit::container {

/// Runs them all; failures become warnings, as the spec wants it.
void run_poststop_hooks(Context& context, const Record& record, const spec::Config& config);

}  // namespace davit::container
