// SPDX-License-Identifier: Apache-2.0
#include "launch/channel.hpp"

#include <cerrno>

#include "davit/sys/socket.hpp"

namespace davit::launch {

Result<void> tell(sys::FdRef channel, program::Point point, sys::FdRef descriptor) {
  program::Message message;
  message.type = program::MessageType::reached;
  message.point = point;
  auto sent = sys::send_with_fd(channel, &message, sizeof message, descriptor);
  const int errno_value = sent.ok() ? 0 : sent.error().errno_value;
  // An init that is gone, whether it had read everything or not, has left its last words in our queue;
  // receive() brings them to light.
  return errno_value == EPIPE || errno_value == ECONNRESET ? Result<void>() : sent;
}

Result<std::pair<sys::UniqueFd, sys::UniqueFd>> make_channel() {
  auto channel = TRY(sys::packet_pair());
  TRY(sys::identify_senders(channel.first));
  return channel;
}

Result<Incoming> receive(sys::FdRef channel) {
  Incoming incoming;
  sys::Received received = TRY(sys::receive_with_fd(channel, &incoming.message, sizeof incoming.message));
  incoming.descriptor = std::move(received.descriptor);
  incoming.sender = received.sender;
  incoming.closed = received.size == 0;
  if (!incoming.closed && (received.size != sizeof incoming.message || received.is_truncated))
    return make_error(Code::internal, "init sent a message of the wrong size");
  incoming.message.text[sizeof incoming.message.text - 1] = '\0';
  return incoming;
}

}  // namespace davit::launch
