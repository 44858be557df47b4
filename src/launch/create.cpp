// SPDX-License-Identifier: Apache-2.0
// create and run: the parent's steps, as a table.
#include <cerrno>
#include <csignal>

#include "davit/base/story.hpp"
#include "davit/features/hooks.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/terminal.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

/// A create on its way: the session, who asked for it, and where it is put on record.
struct Creation {
  Session session;
  const CreateRequest& request;
  Recorder& recorder;
};

/// What davit found on the host, for those who want to know why it does what it does.
void tell_facts(const host::Facts& facts, const cgroup::Place& place) {
  if (!story::is_listening()) return;
  constexpr const char* kModes[] = {"v1", "v2", "v1 and v2"};
  constexpr const char* kManagers[] = {"cgroupfs", "disabled", "systemd"};
  const auto tell = [](const char* what, const std::string& found) {
    story::tell(story::Actor::davit, what, found);
  };
  tell("privileges", facts.privileged ? "those of root" : "those of a user");
  tell("cgroups", std::string(kModes[static_cast<std::size_t>(facts.cgroup.mode)]) + ", made by " +
                      kManagers[static_cast<std::size_t>(place.manager)]);
  for (const cgroup::Directory& directory : place.directories) tell("cgroup", directory.path);
  tell("last capability", std::to_string(facts.last_capability));
}

Result<void> choose_resctrl_group(Creation& creation) {
  const std::optional<spec::IntelRdt>& wanted = creation.request.config.linux.intel_rdt;
  if (!wanted) return {};
  creation.session.resctrl_group = TRY(resctrl::choose_on_host(*wanted, creation.request.id));
  return {};
}

Result<void> look_at_host(Creation& creation) {
  const CreateRequest& request = creation.request;
  const bool labels = request.config.process && (!request.config.process->apparmor_profile.empty() ||
                                                 !request.config.process->selinux_label.empty());
  creation.session.facts = TRY(host::probe(labels || !request.config.linux.mount_label.empty()));
  creation.session.place =
      TRY(cgroup::choose(request.config, request.id, creation.session.facts.cgroup, request.cgroup_manager));
  tell_facts(creation.session.facts, creation.session.place);
  if (request.patience) creation.session.place.unit.patience = *request.patience;
  TRY(choose_resctrl_group(creation));
  // A container without cgroups of its own may see ours, and no more.
  if (request.cgroup_manager == cgroup::Manager::disabled)
    return host::load_own_paths(creation.session.facts.cgroup);
  return {};
}

Result<void> reserve_state(Creation& creation) {
  return creation.recorder.creating(creation.session.place, creation.session.resctrl_group);
}

/// systemd takes its time, and makes the cgroup around a process; which is not init, so that init can be born
/// in it.
Result<void> make_unit(Creation& creation) {
  Session& session = creation.session;
  if (session.place.manager != cgroup::Manager::systemd) return {};
  if (cgroup::needs_member(session.place)) TRY(start_member(session));
  const cgroup::Place expected = session.place;
  TRY(cgroup::make_unit(session.place, creation.request.config, creation.request.id, session.member_pid,
                        session.undo));
  const bool is_elsewhere = !expected.directories.empty() &&
                            expected.directories.back().path != session.place.directories.back().path;
  return is_elsewhere ? creation.recorder.creating(session.place, session.resctrl_group) : Result<void>();
}

Result<void> prepare_cgroup(Creation& creation) {
  Session& session = creation.session;
  session.entrance = TRY(cgroup::prepare(session.place, creation.request.config, session.undo));
  const cgroup::Entrance& entrance = session.entrance;
  session.is_attached = entrance.from_outside;
  const std::size_t made = entrance.task_paths.size() + (entrance.v2_directory.valid() ? 1 : 0);
  // A user who may not make all of them leaves the container in ours, and that is what it sees.
  return made < session.place.directories.size() ? host::load_own_paths(session.facts.cgroup)
                                                 : Result<void>();
}

/// Joined like one more cgroup of v1.
Result<void> prepare_resctrl_group(Creation& creation) {
  Session& session = creation.session;
  const std::optional<spec::IntelRdt>& wanted = creation.request.config.linux.intel_rdt;
  if (!wanted) return {};
  TRY(resctrl::prepare(resctrl::host_tree(), session.resctrl_group, *wanted, session.undo));
  for (std::string& path : resctrl::task_paths(session.resctrl_group))
    session.entrance.task_paths.push_back(std::move(path));
  return {};
}

/// Asked only where it matters.
bool mounts_foreign_procfs(const spec::Config& config) {
  return namespaces::shares_pids(config) &&
         namespaces::can_mount_procfs_of(config.linux.find_namespace(spec::NamespaceType::pid)->path);
}

Result<void> compile(Creation& creation) {
  Session& session = creation.session;
  const CreateRequest& request = creation.request;
  session.plan = TRY(plan::compile_container({.config = request.config,
                                              .facts = session.facts,
                                              .call = call_of(request.id, request.bundle, request.options),
                                              .place = session.place,
                                              .is_attached = session.is_attached,
                                              .task_paths = session.entrance.task_paths,
                                              .start_by_socket = request.start_by_socket,
                                              .mounts_foreign_procfs = mounts_foreign_procfs(request.config),
                                              .trace = request.options.trace}));
  tell_plan(session.plan);
  session.launched.warnings = session.plan.warnings;
  return {};
}

Result<void> open_resources(Creation& creation) {
  return open_host_resources(creation.session);
}
Result<void> spawn_init(Creation& creation) {
  return start_init(creation.session);
}

/// Overlaps with what init does to the mounts, as the next one does.
Result<void> load_devices(Creation& creation) {
  Session& session = creation.session;
  cgroup::load_devices(session.place, creation.request.config.linux.resources, session.entrance);
  return {};
}

Result<void> build_seccomp(Creation& creation) {
  return build_filter(creation.session);
}

/// Init's mounts, which may be of block devices that the container itself must not open.
Result<void> wait_mounts(Creation& creation) {
  Session& session = creation.session;
  return serve(session, session.plan.runs_runtime_hooks ? program::Point::mounts : program::Point::ready);
}

/// While init waits: v1 takes one rule after the other, and whatever opened a device meanwhile would be
/// refused. Before the hooks, which may add to them.
Result<void> restrict_devices(Creation& creation) {
  const Session& session = creation.session;
  return cgroup::restrict_devices(session.place, creation.request.config.linux.resources, session.entrance);
}

Result<void> run_runtime_hooks(Creation& creation) {
  Session& session = creation.session;
  if (!session.plan.runs_runtime_hooks) return {};
  TRY(hooks::run_runtime_hooks(creation.request.config.hooks,
                               state_of(session.subject, session.launched.pid)));
  TRY(tell(session.channel, program::Point::mounts));
  return serve(session, program::Point::ready);
}

Result<void> leave_member(Creation& creation) {
  end_member(creation.session);
  return {};
}

Result<void> set_limits(Creation& creation) {
  const Session& session = creation.session;
  const spec::Config& config = creation.request.config;
  TRY(cgroup::apply_after_birth(session.place, config.linux.resources));
  TRY(cgroup::delegate(session.place, config, session.launched.pid));
  if (session.plan.sets_limits) return {};
  TRY(restore_descriptors(creation.session));
  if (session.subject.process == nullptr) return {};
  return limits::apply(session.launched.pid, *session.subject.process, !session.facts.privileged);
}

Result<void> hand_over_pidfd(Creation& creation) {
  const Session& session = creation.session;
  if (session.options.pidfd_socket.empty()) return {};
  return terminal::send_descriptor(session.options.pidfd_socket, session.launched.pidfd, "pidfd");
}

Result<void> record_created(Creation& creation) {
  TRY(creation.recorder.created(creation.session.launched.pid, creation.session.launched.pidfd));
  // Whoever starts it through the channel says "start" at once.
  if (!creation.request.start_by_socket) return {};
  return tell(creation.session.channel, program::Point::created);
}

struct Step {
  const char* name;
  Result<void> (*run)(Creation&);
};

/// In this order. Each step that makes something pushes its undo right after.
constexpr Step kSteps[] = {
    {"look at the host", look_at_host},
    {"reserve state", reserve_state},
    {"make unit", make_unit},
    {"prepare cgroup", prepare_cgroup},
    {"prepare resctrl group", prepare_resctrl_group},
    {"compile", compile},
    {"open host resources", open_resources},
    {"spawn", spawn_init},
    {"load device rules", load_devices},
    {"build seccomp filter", build_seccomp},
    {"wait for mounts", wait_mounts},
    {"restrict devices", restrict_devices},
    {"run runtime hooks", run_runtime_hooks},
    {"leave member", leave_member},
    {"set limits", set_limits},
    {"hand over pidfd", hand_over_pidfd},
    {"record created", record_created},
};

Result<void> run_steps(Creation& creation) {
  for (const Step& step : kSteps) {
    auto done = [&] {
      const story::Span span(story::Actor::davit, step.name);
      return step.run(creation);
    }();
    if (done.ok()) continue;
    if (done.error().step.empty()) done.error().step.append(step.name);
    return done;
  }
  return {};
}

/// A signal to end is a failure like others: all that was made is taken back.
Result<void> run_steps_or_stop(Creation& creation) {
  sys::Interruption interruption(creation.session.channel);
  auto done = run_steps(creation);
  const int signal = creation.request.options.foreground ? interruption.hand_over() : interruption.end();
  return signal == 0 ? done : Result<void>(interrupted_by(signal));
}

}  // namespace

Result<Launched> create(const CreateRequest& request, Recorder& recorder) {
  const spec::Process* process = request.config.process ? &*request.config.process : nullptr;
  Creation creation{
      {.subject = {request.config, process, request.id, request.bundle}, .options = request.options},
      request,
      recorder};
  Session& session = creation.session;
  auto channel = TRY(make_channel());
  session.channel = std::move(channel.first);
  session.init_channel = std::move(channel.second);
  session.state_directory = recorder.directory();
  auto done = run_steps_or_stop(creation);
  if (!done.ok()) {
    const pid_t pid = session.launched.pid;
    session.undo.roll_back();
    // runtime.md, lifecycle steps 3 to 7: a failed hook leads to the end of the container, poststop included;
    // and whatever failed after the others, what they made has to be taken back.
    if (pid > 0)
      (void)hooks::run_all(request.config.hooks, hooks::Kind::poststop, state_of(session.subject, pid));
    return done.error();
  }
  session.undo.commit();
  session.launched.channel = std::move(session.channel);
  return std::move(session.launched);
}

}  // namespace davit::launch
