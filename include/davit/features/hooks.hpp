// SPDX-License-Identifier: Apache-2.0
// Hooks: those of the runtime's namespaces are run by davit, those of the container's become operations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/state.hpp"

namespace davit::hooks {

enum class Kind : std::uint8_t {
  prestart,
  create_runtime,
  create_container,
  start_container,
  poststart,
  poststop
};

/// "createRuntime", ...
std::string_view name_of(Kind kind);
/// The hooks of one kind.
const std::vector<spec::Hook>& of(const spec::Hooks& hooks, Kind kind);

/// Emits run_hook for each createContainer or startContainer hook. Init fills in the pid; the status is set
/// here from the kind. `inherited` is the environment of hooks that have none of their own; `confinement`
/// says what else a hook does before it executes.
void compile(features::Compilation& out, const spec::Hooks& hooks, Kind kind, const spec::State& state,
             const std::vector<std::string>& inherited, const program::RunHook& confinement);
/// The environment of davit, for hooks without one of their own; nothing if there is no such hook.
std::vector<std::string> own_environment(const std::vector<spec::Hook>& hooks);
/// Runs all hooks of a kind in order (in davit's own namespaces) and stops at the first failure:
/// "error running createRuntime hook #1: exit status 1, stdout: ..., stderr: ...". The status in the state on
/// their stdin is set here from the kind.
Result<void> run(const spec::Hooks& hooks, Kind kind, const spec::State& state);
/// Those that run between the mounts and the pivot: prestart, then createRuntime.
Result<void> run_runtime_hooks(const spec::Hooks& hooks, const spec::State& state);
/// The same for poststop: carries on after failures, which are warnings.
std::vector<Error> run_all(const spec::Hooks& hooks, Kind kind, const spec::State& state);

}  // namespace davit::hooks
