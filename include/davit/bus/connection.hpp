// SPDX-License-Identifier: Apache-2.0
// A connection to a D-Bus peer or broker over a socket that davit opens and waits on itself: no step of it
// lasts beyond its deadline. The format of messages is libdbus's affair.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/bus/deadline.hpp"
#include "davit/bus/value.hpp"
#include "davit/sys/fd.hpp"

namespace davit::bus {

/// Where somebody listens.
struct Address {
  std::string path;        ///< of a unix socket; "@name" is an abstract one
  bool is_broker = false;  ///< messages are for many: they bear a destination, and we have to say hello
};

/// A method call.
struct Call {
  const char* destination;
  std::string path;
  const char* interface;
  const char* method;
  std::vector<Value> arguments{};
};

/// The answer to a call: values, or an error by name.
struct Reply {
  std::string error{};  ///< "org.freedesktop.systemd1.NoSuchUnit"; empty: it succeeded
  std::string text{};   ///< of the error, in words
  std::vector<Value> values{};
};

struct Signal {
  std::string path;
  std::string interface;
  std::string member;
  std::vector<Value> values;
};

class Connection {
 public:
  /// Connects and authenticates as who the kernel says we are: from inside a user namespace our own uid would
  /// be somebody else's. Signals other than `wanted` are thrown away unread.
  static Result<Connection> open(const Address& address, std::string wanted, Deadline deadline);

  /// Sends a call and waits for its answer; ETIMEDOUT when there is none in time.
  Result<Reply> call(const Call& call, Deadline deadline);
  /// The next wanted signal; none when the deadline passes before.
  Result<std::optional<Signal>> next_signal(Deadline deadline);

  [[nodiscard]] const Address& address() const { return address_; }

 private:
  Connection(Address address, std::string wanted, sys::UniqueFd socket)
      : address_(std::move(address)), wanted_(std::move(wanted)), socket_(std::move(socket)) {}
  Result<void> authenticate(Deadline deadline);
  /// Reads at least one more byte; false when the deadline passes before.
  Result<bool> fill(Deadline deadline);
  Result<void> send(std::string_view bytes, Deadline deadline);
  /// Takes one whole message from what was read; the reply to `serial` is put into `reply`. False: there is
  /// none.
  Result<bool> take_message(std::uint32_t serial, std::optional<Reply>& reply);

  Address address_;
  std::string wanted_;
  sys::UniqueFd socket_;
  std::string received_{};
  std::vector<Signal> signals_{};
  std::uint32_t serial_ = 0;
};

}  // namespace davit::bus
