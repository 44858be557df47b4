// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "davit/sys/file.hpp"
#include "sys/call.hpp"

namespace davit::sys {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return failed("socket", path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

std::string through_descriptor(FdRef directory, const std::string& name) {
  return "/proc/self/fd/" + std::to_string(directory.number()) + "/" + name;
}

Result<UniqueFd> make_socket(int type) {
  const int number = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (number < 0) return failed("socket", "");
  return UniqueFd::adopt(number);
}

/// One is taken; the room for credentials may have held more.
void take_descriptors(cmsghdr& header, Received& received) {
  const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(&header) + i * sizeof number, sizeof number);
    received.is_truncated = received.is_truncated || i > 0;
    UniqueFd descriptor = UniqueFd::adopt(number);
    if (i == 0) received.descriptor = std::move(descriptor);
  }
}

/// Whoever listens there may never accept or read: davit does not wait for ever.
Result<void> bound_waits(FdRef socket) {
  constexpr struct timeval kPatience = {10, 0};
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) < 0)
    return failed("set a time limit for", "a socket");
  return {};
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> packet_pair() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return failed("socketpair", "");
  return std::pair(UniqueFd::adopt(pair[0]), UniqueFd::adopt(pair[1]));
}

Result<UniqueFd> listen_at(FdRef directory, const std::string& name, int type) {
  const sockaddr_un address = TRY(address_of(through_descriptor(directory, name)));
  UniqueFd socket = TRY(make_socket(type));
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return failed("bind", name);
  if (::listen(socket.number(), 8) < 0) return failed("listen", name);
  return socket;
}

Result<UniqueFd> connect_at(FdRef directory, const std::string& name, int type) {
  const sockaddr_un address = TRY(address_of(through_descriptor(directory, name)));
  UniqueFd socket = TRY(make_socket(type));
  TRY(bound_waits(socket));
  if (retry([&] {
        return ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
      }) < 0) {
    if (errno == EAGAIN) errno = ETIMEDOUT;
    return failed("connect to", name);
  }
  return socket;
}

Result<UniqueFd> connect_path(const std::string& path, int type) {
  const std::string::size_type slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const UniqueFd directory = TRY(open(parent, O_PATH | O_DIRECTORY));
  auto socket = connect_at(directory, slash == std::string::npos ? path : path.substr(slash + 1), type);
  if (!socket.ok()) socket.error().message = Text<768>("connect to ").append(path);
  return socket;
}

Result<UniqueFd> connect_within(const std::string& path, int milliseconds) {
  sockaddr_un address = TRY(address_of(path));
  if (path.starts_with('@')) address.sun_path[0] = '\0';
  const socklen_t size = path.starts_with('@')
                             ? static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())
                             : sizeof address;
  UniqueFd socket = TRY(make_socket(SOCK_STREAM | SOCK_NONBLOCK));
  constexpr int kPause = 10;  // milliseconds; nobody tells when there is room in the queue of who listens
  for (int waited = 0;; waited += kPause) {
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return socket;
    if (errno != EAGAIN && errno != EINTR) return failed("connect to", path);
    if (waited >= milliseconds) errno = ETIMEDOUT;
    if (waited >= milliseconds) return failed("connect to", path);
    ::poll(nullptr, 0, kPause);
  }
}

Result<void> send_with_fd(FdRef socket, const void* data, std::size_t size, FdRef descriptor) {
  struct iovec part = {const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor.valid()) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = descriptor.number();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
  }
  if (retry([&] { return ::sendmsg(socket.number(), &message, MSG_NOSIGNAL); }) < 0) {
    if (errno == EAGAIN) errno = ETIMEDOUT;
    return failed("send message", "");
  }
  return {};
}

Result<void> identify_senders(FdRef socket) {
  constexpr int kOn = 1;
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_PASSCRED, &kOn, sizeof kOn) < 0)
    return failed("ask who sends to", "a socket");
  return {};
}

Result<Received> receive_with_fd(FdRef socket, void* data, std::size_t size) {
  struct iovec part = {data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))] = {};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto take = [&] {
    return retry([&] { return ::recvmsg(socket.number(), &message, MSG_CMSG_CLOEXEC); });
  };
  ssize_t count = take();
  // That the other end went without having read everything is said once, before what it had left.
  if (count < 0 && errno == ECONNRESET) count = take();
  if (count < 0 && errno != ECONNRESET) return failed("receive message", "");
  Received received;
  received.size = count < 0 ? 0 : static_cast<std::size_t>(count);
  received.is_truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  for (cmsghdr* header = count > 0 ? CMSG_FIRSTHDR(&message) : nullptr; header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_RIGHTS) take_descriptors(*header, received);
    if (header->cmsg_type == SCM_CREDENTIALS) {
      struct ucred sender = {};
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
      received.sender = sender.pid;
    }
  }
  return received;
}

}  // namespace davit::sys
