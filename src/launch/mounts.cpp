// SPDX-License-Identifier: Apache-2.0
// mounts add, mounts remove: a process that enters the container's namespaces, changes its mounts, and ends.
#include <sched.h>

#include "davit/sys/process.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

Result<void> prepare(Session& session, const MountsRequest& request) {
  session.facts = TRY(host::probe(!request.config.linux.mount_label.empty()));
  auto channel = TRY(make_channel());
  session.channel = std::move(channel.first);
  session.init_channel = std::move(channel.second);
  const std::uint32_t types = TRY(foreign_namespaces(request.config, request.container_pid));
  if ((types & CLONE_NEWNS) == 0)
    return make_error(Code::wrong_state, "the container has no mounts of its own")
        .advise("it was made without a mount namespace: what is mounted on the host is mounted in it");
  session.plan = TRY(plan::compile_mounts({.config = request.config,
                                           .facts = session.facts,
                                           .call = call_of(request.id, request.bundle, {}),
                                           .join_types = types,
                                           .joins_user = (types & CLONE_NEWUSER) != 0,
                                           .removes = request.removes}));
  return open_host_resources(session);
}

}  // namespace

Result<void> change_mounts(const MountsRequest& request, std::vector<Error>& warnings) {
  Session session{.subject = {request.config, nullptr, request.id, request.bundle},
                  .container_pid = request.container_pid,
                  .container = request.container};
  TRY(prepare(session, request));
  TRY(check_number_held(request.container, "change the mounts of"));
  TRY(start_init(session));
  auto served = serve(session, program::Point::ready);
  session.channel.reset();  // has it end
  const std::vector<Error>& own = session.plan.warnings;
  warnings.insert(warnings.end(), own.begin(), own.end());
  session.undo.roll_back();
  return served;
}

}  // namespace davit::launch
