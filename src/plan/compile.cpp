// SPDX-License-Identifier: Apache-2.0
// The order in which a container comes to be. The order is security: every line says why it stands where it
// does.
#include <algorithm>

#include "davit/features/credentials.hpp"
#include "davit/features/devices.hpp"
#include "davit/features/hooks.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/lsm.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/scheduling.hpp"
#include "davit/features/sysctl.hpp"
#include "davit/features/terminal.hpp"
#include "davit/spec/state.hpp"
#include "plan/order.hpp"

namespace davit::plan {
namespace {

spec::State state_of(const spec::Config& config, const features::Call& call) {
  spec::State state;
  state.id = call.id;
  state.bundle = call.bundle;
  state.annotations = config.annotations;
  return state;
}

bool has_runtime_hooks(const spec::Config& config) {
  return !config.hooks.prestart.empty() || !config.hooks.create_runtime.empty();
}

rootfs::CgroupDirectories directories_of(const cgroup::Place& place) {
  rootfs::CgroupDirectories paths;
  for (const cgroup::Directory& directory : place.directories)
    paths.push_back(directory.path + place.unit.subgroup);
  return paths;
}

/// Whether init has to be under its filter before it waits for its start, as with runc: others who see it
/// might make use of the CAP_SYS_ADMIN that loading the filter takes.
bool waits_filtered(const spec::Config& config, const spec::Process& process, const Filter& filter) {
  return namespaces::shares_pids(config) && needs_admin(process, filter) && !has_listener(filter);
}

/// Whether init becomes visible to others in its pid namespace as late as an exec does (CVE-2016-9962): what
/// is done before must not need to be in there. A listener is sent by a thread, which nobody can have who has
/// joined a pid namespace; a procfs is that of its mounter's pid namespace, if the kernel knows no better.
bool is_born_late(const Input& input) {
  const spec::Config& config = input.config;
  const bool has_listener = config.linux.seccomp && seccomp::has_listener(*config.linux.seccomp);
  return input.mounts_foreign_procfs && namespaces::shares_pids(config) && config.process && !has_listener &&
         namespaces::makes(config, spec::NamespaceType::mount);
}

/// The same mounts, with the procfs of the pid namespace that is joined: by a host path, which is still
/// there.
spec::Config with_foreign_procfs(const spec::Config& config) {
  spec::Config changed = config;
  const std::string& path = config.linux.find_namespace(spec::NamespaceType::pid)->path;
  const auto is_old = [](const std::string& option) {
    return option == "bind" || option == "rbind" || option == "remount";
  };
  for (spec::Mount& mount : changed.mounts)
    if (mount.type == "proc" && std::none_of(mount.options.begin(), mount.options.end(), is_old))
      mount.options.push_back("pidns=" + path);
  return changed;
}

/// The rootfs and everything in it; before the pivot, while the host's tree is still reachable for bind
/// sources.
Result<rootfs::Sealing> compile_tree(features::Compilation& out, const Input& input) {
  const spec::Config& config = input.config;
  const std::optional<spec::Config> changed =
      is_born_late(input) ? std::optional(with_foreign_procfs(config)) : std::nullopt;
  rootfs::Sealing sealing = TRY(rootfs::compile_tree(out, changed ? *changed : config,
                                                     directories_of(input.place), rootfs::host_queries()));
  // into the /dev that was just mounted
  TRY(devices::compile(out, config, devices::host_has_kcore(), devices::host_has));
  TRY(sysctl::compile(out, config));        // before /proc/sys becomes read-only
  TRY(rootfs::compile_masks(out, config));  // by the host's own /dev/null, which the pivot takes away
  return sealing;
}

/// Now, or by davit once it has a number, where fork(2) would lose it.
Result<void> compile_scheduler(features::Compilation& out, const spec::Config& config,
                               const spec::Process& process, bool is_forked, Plan& plan) {
  if (!is_forked || !scheduling::is_lost_by_fork(process))
    return scheduling::compile_scheduler(out, config, process);
  plan.scheduler = TRY(scheduling::scheduler_of(config, process));
  return {};
}

/// Everything of the process up to "ready".
Result<void> compile_process(features::Compilation& out, const Input& input, const Filter& filter,
                             Plan& plan) {
  const spec::Config& config = input.config;
  const spec::Process& process = *config.process;
  TRY(lsm::compile_labels(out, process));  // needs the trusted procfs, and privileges for SELinux
  TRY(compile_scheduler(out, config, process, is_born_late(input),
                        plan));  // while CAP_SYS_NICE is still there
  TRY(compile_identity(out, config, process, needs_admin(process, filter)));
  compile_search(out, process);
  if (has_listener(filter) || waits_filtered(config, process, filter)) compile_filter(out, process, filter);
  return {};
}

/// The fork that makes init visible, with nothing left that its program will not have.
void compile_late_birth(features::Compilation& out, const spec::Process& process, Plan& plan) {
  if (!takes_limits_as_root(process)) compile_sweep(out);
  plan.awaits_owner = process.terminal || plan.scheduler;
  program::ForkInit fork;
  fork.awaits_owner = plan.awaits_owner ? 1 : 0;
  out.builder.emit(fork);
  out.builder.emit(program::NewSession{});
  terminal::compile_control(out, process);
  if (takes_limits_as_root(process)) limits::compile_held_back(out, process);
}

/// What init does once it may run the program.
void compile_started(features::Compilation& out, const spec::Config& config, const spec::Process& process,
                     const spec::State& state, const Filter& filter) {
  const Filter rest = waits_filtered(config, process, filter) ? Filter() : filter;
  compile_start_hooks(out, config, process, state, rest);
  compile_execute(out, process, rest);
}

/// Where init will listen for its start; none if davit stays and tells it through the channel.
program::Slot request_listener(features::Compilation& out, const Input& input) {
  if (!input.start_by_socket) return program::kNoSlot;
  out.lasting.push_back(out.request({.kind = features::RequestKind::start_listener}));
  return out.lasting.back();
}

Result<void> compile_start(features::Compilation& out, const Input& input, const spec::Process& process,
                           const Filter& filter, program::Slot listener) {
  // A container that waits for its start must not hold the host's mounts, and execve would still find what
  // args say of /proc/self/fd (CVE-2024-21626).
  compile_sweep(out);
  tell(out, program::Point::ready);
  if (input.start_by_socket) {
    await(out, program::Point::created);  // from here on init outlives davit
    program::WaitStart wait;
    wait.listener = listener;
    out.builder.emit(wait);
  } else {
    await(out, program::Point::start);
  }
  compile_started(out, input.config, process, state_of(input.config, input.call), filter);
  return {};
}

/// Whether the process has to be under its filter before the container sees it: somebody in there may trace
/// it, and then make it do what the profile refuses, or with the CAP_SYS_ADMIN that loading the filter takes.
/// Its profile then has to allow what is done between the fork and execve.
bool forks_filtered(const ExecInput& input, const Filter& filter) {
  if (filter.profile == nullptr) return false;
  // A listener is sent by a thread, and nobody gets one after setns(2) to a pid namespace: joining it so late
  // takes the CAP_SYS_ADMIN that is lent without no_new_privs. With it, the filter alone is at stake.
  if (has_listener(filter) && !needs_admin(input.process, filter)) return false;
  const auto& container =
      input.config.process ? input.config.process->capabilities : input.process.capabilities;
  return input.has_tracers || credentials::may_trace(container) || namespaces::shares_pids(input.config);
}

/// The pid namespace, where it is joined only when the stage loads its filter.
program::Slot request_late_pids(features::Compilation& out, const ExecInput& input) {
  const Filter filter = filter_of(input.config);
  if (!has_listener(filter) || (input.join_types & CLONE_NEWPID) == 0) return program::kNoSlot;
  out.lasting.push_back(out.request({.kind = features::RequestKind::process_pids}));
  return out.lasting.back();
}

/// The namespaces of the container's init at once, without some types, as its root. The input is that of exec
/// or of mounts.
template <typename Input>
void compile_join(features::Compilation& out, const Input& input, std::uint32_t without) {
  const std::uint32_t types = input.join_types & ~without;
  if (types == 0) return;
  program::JoinProcess join;
  join.pidfd = out.request({.kind = features::RequestKind::process});
  join.types = types;
  out.builder.emit(join);
  if (input.joins_user) out.builder.emit(namespaces::namespace_root(input.config));
}

/// Into a mount namespace that was looked at: init may be in another one by now.
void compile_join_mounts(features::Compilation& out, const std::string& path) {
  const program::NamespaceRef reference{
      .slot = out.request(
          {.kind = features::RequestKind::namespace_file, .path = path, .namespace_type = CLONE_NEWNS}),
      .type = CLONE_NEWNS};
  program::JoinNamespaces join;
  join.namespaces = out.builder.list(std::span<const program::NamespaceRef>(&reference, 1));
  out.builder.emit(join);
}

/// The way of an exec into the container's namespaces and below its root.
void compile_entry(features::Compilation& out, const ExecInput& input, std::uint32_t without) {
  if (!input.enters_root) return compile_join(out, input, without);
  // Opened before the namespaces are joined, used right after.
  const program::Slot root = out.request({.kind = features::RequestKind::process_root});
  compile_join(out, input, without);
  program::EnterRoot enter;
  enter.directory = root;
  out.builder.emit(enter);
}

/// What only the process of an exec itself can do, and without any privilege.
Result<void> compile_newborn(features::Compilation& out, const ExecInput& input) {
  const spec::Process& process = input.process;
  if (input.is_attached) {  // nothing more happens outside of its limits than this birth
    out.meet(program::Point::attached);
    TRY(scheduling::compile_final_affinity(out, process));
  }
  out.builder.emit(program::NewSession{});
  terminal::compile_control(out, process);
  if (!input.sets_limits) return {};
  if (takes_limits_as_root(process)) {
    limits::compile_held_back(out, process);
  } else {
    out.meet(program::Point::limits);
  }
  return {};
}

}  // namespace

Result<Plan> compile_container(const Input& input) {
  const spec::Config& config = input.config;
  features::Compilation out(input.facts, input.call);
  const namespaces::Plan spaces = namespaces::plan(config, is_born_late(input));
  Plan plan;
  plan.staged = spaces.stage;
  plan.clone_flags = spaces.clone_flags;
  plan.runs_runtime_hooks = has_runtime_hooks(config);
  plan.awaits_filter = config.process && config.linux.seccomp;
  out.builder.set_trace(input.trace);
  out.builder.set_channel(out.request({.kind = features::RequestKind::channel}));

  if (input.is_attached) {  // limits first: all that follows counts
    out.meet(program::Point::attached);
  }
  compile_attach(out, input.task_paths);
  scheduling::compile_all_processors(out);  // those of the cgroup we are in by now
  rootfs::compile_place(out, config);  // a user namespace may not search the directories above the bundle
  TRY(namespaces::compile_stage(out, config, spaces));  // ids are mapped before anything is done with them
  out.builder.emit(program::NewSession{});
  TRY(namespaces::compile_keyring(out));
  TRY(namespaces::compile_cgroup_namespace(out, config));  // its root is the cgroup we are in by now
  TRY(namespaces::compile_network(out, config));
  if (!config.linux.net_devices.empty()) {  // before the settings of net.* that are about them
    out.meet(program::Point::network);
  }
  const rootfs::Sealing sealing = TRY(compile_tree(out, input));
  if (plan.runs_runtime_hooks) {  // they may still change the mount namespace
    out.meet(program::Point::mounts);
  }
  hooks::compile(out, config.hooks, hooks::Kind::create_container, state_of(config, input.call),
                 hooks::own_environment(config.hooks.create_container), {});  // host paths, our namespaces
  TRY(rootfs::compile_pivot(out, config));                                    // no host path works after this
  if (config.process) {
    terminal::compile(out, *config.process, namespaces::makes(config, spec::NamespaceType::mount));
    if (!spaces.forks_late) terminal::compile_control(out, *config.process);
    // A missing one is made while that can still be done.
    compile_directory(out, *config.process, Entering::made_where_missing);
  }
  TRY(rootfs::compile_seal(out, config, sealing));  // read-only once everything is in its place
  TRY(namespaces::compile_names(out, config));
  const program::Slot listener = request_listener(out, input);
  if (config.process) {
    const Filter filter = compile_filter_source(out, config);
    plan.sets_limits = takes_limits_as_root(*config.process);
    TRY(compile_process(out, input, filter, plan));
    if (spaces.forks_late) compile_late_birth(out, *config.process, plan);
    TRY(compile_start(out, input, *config.process, filter, listener));
  } else {
    spec::Process nothing;
    TRY(compile_start(out, input, nothing, {}, listener));
  }
  finish(out, plan);
  return plan;
}

Plan compile_member(const host::Facts& facts) {
  features::Compilation out(facts, {});
  out.builder.set_channel(out.request({.kind = features::RequestKind::channel}));
  await(out, program::Point::created);
  Plan plan;
  finish(out, plan);
  return plan;
}

Plan compile_after_start(const spec::Config& config, const features::Call& call) {
  const host::Facts unknown;
  features::Compilation out(unknown, call);
  out.builder.emit(program::WaitStart{});
  const Filter filter = filter_of(config);
  const spec::Process nothing;
  compile_started(out, config, config.process ? *config.process : nothing, state_of(config, call), filter);
  Plan plan;
  finish(out, plan);
  return plan;
}

Result<Plan> compile_exec(const ExecInput& input) {
  features::Compilation out(input.facts, input.call);
  const spec::Process& process = input.process;
  Plan plan;
  plan.staged = true;  // a process in the container must never have davit as its executable
  plan.awaits_filter = input.config.linux.seccomp.has_value();
  plan.sets_limits = input.sets_limits;
  out.builder.set_trace(input.trace);
  out.builder.set_channel(out.request({.kind = features::RequestKind::channel}));

  TRY(scheduling::compile_initial_affinity(out, process));
  compile_attach(out, input.task_files);
  if (!input.is_attached) TRY(scheduling::compile_final_affinity(out, process));
  TRY(lsm::compile_labels(out, process));  // in a procfs of the host; fork(2) hands them on
  const bool is_filtered = forks_filtered(input, filter_of(input.config));
  const program::Slot pids = is_filtered ? request_late_pids(out, input) : program::kNoSlot;
  compile_entry(out, input, pids != program::kNoSlot ? CLONE_NEWPID : 0);
  TRY(namespaces::compile_keyring(out));
  terminal::compile(out, process, false);  // opened and given away by root
  Filter filter = compile_filter_source(out, input.config);
  filter.pid_namespace = pids;
  compile_directory(out, process, Entering::as_root);
  TRY(compile_scheduler(out, input.config, process, true, plan));
  TRY(compile_identity(out, input.config, process, needs_admin(process, filter)));
  if (!takes_limits_as_root(process)) compile_sweep(out);
  if (is_filtered) {
    compile_search(out, process);
    compile_filter(out, process, filter);
  }
  out.builder.emit(program::NewSession{});  // not even by /dev/tty is the caller's terminal to be had
  // From here on the container sees the process, and may trace it where it has CAP_SYS_PTRACE: it is no more
  // than what it will be (CVE-2016-9962), and holds nothing of the host's but the channel.
  plan.awaits_owner = process.terminal || plan.scheduler || (is_filtered && has_listener(filter));
  program::ForkInit fork;
  fork.awaits_owner = plan.awaits_owner ? 1 : 0;
  out.builder.emit(fork);
  TRY(compile_newborn(out, input));
  if (!is_filtered) compile_search(out, process);
  if (!is_filtered && has_listener(filter)) compile_filter(out, process, filter);
  compile_execute(out, process, is_filtered ? Filter() : filter);
  finish(out, plan);
  return plan;
}

Result<Plan> compile_mounts(const MountsInput& input) {
  features::Compilation out(input.facts, input.call);
  out.builder.set_channel(out.request({.kind = features::RequestKind::channel}));
  // Not "/" of the namespace: a container without pivot_root has its root elsewhere.
  out.root = out.request({.kind = features::RequestKind::process_root, .path = input.root});
  compile_join(out, input, CLONE_NEWPID | CLONE_NEWNS);
  compile_join_mounts(out, input.mount_namespace);
  if (input.removes)
    TRY(rootfs::compile_removals(out, input.config));
  else
    TRY(rootfs::compile_additions(out, input.config, rootfs::host_queries()));
  tell(out, program::Point::ready);
  await(out, program::Point::created);  // the end of the channel is its end
  Plan plan;
  finish(out, plan);
  return plan;
}

}  // namespace davit::plan
