// SPDX-License-Identifier: Apache-2.0
// exec: another process in a container, always through a stage.
#include <fcntl.h>
#include <sched.h>

#include <cerrno>

#include "davit/base/story.hpp"
#include "davit/features/credentials.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/terminal.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

struct NamespaceFile {
  spec::NamespaceType type;
  const char* name;
};
constexpr NamespaceFile kNamespaceFiles[] = {
    {spec::NamespaceType::user, "user"},     {spec::NamespaceType::mount, "mnt"},
    {spec::NamespaceType::pid, "pid"},       {spec::NamespaceType::network, "net"},
    {spec::NamespaceType::uts, "uts"},       {spec::NamespaceType::ipc, "ipc"},
    {spec::NamespaceType::cgroup, "cgroup"}, {spec::NamespaceType::time, "time"},
};

/// Follows the stage until the process runs its program.
Result<void> follow(Session& session) {
  {
    const story::Span span(story::Actor::davit, "spawn");
    TRY(start_init(session));
  }
  TRY(build_filter(session));
  const story::Span span(story::Actor::davit, "wait ready");
  return serve(session, program::Point::none);
}

/// A pids.limit lets nobody be born in the container's cgroup, but does not keep out who comes from outside.
bool was_refused_by_cgroup(const Session& session, const Error& error) {
  const bool is_born = session.launched.pid > 0 && session.stage_pid < 0;
  return error.errno_value == EAGAIN && !is_born && !session.is_attached &&
         !session.place.directories.empty();
}

/// Who is put into its cgroups only after its birth could be held outside of them by whoever may trace it:
/// with devices, memory and processes that the container is not to have. In a user namespace nobody may, as
/// its memory is that of ours until it executes.
bool may_be_held_outside(const ExecRequest& request) {
  const auto& process = request.config.process;
  const bool has_tracers = request.has_tracers || (process && credentials::may_trace(process->capabilities));
  const auto types = foreign_namespaces(request.config, request.container_pid);
  return has_tracers && !(types.ok() && (*types & CLONE_NEWUSER) != 0);
}

Result<void> prepare(Session& session, const ExecRequest& request) {
  const story::Span span(story::Actor::davit, "prepare");
  session.facts =
      TRY(host::probe(!request.process.apparmor_profile.empty() || !request.process.selinux_label.empty()));
  auto channel = TRY(make_channel());
  session.channel = std::move(channel.first);
  session.init_channel = std::move(channel.second);
  session.entrance = TRY(cgroup::enter(request.place, request.cgroups, request.container_pid));
  for (const std::string& path : resctrl::task_paths(request.resctrl_group))
    session.entrance.task_files.push_back(TRY(sys::open(path, O_WRONLY)));
  session.is_attached = session.is_attached || session.entrance.from_outside;

  const std::uint32_t types = TRY(foreign_namespaces(request.config, request.container_pid));
  const bool own_mounts = (types & CLONE_NEWNS) != 0;
  const std::size_t task_files = session.is_attached ? 0 : session.entrance.task_files.size();
  session.plan = TRY(plan::compile_exec({.config = request.config,
                                         .process = request.process,
                                         .facts = session.facts,
                                         .call = call_of(request.id, request.bundle, request.options),
                                         .task_files = static_cast<std::uint32_t>(task_files),
                                         .is_attached = session.is_attached,
                                         .join_types = types,
                                         .joins_user = (types & CLONE_NEWUSER) != 0,
                                         .enters_root = request.no_pivot || !own_mounts,
                                         .sets_limits = limits::wanted(request.process),
                                         .has_tracers = request.has_tracers,
                                         .trace = request.options.trace}));
  tell_plan(session.plan);
  session.launched.warnings = session.plan.warnings;
  return open_host_resources(session);
}

/// A signal to end that comes before the program runs ends it; one that comes after is for the program.
Result<void> follow_or_stop(Session& session) {
  sys::Interruption interruption(session.channel, true);
  auto followed = follow(session);
  if (!followed.ok() && sys::Interruption::has_come()) {
    if (session.launched.pidfd.valid()) (void)sys::send_signal(session.launched.pidfd, 9);
    session.undo.commit();  // not waiting: in a frozen cgroup it ends with the thaw
    return interrupted_by(interruption.end());
  }
  const int signal = interruption.hand_over();
  if (followed.ok() && signal != 0) (void)sys::send_signal(session.launched.pidfd, signal);
  return followed;
}

Result<void> launch(Session& session, const ExecRequest& request) {
  TRY(prepare(session, request));
  TRY(check_number_held(request.container, "exec in"));
  auto followed = request.options.foreground ? follow_or_stop(session) : follow(session);
  // A caller that asked for the pidfd and does not get it would not look after the process.
  if (followed.ok() && !request.options.pidfd_socket.empty())
    followed = terminal::send_descriptor(request.options.pidfd_socket, session.launched.pidfd, "pidfd");
  if (!followed.ok())
    session.undo.roll_back();
  else
    session.undo.commit();
  return followed;
}

Session begin(const ExecRequest& request, bool is_attached) {
  return {.subject = {request.config, &request.process, request.id, request.bundle},
          .options = request.options,
          .place = request.place,
          .is_attached = is_attached,
          .container_pid = request.container_pid,
          .container = request.container,
          .waits_for_thaw = request.is_paused};
}

}  // namespace

Result<Launched> exec(const ExecRequest& request) {
  // The clone waits for a child that executes; davit must not wait in it for somebody who is frozen.
  Session session = begin(request, request.is_paused);
  auto done = launch(session, request);
  if (done.ok()) return std::move(session.launched);
  if (!was_refused_by_cgroup(session, done.error()) || may_be_held_outside(request)) return done.error();
  Session second = begin(request, true);
  TRY(launch(second, request));
  return std::move(second.launched);
}

Result<std::uint32_t> foreign_namespaces(const spec::Config& config, pid_t pid) {
  std::uint32_t types = 0;
  for (const NamespaceFile& file : kNamespaceFiles) {
    if (!namespaces::has(config, file.type)) continue;
    const std::uint32_t flag = namespaces::clone_flag(file.type);
    if (file.type == spec::NamespaceType::user) {
      const std::string theirs = "/proc/" + std::to_string(pid) + "/ns/user";
      if (TRY(sys::is_same_file(theirs, "/proc/self/ns/user"))) continue;
    }
    types |= flag;
  }
  return types;
}

Result<void> check_number_held(sys::FdRef container, std::string_view doing) {
  auto sent = sys::send_signal(container, 0);
  if (!sent.ok() && sent.error().errno_value == ESRCH)
    return make_error(Code::wrong_state, "cannot " + std::string(doing) + " a stopped container");
  return sent;
}

}  // namespace davit::launch
