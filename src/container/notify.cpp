// SPDX-License-Identifier: Apache-2.0
#include "container/notify.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "container/belongings.hpp"
#include "davit/base/fields.hpp"
#include "davit/sys/file.hpp"

namespace davit::container {

namespace {

const std::string kSocket = std::string(kNotifyDirectory) + "/" + kNotifySocket;
constexpr const char* kInside = "/run/notify";
constexpr int kBarrierTimeout = 5000;  // milliseconds

// The address of a path, or of an abstract socket ("@name"); the length is 0 when it does not fit.
socklen_t make_address(std::string_view path, struct sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return 0;
  std::memcpy(address.sun_path, path.data(), path.size());
  const bool abstract = path.front() == '@';
  if (abstract) address.sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
}

sys::UniqueFd datagram_socket() {
  return sys::UniqueFd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

// sendmsg(2) with an optional descriptor.
bool send_to(std::string_view where, std::string_view text, sys::FdRef descriptor) {
  struct sockaddr_un address;
  const socklen_t length = make_address(where, address);
  const sys::UniqueFd socket = datagram_socket();
  if (length == 0 || !socket) return false;
  struct iovec data = {const_cast<char*>(text.data()), text.size()};
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_name = &address;
  message.msg_namelen = length;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (descriptor.valid()) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = descriptor.number();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
  }
  return ::sendmsg(socket.number(), &message, MSG_NOSIGNAL) >= 0;
}

std::string_view find_ready(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with("READY=")) return line;
  }
  return {};
}

}  // namespace

std::optional<Notify> Notify::from_environment() {
  const char* address = ::getenv("NOTIFY_SOCKET");
  if (address == nullptr || *address == '\0') return std::nullopt;
  return Notify(address);
}

Result<void> Notify::prepare(const Entry& entry, const std::string& directory, spec::Config& config) {
  TRY(sys::make_directory_at(entry.directory(), kNotifyDirectory, 0755));
  // Whatever the umask: the container's user has to come through.
  if (::fchmodat(entry.directory().number(), kNotifyDirectory, 0755, 0) < 0)
    return system_error(errno, "chmod notify");
  spec::Mount mount;
  mount.destination = kInside;
  mount.type = "bind";
  mount.source = directory + "/" + kNotifyDirectory;
  mount.options = {"bind", "nosuid", "noexec", "nodev", "ro"};
  config.mounts.push_back(std::move(mount));
  if (config.process) config.process->env.push_back(std::string("NOTIFY_SOCKET=") + kInside + "/notify.sock");
  return {};
}

Result<void> Notify::listen(const Entry& entry) {
  if (!sys::stat_at(entry.directory(), kNotifyDirectory).ok())
    return make_error(Code::not_found, "the container was created without NOTIFY_SOCKET");
  struct sockaddr_un address;
  const std::string path = "/proc/self/fd/" + std::to_string(entry.directory().number()) + "/" + kSocket;
  const socklen_t length = make_address(path, address);
  socket_ = datagram_socket();
  const auto* generic = reinterpret_cast<const struct sockaddr*>(&address);
  if (!socket_ || ::bind(socket_.number(), generic, length) < 0 ||
      ::fchmodat(entry.directory().number(), kSocket.c_str(), 0777, 0) < 0)
    return system_error(errno, "open the container's notify socket");
  return {};
}

void Notify::send_ready(std::string_view line, pid_t pid) const {
  std::string text(line);
  text.append("\nMAINPID=").append(std::to_string(pid)).append("\n");
  if (!send_to(address_, text, {})) return;
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) return;
  const sys::UniqueFd reading = sys::UniqueFd::adopt(ends[0]);
  sys::UniqueFd writing = sys::UniqueFd::adopt(ends[1]);
  // The manager closes the descriptor when it has read what came before; only then may we end.
  if (!send_to(address_, "BARRIER=1", writing)) return;
  writing.reset();
  struct pollfd entry = {reading.number(), POLLIN, 0};
  (void)::poll(&entry, 1, kBarrierTimeout);
}

void Notify::forward(pid_t pid, sys::FdRef pidfd) const {
  for (;;) {
    struct pollfd entries[2] = {{socket_.number(), POLLIN, 0}, {pidfd.number(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0 && errno != EINTR) return;
    if ((entries[0].revents & POLLIN) != 0) {
      char data[4096];
      const ssize_t size = ::recv(socket_.number(), data, sizeof data, MSG_DONTWAIT);
      const std::string_view text(data, size > 0 ? static_cast<std::size_t>(size) : 0);
      if (const std::string_view ready = find_ready(text); !ready.empty()) return send_ready(ready, pid);
    } else if (entries[1].revents != 0) {
      return;
    }
  }
}

void Notify::forward_in_background(pid_t pid, sys::FdRef pidfd) {
  auto own = sys::duplicate(pidfd);
  if (!own.ok()) return;
  std::thread([notify = Notify(std::move(*this)), pid, pidfd_copy = std::move(*own)] {
    notify.forward(pid, pidfd_copy);
  }).detach();
}

}  // namespace davit::container
