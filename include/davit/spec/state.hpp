// SPDX-License-Identifier: Apache-2.0
// The state of a container as JSON: for `state` and `list`, for hooks, and for the seccomp listener.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/json/writer.hpp"
#include "davit/spec/config.hpp"

namespace davit::spec {

/// The runtime-spec version that davit implements.
inline constexpr std::string_view kOciVersion = "1.3.0";
/// The oldest version of a config that is accepted.
inline constexpr std::string_view kOciVersionMin = "1.0.0";

enum class Status : std::uint8_t { creating, created, running, paused, stopped };
/// "creating", "created", ...
std::string_view status_name(Status status);

/// Members that are empty (rootfs, created, annotations, owner) are left out, so hooks get the plain OCI
/// state.
struct State {
  std::string oci_version = std::string(kOciVersion);
  std::string id;
  std::int32_t pid = 0;  ///< 0 when stopped
  Status status = Status::creating;
  std::string bundle;   ///< absolute
  std::string rootfs;   ///< absolute
  std::string created;  ///< RFC 3339 with nanoseconds
  Annotations annotations;
  std::string owner;  ///< user name

  // No members of the specification. What is not known is left out; the names are those that CRI-O knows.
  std::string finished;          ///< RFC 3339 with nanoseconds
  std::optional<int> exit_code;  ///< 128 + the signal that killed it
  std::string exit_signal;       ///< "SIGKILL"
  std::optional<bool> oom_killed;
  std::string failed_step;  ///< of a start that failed
  std::string error;        ///< why
};

using JsonStyle = json::Style;

/// One state object, without a newline at its end.
std::string state_json(const State& state, JsonStyle style);
/// An array of states, as `list --format json` prints it; "null" for none, as runc does.
std::string states_json(const std::vector<State>& states);
/// The container process state that the seccomp listener receives; `fds` names the descriptors sent along.
std::string container_process_state_json(const State& state, const std::vector<std::string>& fds,
                                         std::int32_t pid, std::string_view metadata);

}  // namespace davit::spec
