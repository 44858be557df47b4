// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a container's terminal: an engine, or somebody who types.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "faults/scenario.hpp"

namespace faults {

Console::Console(std::string path) : path_(std::move(path)) {
  listener_ = support::Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path_.c_str());
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_.get(), 8) != 0)
    abort();
}

void Console::take() {
  for (;;) {
    support::Fd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection.valid()) return;
    char text[256];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part = {text, sizeof text};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC) <= 0) continue;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    masters_.emplace_back(fd);
  }
}

Terminal::Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  if (!master_.valid() || grantpt(master_.get()) != 0 || unlockpt(master_.get()) != 0) abort();
  slave_ = support::Fd(ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave_.valid() || tcgetattr(slave_.get(), &before_) != 0) abort();
}

void Terminal::reset() const {
  tcsetattr(slave_.get(), TCSANOW, &before_);
}

bool Terminal::is_as_before() const {
  termios now{};
  return tcgetattr(slave_.get(), &now) == 0 && now.c_iflag == before_.c_iflag &&
         now.c_oflag == before_.c_oflag && now.c_cflag == before_.c_cflag && now.c_lflag == before_.c_lflag;
}

}  // namespace faults
