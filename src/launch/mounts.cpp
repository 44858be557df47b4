// SPDX-License-Identifier: Apache-2.0
// mounts add, mounts remove: a process that enters the container's namespaces, changes its mounts, and ends.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "davit/features/namespaces.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

/// Whoever rules over a mount namespace can take away what a mount forbids there (`ro`, `nosuid`): it must be
/// the user namespace that the container was given. Its init can make a mount namespace in one of its own.
Result<void> check_owner(sys::FdRef mounts, bool joins_user) {
  const namespaces::Owner owner = TRY(namespaces::owner_of(mounts));
  const bool is_known = owner == namespaces::Owner::own || (joins_user && owner == namespaces::Owner::child);
  if (is_known) return {};
  return make_error(Code::wrong_state, "the container's init has gone into a user namespace of its own")
      .advise("there it may do with mounts as it likes, and undo an option such as \"ro\"");
}

/// The root of the container's init. It can make another directory its own by chroot(2): with /proc, a mount
/// to be removed from /sys would be what protects /proc/sys.
Result<sys::UniqueFd> open_root(const MountsRequest& request) {
  sys::UniqueFd root =
      TRY(sys::open("/proc/" + std::to_string(request.container_pid) + "/root", O_PATH | O_DIRECTORY));
  const struct stat found = TRY(sys::stat_of(root));
  const auto made = sys::stat_at(sys::current_directory(), request.rootfs);
  if (made.ok() && made->st_dev == found.st_dev && made->st_ino == found.st_ino) return root;
  return make_error(Code::wrong_state, "the root of the container's init is not " + request.rootfs)
      .advise("either it has changed its root, or davit runs where the container's rootfs is not mounted");
}

Result<void> prepare(Session& session, const MountsRequest& request) {
  session.facts = TRY(host::probe(!request.config.linux.mount_label.empty()));
  auto channel = TRY(make_channel());
  session.channel = std::move(channel.first);
  session.init_channel = std::move(channel.second);
  const std::uint32_t types = TRY(foreign_namespaces(request.config, request.container_pid));
  if ((types & CLONE_NEWNS) == 0)
    return make_error(Code::wrong_state, "the container has no mounts of its own")
        .advise("it was made without a mount namespace: what is mounted on the host is mounted in it");
  const bool joins_user = (types & CLONE_NEWUSER) != 0;
  const sys::UniqueFd mounts = TRY(
      namespaces::open_namespace("/proc/" + std::to_string(request.container_pid) + "/ns/mnt", CLONE_NEWNS));
  TRY(check_owner(mounts, joins_user));
  const sys::UniqueFd root = TRY(open_root(request));
  session.plan =
      TRY(plan::compile_mounts({.config = request.config,
                                .facts = session.facts,
                                .call = call_of(request.id, request.bundle, {}),
                                .join_types = types,
                                .joins_user = joins_user,
                                .mount_namespace = "/proc/self/fd/" + std::to_string(mounts.number()),
                                .root = "/proc/self/fd/" + std::to_string(root.number()),
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
