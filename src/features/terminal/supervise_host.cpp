// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "davit/features/terminal.hpp"
#include "davit/sys/process.hpp"

namespace davit::terminal {
namespace {

/// Signals that say something about davit itself and not about the container; the others are passed on.
constexpr int kOwnSignals[] = {SIGKILL, SIGSTOP, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                               SIGFPE,  SIGSEGV, SIGSYS, SIGTTIN, SIGTTOU, SIGURG};

bool is_forwarded(int signal) {
  return signal != SIGCHLD && signal != SIGPIPE && signal != SIGWINCH;
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Reaps every child that has ended; the status of `pid`, if it is among them.
std::optional<int> reap(pid_t pid) {
  std::optional<int> found;
  int status = 0;
  for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG | __WALL)) > 0;)
    if (ended == pid) found = status;
  return found;
}

void take_signals(sys::FdRef signals, sys::FdRef pidfd, const Relay* relay, void (*resize)(const Relay&)) {
  struct signalfd_siginfo info[8];
  const ssize_t count = ::read(signals.number(), info, sizeof info);
  for (ssize_t i = 0; i * static_cast<ssize_t>(sizeof info[0]) < count; ++i) {
    const int signal = static_cast<int>(info[i].ssi_signo);
    if (signal == SIGWINCH && relay != nullptr) resize(*relay);
    // It may have ended meanwhile; then the loop is about to learn of it.
    if (is_forwarded(signal)) (void)sys::send_signal(pidfd, signal);
  }
}

}  // namespace

Result<Supervisor> Supervisor::open() {
  Supervisor supervisor;
  sigset_t set;
  sigfillset(&set);
  for (const int signal : kOwnSignals) sigdelset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return system_error(errno, "block signals");
  const int number = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (number < 0) return system_error(errno, "signalfd");
  supervisor.signals_ = sys::UniqueFd::adopt(number);
  return supervisor;
}

Result<int> Supervisor::supervise(pid_t pid, sys::FdRef pidfd, Relay* relay) {
  constexpr int kSignals = 0;
  constexpr int kProcess = 1;
  constexpr int kRelay = 2;
  struct pollfd entries[kRelay + 3] = {{signals_.number(), POLLIN, 0}, {pidfd.number(), POLLIN, 0}};
  const nfds_t count = relay != nullptr ? kRelay + 3 : kRelay;
  for (;;) {
    if (relay != nullptr) relay->prepare(entries + kRelay);
    if (::poll(entries, count, -1) < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "poll");
    }
    if (relay != nullptr) relay->act(entries + kRelay);
    if (entries[kSignals].revents != 0)
      take_signals(signals_, pidfd, relay, [](const Relay& at) { at.copy_size(); });
    std::optional<int> status = entries[kSignals].revents != 0 ? reap(pid) : std::nullopt;
    if (!status && entries[kProcess].revents == 0) continue;
    if (!status) status = TRY(sys::wait_for(pid));
    if (relay != nullptr) relay->drain();
    wait_status_ = *status;
    return exit_status(*status);
  }
}

}  // namespace davit::terminal
