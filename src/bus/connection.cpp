// SPDX-License-Identifier: Apache-2.0
#include "davit/bus/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "bus/message.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/socket.hpp"

namespace davit::bus {
namespace {

/// poll(2) until the deadline; false when it has passed.
Result<bool> wait_for(sys::FdRef socket, short events, Deadline deadline) {
  for (;;) {
    struct pollfd entry = {socket.number(), events, 0};
    const int count = ::poll(&entry, 1, deadline.left());
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return system_error(errno, "poll");
    if (count < 0 && sys::Interruption::has_come()) return make_error(Code::system, "interrupted");
    if (count == 0) return false;
  }
}

}  // namespace

Result<Connection> Connection::open(const Address& address, std::string wanted, Deadline deadline) {
  sys::UniqueFd socket = TRY(sys::connect_within(address.path, deadline.left()));
  Connection connection(address, std::move(wanted), std::move(socket));
  auto authenticated = connection.authenticate(deadline);
  if (!authenticated.ok()) return authenticated.error().wrap(address.path);
  if (!address.is_broker) return connection;
  constexpr const char* kBroker = "org.freedesktop.DBus";
  const Reply hello = TRY(connection.call({kBroker, "/org/freedesktop/DBus", kBroker, "Hello"}, deadline));
  if (!hello.error.empty())
    return make_error(Code::system, address.path + " does not take us: " + hello.text);
  return connection;
}

Result<void> Connection::authenticate(Deadline deadline) {
  // Empty data in the answer to its question leaves it to the server to ask the kernel who we are. All at
  // once, as the server needs no time to think it over.
  constexpr char kWords[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
  TRY(send({kWords, sizeof kWords - 1}, deadline));
  for (;;) {
    const std::size_t end = received_.find("\r\n");
    if (end == std::string::npos) {
      if (received_.size() > 4096) return system_error(EPROTO, "no D-Bus server answers there");
      if (!TRY(fill(deadline))) return system_error(ETIMEDOUT, "waiting to be let in");
      continue;
    }
    const std::string line = received_.substr(0, end);
    received_.erase(0, end + 2);
    if (line.starts_with("OK")) return {};
    if (!line.starts_with("DATA")) return system_error(EACCES, "it does not let us in");
  }
}

Result<bool> Connection::fill(Deadline deadline) {
  char bytes[16384];
  // Others' messages may never end.
  while (!deadline.passed()) {
    const ssize_t count = ::recv(socket_.number(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) {
      received_.append(bytes, static_cast<std::size_t>(count));
      return true;
    }
    if (count == 0) return system_error(ECONNRESET, "the other side has closed the connection");
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return system_error(errno, "receive from " + address_.path);
    if (!TRY(wait_for(socket_, POLLIN, deadline))) return false;
  }
  return false;
}

Result<void> Connection::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return system_error(errno, "send to " + address_.path);
    if (!TRY(wait_for(socket_, POLLOUT, deadline)))
      return system_error(ETIMEDOUT, "send to " + address_.path);
  }
  return {};
}

Result<bool> Connection::take_message(std::uint32_t serial, std::optional<Reply>& reply) {
  const std::size_t size = TRY(message_size(received_));
  if (size == 0 || received_.size() < size) return false;
  Incoming incoming = TRY(decode(std::string_view(received_).substr(0, size), wanted_));
  received_.erase(0, size);
  if (auto* signal = std::get_if<Signal>(&incoming)) signals_.push_back(std::move(*signal));
  if (auto* answer = std::get_if<Answer>(&incoming))
    if (answer->serial == serial) reply = std::move(answer->reply);
  return true;
}

Result<Reply> Connection::call(const Call& call, Deadline deadline) {
  TRY(send(TRY(encode(call, ++serial_)), deadline));
  std::optional<Reply> reply;
  while (!reply) {
    if (TRY(take_message(serial_, reply))) continue;
    if (TRY(fill(deadline))) continue;
    return system_error(ETIMEDOUT, std::string("waiting for the answer to ") + call.method);
  }
  return std::move(*reply);
}

Result<std::optional<Signal>> Connection::next_signal(Deadline deadline) {
  std::optional<Reply> nobody;
  while (signals_.empty()) {
    if (TRY(take_message(0, nobody))) continue;
    if (!TRY(fill(deadline))) return std::optional<Signal>();
  }
  std::optional<Signal> first = std::move(signals_.front());
  signals_.erase(signals_.begin());
  return first;
}

}  // namespace davit::bus
