// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "davit/base/path.hpp"
#include "davit/features/devices.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/host/mountinfo.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/mount.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/rootfs.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

using features::HostRequest;
using features::RequestKind;

/// Whether some mount namespace is bound to a file of the host, as snapd does with those of its programs.
Result<bool> has_bound_namespaces() {
  constexpr std::size_t kManyMounts = 64u << 20;
  const std::string text = TRY(sys::read_file("/proc/self/mountinfo", kManyMounts));
  bool found = false;
  host::each_mount(
      text, [](std::string_view type) { return type == "nsfs"; },
      [&](const host::MountInfo& mount) { found = found || mount.root.starts_with("mnt:"); });
  return found;
}

/// Below the container's root, the symlinks on the way are the container's.
Result<sys::UniqueFd> clone_named(const Subject& subject, const HostRequest& request) {
  const std::string root = clean_path(host_path(subject.config.root.path, subject.bundle));
  const std::string path = clean_path(host_path(request.path, subject.bundle));
  if (root == "/" || !path.starts_with(root + "/"))
    return sys::clone_tree(sys::current_directory(), request.path, request.recursive, !request.no_follow);
  const sys::RootFs tree = TRY(sys::RootFs::open(root));
  const int flags = O_PATH | (request.no_follow ? O_NOFOLLOW : 0);
  const sys::UniqueFd source = TRY(tree.open_at(sys::ContainerPath(path.substr(root.size())), flags));
  return sys::clone_tree(source, "", request.recursive);
}

/// No mount namespace may be mounted in one that is younger, and that holds for a whole tree it is part of
/// (ELOOP). The kernel leaves them out of a copy of a namespace, as it does where init itself copies the
/// tree.
Result<sys::UniqueFd> clone_source(const Subject& subject, const HostRequest& request) {
  auto tree = TRY(clone_named(subject, request));
  if (!request.recursive || !S_ISDIR(TRY(sys::stat_of(tree)).st_mode) || !TRY(has_bound_namespaces()))
    return tree;
  return sys::open_in_copied_namespace([&] { return clone_named(subject, request); });
}

Result<sys::UniqueFd> open_tree(const Subject& subject, const HostRequest& request) {
  auto tree = clone_source(subject, request);
  if (!tree.ok() && tree.error().errno_value == ENOENT) {
    tree.error().message = Text<768>("find ").append(request.path).append(" on the host");
    tree.error().advise("create it, or correct the path in the config");
  }
  if (!tree.ok() && tree.error().errno_value == EMFILE)
    tree.error().advise(
        "in a user namespace davit opens each source: raise the hard limit of descriptors of its caller "
        "(ulimit "
        "-Hn), or give it CAP_SYS_RESOURCE");
  if (!tree.ok() || !request.idmap.wanted) return tree;
  const features::Idmap& idmap = request.idmap;
  const sys::UniqueFd user =
      TRY(idmap.namespace_path.empty()
              ? namespaces::make_idmap_namespace({idmap.uid_mappings, idmap.gid_mappings})
              : namespaces::open_namespace(idmap.namespace_path, CLONE_NEWUSER));
  auto mapped = sys::set_idmap(*tree, user, idmap.recursive);
  if (mapped.ok()) return tree;
  Error error = mapped.error();
  if (error.errno_value == EINVAL)
    error.advise("a filesystem that cannot be idmapped is there, or, with ridmap, below it (see findmnt)");
  return error.wrap("idmapped mount of " + request.path);
}

Result<sys::UniqueFd> open_request(Session& session, const HostRequest& request) {
  const std::string process = "/proc/" + std::to_string(session.container_pid);
  switch (request.kind) {
    case RequestKind::start_listener:
      return sys::listen_at(session.state_directory, "start.sock", SOCK_SEQPACKET);
    case RequestKind::namespace_file:
      return namespaces::open_namespace(request.path, request.namespace_type);
    case RequestKind::tree:
      return open_tree(session.subject, request);
    case RequestKind::device:
      return devices::make_node(*request.device);
    case RequestKind::process_root:
      return sys::open(request.path.empty() ? process + "/root" : request.path, O_PATH | O_DIRECTORY);
    case RequestKind::process_pids:
      return namespaces::open_namespace(process + "/ns/pid", CLONE_NEWPID);
    case RequestKind::channel:
    case RequestKind::cgroup_file:
    case RequestKind::process:
      break;
  }
  return make_error(Code::internal, "unknown host request");
}

/// An error is at the request's place in the config.
Result<sys::UniqueFd> open_placed(Session& session, const HostRequest& request) {
  auto opened = open_request(session, request);
  if (opened.ok()) return opened;
  return spec::at(request.position, opened.error());
}

/// Each bind mount may be a descriptor, davit's and init's, and there may be more of them than the caller's
/// limits allow; with CAP_SYS_RESOURCE not even the hard one binds.
Result<void> make_room(Session& session) {
  constexpr rlim_t kUsual = 128;  // for all else that is open; so much is always there
  constexpr rlim_t kFew = 16;     // for which there is room under any limit that lets davit itself run
  if (session.plan.program.slots <= kFew) return {};
  const rlim_t needed = session.plan.program.slots + kUsual;
  struct rlimit limit = TRY(sys::limit_of(0, RLIMIT_NOFILE));
  if (limit.rlim_cur >= needed) return {};
  session.callers_descriptors = limit;
  if (needed > limit.rlim_max && sys::set_limit(0, RLIMIT_NOFILE, {needed, needed}).ok()) return {};
  limit.rlim_cur = std::min(needed, limit.rlim_max);
  return sys::set_limit(0, RLIMIT_NOFILE, limit);
}

}  // namespace

Result<void> restore_descriptors(Session& session) {
  if (!session.callers_descriptors) return {};
  return sys::set_limit(session.launched.pid, RLIMIT_NOFILE, *session.callers_descriptors);
}

Result<void> open_host_resources(Session& session) {
  TRY(make_room(session));
  for (const HostRequest& request : session.plan.requests) {
    // Some requests need no descriptor of their own: it is open already and outlives the spawn.
    if (request.kind == RequestKind::channel) {
      session.plan.program.inherit(request.slot, session.init_channel.number());
      continue;
    }
    if (request.kind == RequestKind::cgroup_file) {
      session.plan.program.inherit(request.slot, session.entrance.task_files[request.number].number());
      continue;
    }
    if (request.kind == RequestKind::process) {
      session.plan.program.inherit(request.slot, session.container.number());
      continue;
    }
    if (request.is_late) continue;
    sys::UniqueFd opened = TRY(open_placed(session, request));
    session.plan.program.inherit(request.slot, opened.number());
    session.resources.push_back(std::move(opened));
  }
  return {};
}

Result<sys::UniqueFd> open_source(Session& session, program::Slot slot) {
  for (const HostRequest& request : session.plan.requests)
    if (request.is_late && request.slot == slot) return open_placed(session, request);
  return make_error(Code::internal, "init asks for a source that its program does not have");
}

}  // namespace davit::launch
