// SPDX-License-Identifier: Apache-2.0
// What davit asks of systemd's manager, over its own socket or a bus. Everything that one of these objects
// does has to be done by its one deadline.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/bus/connection.hpp"

namespace davit::bus {

struct Property {
  std::string name;
  Value value;

  bool operator==(const Property&) const = default;
};

class Systemd {
 public:
  /// Connects to the first address where somebody listens; the error is about the first.
  static Result<Systemd> connect(const std::vector<Address>& addresses, Deadline deadline);

  /// The number of the release (257).
  Result<unsigned> version();
  /// Starts a transient unit and waits until it has started. False: there is a unit of that name.
  Result<bool> start(const std::string& unit, const std::vector<Property>& properties);
  /// Stops a unit and waits until it has stopped. False: there is none.
  Result<bool> stop(const std::string& unit);
  /// Lets a failed unit be forgotten; one that is not there is fine.
  Result<void> reset_failed(const std::string& unit);
  /// Changes properties until the next boot. False: there is no such unit.
  Result<bool> set_properties(const std::string& unit, const std::vector<Property>& properties);
  /// Has a process put into a unit, or into the cgroup `below` it ("/container").
  Result<void> attach(const std::string& unit, const std::string& below, int pid);

 private:
  Systemd(Connection connection, Deadline deadline)
      : connection_(std::move(connection)), deadline_(deadline) {}
  Result<Reply> call(const char* method, std::vector<Value> arguments, std::string_view about);
  Result<Reply> get(const std::string& path, const char* interface, const char* property, Deadline deadline);
  /// A broker only hands on what was asked for: the ends of jobs of this one unit.
  Result<void> listen_for(const std::string& unit);
  Result<void> wait_for_job(const std::string& job, const std::string& unit, std::string_view what);
  /// The job's state; empty: there is no such job any more.
  Result<std::string> state_of_job(const std::string& job, Deadline deadline);
  Error late(const std::string& job, const std::string& unit, std::string_view what);

  Connection connection_;
  Deadline deadline_;
};

}  // namespace davit::bus
