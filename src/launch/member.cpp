// SPDX-License-Identifier: Apache-2.0
// The process around which systemd makes the container's cgroup.
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {

Result<void> start_member(Session& session) {
  auto channel = TRY(sys::packet_pair());
  plan::Plan plan = plan::compile_member(session.facts);
  plan.program.inherit(plan.requests.front().slot, channel.second.number());
  const Spawned spawned = TRY(spawn(plan.program, 0, {}));
  session.member_channel = std::move(channel.first);
  session.member_pid = spawned.pid;
  session.undo.push([&session] { end_member(session); });
  return {};
}

void end_member(Session& session) {
  if (session.member_pid <= 0) return;
  session.member_channel.reset();
  (void)sys::wait_for(std::exchange(session.member_pid, -1));
}

}  // namespace davit::launch
