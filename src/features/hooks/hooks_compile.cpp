// SPDX-License-Identifier: Apache-2.0
#include "davit/features/hooks.hpp"

#include "davit/base/story.hpp"
#include "state.hpp"

namespace davit::hooks {
namespace {

constexpr std::string_view kPidMember = "\"pid\":";

spec::Status status_of(Kind kind) {
  switch (kind) {
    case Kind::prestart:
    case Kind::create_runtime:
    case Kind::create_container:
      return spec::Status::creating;
    case Kind::start_container:
      return spec::Status::created;
    case Kind::poststart:
      return spec::Status::running;
    case Kind::poststop:
      return spec::Status::stopped;
  }
  return spec::Status::creating;
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::prestart:
      return "prestart";
    case Kind::create_runtime:
      return "createRuntime";
    case Kind::create_container:
      return "createContainer";
    case Kind::start_container:
      return "startContainer";
    case Kind::poststart:
      return "poststart";
    case Kind::poststop:
      return "poststop";
  }
  return "";
}

const std::vector<spec::Hook>& of(const spec::Hooks& hooks, Kind kind) {
  switch (kind) {
    case Kind::prestart:
      return hooks.prestart;
    case Kind::create_runtime:
      return hooks.create_runtime;
    case Kind::create_container:
      return hooks.create_container;
    case Kind::start_container:
      return hooks.start_container;
    case Kind::poststart:
      return hooks.poststart;
    case Kind::poststop:
      break;
  }
  return hooks.poststop;
}

std::string state_for(Kind kind, spec::State state) {
  state.status = status_of(kind);
  if (kind == Kind::poststop) state.pid = 0;
  return spec::state_json(state, spec::JsonStyle::compact);
}

void compile(features::Compilation& out, const spec::Hooks& hooks, Kind kind, const spec::State& state,
             const std::vector<std::string>& inherited, const program::RunHook& confinement) {
  const std::vector<spec::Hook>& list = of(hooks, kind);
  if (list.empty()) return;
  spec::State with_pid = state;
  with_pid.pid = 1;
  const std::string document = state_for(kind, std::move(with_pid));
  // Only the id and the version stand before it, and neither can hold a quote.
  const std::size_t member = document.find(kPidMember);
  const std::size_t before = member == std::string::npos ? 0 : member + kPidMember.size();
  const std::size_t after = document.find_first_not_of("0123456789 ", before);
  for (const spec::Hook& hook : list) {
    program::RunHook operation = confinement;
    operation.path = out.builder.text(hook.path);
    const std::vector<std::string> only_path = {hook.path};
    operation.arguments = out.builder.texts(hook.args.empty() ? only_path : hook.args);
    std::vector<std::string> environment = hook.env.value_or(inherited);
    story::continue_trace(environment);
    operation.environment = out.builder.texts(environment);
    operation.state_before_pid = out.builder.text(std::string_view(document).substr(0, before));
    operation.state_after_pid = out.builder.text(std::string_view(document).substr(after));
    operation.timeout_seconds = hook.timeout.value_or(0);
    out.builder.emit(operation, out.origin(hook.position));
  }
}

}  // namespace davit::hooks
