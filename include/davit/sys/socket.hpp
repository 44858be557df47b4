// SPDX-License-Identifier: Apache-2.0
// Unix sockets and descriptor passing.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

/// socketpair(AF_UNIX, SOCK_SEQPACKET).
Result<std::pair<UniqueFd, UniqueFd>> packet_pair();
/// A listening AF_UNIX socket named `name` in `directory` (reached through /proc/self/fd, so that the length
/// of the directory's path does not matter); type is SOCK_SEQPACKET or SOCK_STREAM.
Result<UniqueFd> listen_at(FdRef directory, const std::string& name, int type);
/// Connects to the socket `name` in `directory`.
Result<UniqueFd> connect_at(FdRef directory, const std::string& name, int type);
/// Connects to a socket by path (any length).
Result<UniqueFd> connect_path(const std::string& path, int type);
/// Connects to a stream socket that may be busy, or to an abstract one ("@name"); ETIMEDOUT after
/// `milliseconds`. Such a socket does not block.
Result<UniqueFd> connect_within(const std::string& path, int milliseconds);
/// sendmsg(2) of one datagram or chunk (MSG_NOSIGNAL) with an optional descriptor.
Result<void> send_with_fd(FdRef socket, const void* data, std::size_t size, FdRef descriptor);
struct Received {
  std::size_t size = 0;       ///< 0: the other side is gone
  UniqueFd descriptor;        ///< if one came along
  pid_t sender = 0;           ///< with identify_senders(): the kernel's word for who it was
  bool is_truncated = false;  ///< there was more, of data or of descriptors
};
/// SO_PASSCRED: what comes from now on says who sent it.
Result<void> identify_senders(FdRef socket);
/// recvmsg(2) (MSG_CMSG_CLOEXEC); ECONNRESET counts as the other side being gone.
Result<Received> receive_with_fd(FdRef socket, void* data, std::size_t size);

}  // namespace davit::sys
