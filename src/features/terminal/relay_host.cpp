// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "davit/features/terminal.hpp"
#include "davit/sys/socket.hpp"

namespace davit::terminal {
namespace {

/// poll(2) promises room for this much in a pipe, so that a write of it does not block.
constexpr std::size_t kChunk = 4096;

constexpr int kIn = 0;
constexpr int kMaster = 1;
constexpr int kOut = 2;

/// What the caller's terminal does while a container's terminal is behind it: no line editing, no signals,
/// but output processing stays, as the container's side has its ONLCR off.
struct termios raw(struct termios settings) {
  ::cfmakeraw(&settings);
  settings.c_oflag |= OPOST;
  return settings;
}

}  // namespace

Result<void> send_descriptor(const std::string& path, sys::FdRef descriptor, std::string_view name) {
  const sys::UniqueFd socket = TRY(sys::connect_path(path, SOCK_STREAM));
  // A stream carries descriptors only along with at least one byte.
  const std::string_view payload = name.empty() ? std::string_view("\0", 1) : name;
  return sys::send_with_fd(socket, payload.data(), payload.size(), descriptor);
}

Result<Relay> Relay::open(sys::UniqueFd master) {
  Relay relay;
  const int flags = ::fcntl(master.number(), F_GETFL);
  if (flags < 0 || ::fcntl(master.number(), F_SETFL, flags | O_NONBLOCK) < 0)
    return system_error(errno, "set the terminal non-blocking");
  relay.master_ = std::move(master);
  relay.in_ = std::make_unique<Flow>();
  relay.out_ = std::make_unique<Flow>();
  relay.copy_size();
  struct termios settings = {};
  if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
    const struct termios wanted = raw(settings);
    if (::tcsetattr(STDIN_FILENO, TCSANOW, &wanted) < 0)
      return system_error(errno, "put the caller's terminal into raw mode");
    relay.saved_ = settings;
  }
  return relay;
}

Relay::Relay(Relay&& other) noexcept
    : master_(std::move(other.master_)),
      saved_(std::exchange(other.saved_, std::nullopt)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)) {}

Relay::~Relay() {
  if (saved_) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
}

void Relay::copy_size() const {
  struct winsize size = {};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0) return;
  // Some serial consoles do not know their size; then what the config says stays.
  if (size.ws_row != 0 || size.ws_col != 0) (void)::ioctl(master_.number(), TIOCSWINSZ, &size);
}

bool Relay::Flow::fill(sys::FdRef from) {
  const ssize_t count = ::read(from.number(), data, sizeof data);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  // A master says EIO when nobody has the other side open any more: that is its end of file.
  if (count <= 0) {
    open = false;
    return false;
  }
  begin = 0;
  end = static_cast<std::size_t>(count);
  return true;
}

void Relay::Flow::empty(sys::FdRef to) {
  const ssize_t count = ::write(to.number(), data + begin, std::min(kChunk, end - begin));
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  // Nobody reads it any more: what comes is thrown away, so that the container does not block.
  begin = count < 0 ? end : begin + static_cast<std::size_t>(count);
}

void Relay::prepare(struct pollfd* entries) const {
  const bool may_read_in = in_->open && !in_->holds();
  const bool may_read_master = out_->open && !out_->holds();
  short master_events = 0;
  if (may_read_master) master_events |= POLLIN;
  if (in_->holds()) master_events |= POLLOUT;
  // poll(2) reports a hangup even to those who ask for nothing, so they do not take part.
  entries[kIn] = {may_read_in ? STDIN_FILENO : -1, POLLIN, 0};
  entries[kMaster] = {master_events != 0 ? master_.number() : -1, master_events, 0};
  entries[kOut] = {out_->holds() ? STDOUT_FILENO : -1, POLLOUT, 0};
}

void Relay::act(const struct pollfd* entries) {
  constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
  constexpr short kWritable = POLLOUT | POLLHUP | POLLERR;
  const short master = entries[kMaster].revents;
  if (in_->holds() && (master & kWritable) != 0) in_->empty(master_);
  if ((entries[kIn].revents & (kReadable | POLLNVAL)) != 0) (void)in_->fill(sys::FdRef::of(STDIN_FILENO));
  if (out_->open && !out_->holds() && (master & kReadable) != 0) (void)out_->fill(master_);
  if (out_->holds() && (entries[kOut].revents & (kWritable | POLLNVAL)) != 0)
    out_->empty(sys::FdRef::of(STDOUT_FILENO));
}

void Relay::drain() {
  // No more than a terminal holds (tty_buffer.c): somebody in the container may open it again, and never end.
  constexpr std::size_t kMost = 1 << 20;
  for (std::size_t taken = 0;; taken += out_->end) {
    while (out_->holds()) {
      // The caller may have made it non-blocking.
      struct pollfd writable = {STDOUT_FILENO, POLLOUT, 0};
      (void)::poll(&writable, 1, -1);
      out_->empty(sys::FdRef::of(STDOUT_FILENO));
    }
    if (taken >= kMost || !out_->open || !out_->fill(master_)) return;
  }
}

}  // namespace davit::terminal
