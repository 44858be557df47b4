// SPDX-License-Identifier: Apache-2.0
// The terminal: the container's console, handing it to somebody else, or serving it in the foreground.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/sys/fd.hpp"

namespace davit::terminal {

/// Whether process.terminal, a console socket and (not) detaching go together.
Result<void> check(const spec::Process& process, bool detached, bool has_console_socket);
/// open_console with a terminal, own_stdio without. `bind_console` also mounts it on /dev/console (create,
/// with a mount namespace of its own).
void compile(features::Compilation& out, const spec::Process& process, bool bind_console);
/// The terminal becomes that of the process's session; for the process itself, without privileges.
void compile_control(features::Compilation& out, const spec::Process& process);

/// Connects to the AF_UNIX stream socket at `path` and sends one message: the descriptor, with `name` as
/// payload. For --console-socket (the pty master, its name) and --pidfd-socket.
Result<void> send_descriptor(const std::string& path, sys::FdRef descriptor, std::string_view name);

/// Carries bytes between the caller's terminal (or whatever stdin and stdout are) and a pty master.
class Relay {
 public:
  /// Takes the master; puts the caller's terminal, if stdin is one, into raw mode and copies its size.
  static Result<Relay> open(sys::UniqueFd master);
  Relay(Relay&& other) noexcept;
  Relay& operator=(Relay&&) = delete;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  /// Restores the caller's terminal.
  ~Relay();

 private:
  friend class Supervisor;
  Relay() = default;
  void copy_size() const;
  /// Fills three pollfd entries.
  void prepare(struct pollfd* entries) const;
  /// Does what poll found possible in them.
  void act(const struct pollfd* entries);
  /// Passes on what the container wrote last.
  void drain();

  /// One direction, with a buffer that is filled only when it is empty.
  struct Flow {
    char data[16384];
    std::size_t begin = 0;
    std::size_t end = 0;
    bool open = true;  ///< the source may still deliver
    [[nodiscard]] bool holds() const { return begin < end; }
    bool fill(sys::FdRef from);
    void empty(sys::FdRef to);
  };
  sys::UniqueFd master_;
  std::optional<struct termios> saved_;
  std::unique_ptr<Flow> in_, out_;
};

/// Stands between the caller and a process in the foreground: forwards signals, serves the terminal, waits.
class Supervisor {
 public:
  /// Blocks the signals that are to be forwarded, so that none is lost. A child inherits the mask.
  static Result<Supervisor> open();
  /// Until the child `pid` has ended: returns its exit status, or 128 + the signal that killed it. Other
  /// children are reaped on the way.
  Result<int> supervise(pid_t pid, sys::FdRef pidfd, Relay* relay);
  /// How wait(2) has it, after supervise().
  [[nodiscard]] int wait_status() const { return wait_status_; }

 private:
  Supervisor() = default;
  sys::UniqueFd signals_;
  int wait_status_ = 0;
};

}  // namespace davit::terminal
