// SPDX-License-Identifier: Apache-2.0
// The status of a container is never stored: it is derived from what is there. And: what is allowed when.
#pragma once

#include <cstdint>
#include <string_view>

#include "davit/base/result.hpp"
#include "davit/spec/state.hpp"

namespace davit::container {

/// What is known about a container and its init; each fact is asked for only if the ones before leave the
/// status open.
class Evidence {
 public:
  virtual ~Evidence() = default;
  /// The record names an init.
  virtual bool has_init() = 0;
  /// Somebody holds the lock of the container while it has no init yet.
  virtual bool being_created() = 0;
  /// The init of the record is a process that has not ended: same boot, same start time, not a zombie.
  virtual bool init_alive() = 0;
  /// The start socket is there, so nobody has started the container yet.
  virtual bool waits_for_start() = 0;
  /// Its cgroup is frozen.
  virtual bool frozen() = 0;
};

/// creating, created, running, paused or stopped. A creation that died half-way is stopped.
spec::Status derive_status(Evidence& evidence);

enum class Operation : std::uint8_t {
  start,
  exec,
  kill,
  remove,
  force_remove,
  pause,
  resume,
  update,
  processes,
  observe,
  change_mounts,
  checkpoint
};
inline constexpr std::size_t kOperations = 12;

/// Whether the operation may begin in that status; otherwise an error (Code::wrong_state) in the words that
/// engines look for.
Result<void> check_allowed(Operation operation, spec::Status status, std::string_view id);

}  // namespace davit::container
