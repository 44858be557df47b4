// SPDX-License-Identifier: Apache-2.0
// A CRIU of davit's own: a child that is told over a socket what to do (`criu swrk`).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/criu/message.hpp"
#include "davit/sys/fd.hpp"

namespace davit::criu {

/// How a worker is born.
struct Birth {
  std::string root;         ///< a directory that becomes a mount point in the worker's own mount namespace
  std::string mount_point;  ///< where; both empty: the worker is in davit's
  std::vector<sys::FdRef> descriptors{};  ///< what it inherits besides stdio, under the same numbers
  bool in_callers_group = false;          ///< of processes: a job of the caller's shell
};

class Worker {
 public:
  /// Starts the `criu` of $PATH. Code::unsupported: there is none.
  static Result<Worker> start(const Birth& birth);
  /// The same with a sys::packet_pair() whose first end stays the caller's.
  static Result<Worker> start(const Birth& birth, sys::FdRef channel, sys::UniqueFd channel_end);
  Worker(Worker&& other) noexcept = default;
  Worker& operator=(Worker&&) = delete;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// end(), for one that was not told to.
  ~Worker() { end(); }

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// For sys::Interruption; open as long as the worker.
  [[nodiscard]] sys::FdRef channel() const { return channel_; }

  /// Does what CRIU asks for at a point of its work; an error makes it fail.
  using Notified = std::function<Result<void>(const Response& notification, sys::UniqueFd descriptor)>;
  /// Asks, and waits as long as CRIU lives; what it says in the end may be a failure.
  Result<Response> ask(const Request& request, const Notified& notified);
  /// Nothing more is asked: waits for its end, and brings it about where it does not come by itself.
  void end();

 private:
  Worker() = default;
  Result<Response> hear(sys::UniqueFd& descriptor);

  pid_t pid_ = -1;
  sys::UniqueFd pidfd_;  ///< valid until its end
  sys::FdRef channel_;
  sys::UniqueFd own_channel_;
};

/// The version of the `criu` of $PATH; an error if there is none, or it is older than `oldest`.
Result<Version> check_version(Version oldest);
/// An error if CRIU, or the kernel, lacks one of the features.
Result<void> check_features(const Features& wanted);
/// The lines of a CRIU log that say what went wrong, on one line, the first ones first; empty: none does.
std::string errors_of(std::string_view log);

}  // namespace davit::criu
