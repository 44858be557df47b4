// SPDX-License-Identifier: Apache-2.0
#include "container/poststop.hpp"

#include "davit/features/hooks.hpp"

namespace davit::container {

void run_poststop_hooks(Context& context, const Record& record, const spec::Config& config) {
  if (config.hooks.poststop.empty()) return;
  spec::State state;
  state.id = record.id;
  state.status = spec::Status::stopped;
  state.bundle = record.bundle;
  state.annotations = record.annotations;
  for (const Error& failure : hooks::run_all(config.hooks, hooks::Kind::poststop, state))
    context.warnings.push_back(failure);
}

}  // namespace davit::container
