// SPDX-License-Identifier: Apache-2.0
// sd_notify(3): when davit runs as a service, the container tells the service manager that it is ready. It
// gets a socket of its own; only its READY is passed on, as it must not speak for the service otherwise.
#pragma once

#include <optional>
#include <string>

#include "davit/container/store.hpp"
#include "davit/spec/config.hpp"

namespace davit::container {

class Notify {
 public:
  /// Nothing when $NOTIFY_SOCKET is not set.
  static std::optional<Notify> from_environment();

  /// Adds the mount and the variable to the config, and makes the directory that is mounted.
  static Result<void> prepare(const Entry& entry, const std::string& directory, spec::Config& config);
  /// Opens the container's socket; before its process starts. Code::not_found: `create` had not prepared it.
  Result<void> listen(const Entry& entry);
  /// Waits until the container is ready, or has ended, and passes the first on.
  void forward(pid_t pid, sys::FdRef pidfd) const;
  /// The same beside the caller's own work.
  void forward_in_background(pid_t pid, sys::FdRef pidfd);

 private:
  explicit Notify(std::string address) : address_(std::move(address)) {}
  void send_ready(std::string_view line, pid_t pid) const;

  std::string address_;  ///< of the service manager
  sys::UniqueFd socket_;
};

}  // namespace davit::container
