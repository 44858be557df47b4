// SPDX-License-Identifier: Apache-2.0
#include "davit/spec/state.hpp"

#include "davit/json/writer.hpp"

namespace davit::spec {
namespace {

void write_annotations(json::Writer& writer, const Annotations& annotations) {
  writer.key("annotations").begin_object();
  for (const auto& [key, value] : annotations) writer.key(key).string(value);
  writer.end_object();
}

void write_state(json::Writer& writer, const State& state) {
  writer.begin_object();
  writer.key("ociVersion").string(state.oci_version);
  writer.key("id").string(state.id);
  writer.key("pid").number(state.pid);
  writer.key("status").string(status_name(state.status));
  writer.key("bundle").string(state.bundle);
  if (!state.rootfs.empty()) writer.key("rootfs").string(state.rootfs);
  if (!state.created.empty()) writer.key("created").string(state.created);
  if (!state.annotations.empty()) write_annotations(writer, state.annotations);
  if (!state.owner.empty()) writer.key("owner").string(state.owner);
  if (!state.finished.empty()) writer.key("finished").string(state.finished);
  if (state.exit_code) writer.key("exitCode").number(*state.exit_code);
  if (!state.exit_signal.empty()) writer.key("exitSignal").string(state.exit_signal);
  if (state.oom_killed) writer.key("oomKilled").boolean(*state.oom_killed);
  if (!state.failed_step.empty()) writer.key("failedStep").string(state.failed_step);
  if (!state.error.empty()) writer.key("error").string(state.error);
  writer.end_object();
}

}  // namespace

std::string_view status_name(Status status) {
  switch (status) {
    case Status::creating:
      return "creating";
    case Status::created:
      return "created";
    case Status::running:
      return "running";
    case Status::paused:
      return "paused";
    case Status::stopped:
      return "stopped";
  }
  return "unknown";
}

std::string state_json(const State& state, JsonStyle style) {
  json::Writer writer(style);
  write_state(writer, state);
  return writer.take();
}

std::string states_json(const std::vector<State>& states) {
  if (states.empty()) return "null";
  json::Writer writer(JsonStyle::compact);
  writer.begin_array();
  for (const State& state : states) write_state(writer, state);
  return writer.end_array().take();
}

std::string container_process_state_json(const State& state, const std::vector<std::string>& fds,
                                         std::int32_t pid, std::string_view metadata) {
  json::Writer writer(JsonStyle::compact);
  writer.begin_object();
  writer.key("ociVersion").string(state.oci_version);
  writer.key("fds").strings(fds);
  writer.key("pid").number(pid);
  if (!metadata.empty()) writer.key("metadata").string(metadata);
  writer.key("state");
  write_state(writer, state);
  return writer.end_object().take();
}

}  // namespace davit::spec
