// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/interruption.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <iterator>
#include <utility>

namespace davit::sys {
namespace {

constexpr int kSignals[] = {SIGHUP, SIGINT, SIGTERM};

// What a handler may look at.
volatile std::sig_atomic_t signal_seen = 0;
volatile std::sig_atomic_t channel_number = -1;
volatile std::sig_atomic_t group_leader = 0;

struct sigaction before[std::size(kSignals)];
sigset_t mask_before;
bool has_changed_mask = false;

extern "C" void end_what_davit_waits_for(int signal) {
  const int saved = errno;
  signal_seen = signal;
  ::shutdown(channel_number, SHUT_RDWR);
  if (group_leader > 0) ::kill(-group_leader, SIGKILL);
  errno = saved;
}

void unblock() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : kSignals) ::sigaddset(&set, signal);
  has_changed_mask = ::sigprocmask(SIG_UNBLOCK, &set, &mask_before) == 0;
}

void restore_mask() {
  if (std::exchange(has_changed_mask, false)) ::sigprocmask(SIG_SETMASK, &mask_before, nullptr);
}

}  // namespace

Interruption::Interruption(FdRef channel, bool despite_mask) {
  channel_number = channel.number();
  struct sigaction action = {};
  action.sa_handler = end_what_davit_waits_for;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], &action, &before[i]);
    if (before[i].sa_handler == SIG_IGN) ::sigaction(kSignals[i], &before[i], nullptr);
  }
  if (despite_mask) unblock();
}

int Interruption::end() {
  if (channel_number < 0) return 0;
  restore_mask();
  for (std::size_t i = 0; i < std::size(kSignals); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
  channel_number = -1;
  const int signal = signal_seen;
  signal_seen = 0;
  return signal;
}

int Interruption::hand_over() {
  restore_mask();
  channel_number = -1;
  return signal_seen;
}

bool Interruption::has_come() {
  return signal_seen != 0;
}

InterruptibleGroup::InterruptibleGroup(pid_t leader) {
  group_leader = leader;
  if (signal_seen != 0) ::kill(-leader, SIGKILL);
}

InterruptibleGroup::~InterruptibleGroup() {
  group_leader = 0;
}

}  // namespace davit::sys
