// SPDX-License-Identifier: Apache-2.0
#include "container/supervise.hpp"

#include <csignal>

#include "davit/base/notice.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

void announce_warnings(Context& context) {
  for (const Error& warning : context.warnings) announce(warning);
  context.warnings.clear();
}

Result<Foreground> Foreground::open() {
  return Foreground(TRY(terminal::Supervisor::open()));
}

Result<int> Foreground::stay(launch::Launched& launched) {
  if (!launched.console_master.valid()) return supervisor_.supervise(launched.pid, launched.pidfd, nullptr);
  terminal::Relay relay = TRY(terminal::Relay::open(std::move(launched.console_master)));
  return supervisor_.supervise(launched.pid, launched.pidfd, &relay);
}

Result<int> Foreground::supervise(launch::Launched& launched) {
  auto status = stay(launched);
  if (!status.ok()) (void)sys::send_signal(launched.pidfd, SIGKILL);
  return status;
}

}  // namespace davit::container
