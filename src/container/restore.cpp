// SPDX-License-Identifier: Apache-2.0
// restore: CRIU, which davit puts into the container's cgroup, makes the processes; davit does the rest.
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "container/afterwards.hpp"
#include "container/images.hpp"
#include "container/make.hpp"
#include "container/mountpoints.hpp"
#include "container/neighbours.hpp"
#include "container/open.hpp"
#include "container/remove.hpp"
#include "davit/base/story.hpp"
#include "davit/container/checkpoint.hpp"
#include "davit/container/id.hpp"
#include "davit/criu/worker.hpp"
#include "davit/features/hooks.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/network.hpp"
#include "davit/features/resctrl.hpp"
#include "davit/features/terminal.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"

namespace davit::container {

namespace {

constexpr const char* kLog = "restore.log";
constexpr int kDeathTimeout = 10'000;  // milliseconds
constexpr std::size_t kMaximumDescriptors = 64 << 10;
constexpr std::size_t kMaximumMounts = 16 << 20;

/// A restore on its way.
struct Restoration {
  Context& context;
  const RestoreCall& call;
  std::uint32_t preserved;  ///< of --preserve-fds alone
  Images images;
  Made made;
  host::Facts facts;
  cgroup::Entrance entrance;
  std::vector<sys::UniqueFd> descriptors;  ///< that CRIU inherits
  std::vector<sys::FdRef> preserved_descriptors;
  std::vector<criu::ExternalMount> unforeseen;
  criu::RestoreFacts told;
  sys::UniqueFd channel;
  sys::UniqueFd channel_end;  ///< CRIU's
  std::optional<criu::Worker> worker;
  Undo undo;
};

spec::State state_of(const Restoration& restoration, pid_t pid) {
  const Record& record = restoration.made.record;
  spec::State state;
  state.id = record.id;
  state.pid = pid;
  state.bundle = record.bundle;
  state.annotations = record.annotations;
  return state;
}

Result<std::vector<criu::ExternalMount>> unforeseen_mounts(const Images& images) {
  auto text = sys::read_file_at(images.directory, criu::kMountsFile, kMaximumMounts);
  if (text.ok()) return criu::parse_mounts(std::move(*text));
  // Other runtimes write none.
  if (text.error().errno_value == ENOENT) return std::vector<criu::ExternalMount>();
  return text.error();
}

/// What the image says of the container as it was; before anything is made.
Result<void> read_images(Restoration& restoration) {
  auto text = sys::read_file_at(restoration.images.directory, criu::kDescriptorsFile, kMaximumDescriptors);
  if (!text.ok()) {
    text.error().wrap(restoration.call.choices.image_path + " holds no checkpoint of a container");
    return text.error();
  }
  std::vector<std::string> names = TRY(criu::parse_descriptors(std::move(*text)));
  restoration.told.inherited = TRY(criu::inherited_descriptors(names, restoration.preserved));
  for (std::uint32_t i = 0; i < restoration.preserved; ++i)
    restoration.preserved_descriptors.push_back(sys::FdRef::of(STDERR_FILENO + 1 + static_cast<int>(i)));
  names.resize(std::min<std::size_t>(names.size(), STDERR_FILENO + 1 + restoration.preserved));
  // The next checkpoint finds our pipes in the place of those.
  for (std::string& name : names)
    for (const criu::Inherited& inherited : restoration.told.inherited)
      if (inherited.key == name) {
        name = sys::read_link("/proc/self/fd/" + std::to_string(inherited.number)).value_or({});
        break;
      }
  restoration.made.record.descriptors = std::move(names);
  restoration.unforeseen = TRY(unforeseen_mounts(restoration.images));
  return {};
}

Result<void> reserve_state(Restoration& restoration) {
  Made& made = restoration.made;
  if (const std::optional<spec::IntelRdt>& wanted = made.bundle.config.linux.intel_rdt)
    made.record.resctrl_group = TRY(resctrl::choose_on_host(*wanted, made.record.id));
  restoration.facts = TRY(host::probe(false));
  made.record.cgroup = TRY(cgroup::choose(made.bundle.config, made.record.id, restoration.facts.cgroup,
                                          restoration.context.cgroup_manager));
  if (restoration.context.patience) made.record.cgroup.unit.patience = *restoration.context.patience;
  TRY(made.entry.write_config(made.bundle.text));
  TRY(warn_neighbours(restoration.context.store, made.bundle.config));
  // What an exec has brought into the container before its checkpoint may have more capabilities than its
  // config gives, and no image tells.
  TRY(made.entry.note_tracer());
  return made.entry.write(made.record);
}

std::vector<criu::CgroupSource> cgroup_sources(const cgroup::Place& place) {
  std::vector<criu::CgroupSource> sources;
  for (const cgroup::Directory& directory : place.directories) {
    const std::string name = directory.mount_point.substr(directory.mount_point.rfind('/') + 1);
    sources.push_back({place.mode == host::CgroupMode::v2 ? std::string() : name, directory.path});
  }
  return sources;
}

/// Everything that the images need to find again.
Result<void> prepare_tree(Restoration& restoration) {
  const Made& made = restoration.made;
  spec::Config config = made.bundle.config;
  TRY(resolve_sources(config, made.record.rootfs, made.bundle.path));
  TRY(make_mountpoints(config, made.record.rootfs, made.bundle.path));
  // CRIU wants its root to be a mount point; in a mount namespace of CRIU's own the state directory is there
  // for that, and nobody has to take anything back.
  restoration.told.root = TRY(sys::real_path(restoration.context.store.root() + "/" + made.record.id));
  restoration.told.mounts = criu::restored_mounts(config, made.bundle.path,
                                                  cgroup_sources(made.record.cgroup), restoration.unforeseen);
  for (const criu::ExternalMount& mount : restoration.told.mounts)
    for (const criu::ExternalMount& unforeseen : restoration.unforeseen)
      if (mount.key == unforeseen.key) TRY(check_straight(config, made.bundle.path, mount.value));
  return {};
}

Result<void> prepare_namespaces(Restoration& restoration) {
  const spec::Config& config = restoration.made.bundle.config;
  restoration.told.namespaces = TRY(criu::joined_namespaces(config));
  for (const spec::Namespace& entry : config.linux.namespaces) {
    const bool is_network = entry.type == spec::NamespaceType::network;
    if (entry.path.empty() || (!is_network && entry.type != spec::NamespaceType::pid)) continue;
    auto opened = namespaces::open_namespace(entry.path, is_network ? CLONE_NEWNET : CLONE_NEWPID);
    if (!opened.ok()) return spec::at(entry.position, opened.error());
    restoration.told.inherited.push_back({criu::namespace_key(entry.type), opened->number()});
    restoration.descriptors.push_back(std::move(*opened));
  }
  return {};
}

Result<void> start_worker(Restoration& restoration) {
  criu::Birth birth;
  birth.root = restoration.made.record.rootfs;
  birth.mount_point = restoration.told.root;
  birth.in_callers_group = restoration.call.choices.shell_job;
  for (const sys::UniqueFd& descriptor : restoration.descriptors) birth.descriptors.emplace_back(descriptor);
  for (const sys::FdRef descriptor : restoration.preserved_descriptors)
    birth.descriptors.push_back(descriptor);
  restoration.worker.emplace(
      TRY(criu::Worker::start(birth, restoration.channel, std::move(restoration.channel_end))));
  return reopen_images(restoration.images, restoration.worker->pid());
}

/// CRIU is born outside; what it makes is born where it is.
Result<void> enter_cgroup(Restoration& restoration) {
  Made& made = restoration.made;
  cgroup::Place& place = made.record.cgroup;
  const spec::Config& config = made.bundle.config;
  const pid_t worker = restoration.worker->pid();
  if (place.manager == cgroup::Manager::systemd) {
    TRY(cgroup::make_unit(place, config, made.record.id, worker, restoration.undo));
    TRY(made.entry.write(made.record));
  }
  restoration.entrance = TRY(cgroup::prepare(place, config, restoration.undo));
  if (config.linux.intel_rdt) {
    const resctrl::Group& group = made.record.resctrl_group;
    TRY(resctrl::prepare(resctrl::host_tree(), group, *config.linux.intel_rdt, restoration.undo));
    for (std::string& path : resctrl::task_paths(group))
      restoration.entrance.task_paths.push_back(std::move(path));
  }
  restoration.undo.push([&restoration] {
    std::vector<Error> unheard;
    (void)cgroup::kill(restoration.made.record.cgroup, SIGKILL);
    restoration.worker->end();
    (void)cgroup::remove(restoration.made.record.cgroup, unheard);
  });
  TRY(cgroup::attach(place, restoration.entrance, worker));
  const std::string number = std::to_string(worker);
  for (const std::string& path : restoration.entrance.task_paths) TRY(sys::write_file(path, number));
  const std::string path = "/proc/" + number + "/cgroup";
  restoration.told.cgroup_roots = criu::cgroup_roots(TRY(sys::read_record(path)));
  return {};
}

Result<void> run_runtime_hooks(const Restoration& restoration, pid_t pid) {
  return hooks::run_runtime_hooks(restoration.made.bundle.config.hooks, state_of(restoration, pid));
}

Result<void> check_child(pid_t pid) {
  if (pid > 0 && sys::is_child(pid)) return {};
  return make_error(Code::system, "criu named no child of davit");
}

/// The container's namespaces are there: what create does about them in the same order.
Result<void> fill_namespaces(Restoration& restoration, pid_t pid) {
  TRY(check_child(pid));
  const std::vector<spec::NetDevice>& devices = restoration.made.bundle.config.linux.net_devices;
  if (devices.empty()) return run_runtime_hooks(restoration, pid);
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/net";
  const sys::UniqueFd network = TRY(namespaces::open_namespace(path, CLONE_NEWNET));
  TRY(network::move_devices(devices, network, restoration.undo));
  return run_runtime_hooks(restoration, pid);
}

Result<void> take_terminal(Restoration& restoration, sys::UniqueFd master) {
  if (!master.valid()) return make_error(Code::system, "criu sent no terminal");
  const launch::Options& options = restoration.call.create.options;
  if (!options.console_socket.empty())
    return terminal::send_descriptor(options.console_socket, master, "/dev/console");
  restoration.made.launched.console_master = std::move(master);
  return {};
}

/// The processes are there, and none of them runs yet.
Result<void> take_over(Restoration& restoration, pid_t pid) {
  Made& made = restoration.made;
  TRY(check_child(pid));
  made.launched.pidfd = TRY(sys::open_pidfd(pid));
  made.launched.pid = pid;
  restoration.undo.push([&restoration] {
    const launch::Launched& launched = restoration.made.launched;
    (void)sys::send_signal(launched.pidfd, SIGKILL);
    const auto ended = sys::wait_end(launched.pidfd, kDeathTimeout);
    if (ended.ok() && *ended) (void)sys::wait_for(launched.pid);
  });
  const spec::Resources& resources = made.bundle.config.linux.resources;
  TRY(cgroup::restrict_devices(made.record.cgroup, resources, restoration.entrance));
  TRY(cgroup::apply_after_birth(made.record.cgroup, resources));
  const launch::Options& options = restoration.call.create.options;
  if (!options.pidfd_socket.empty())
    TRY(terminal::send_descriptor(options.pidfd_socket, made.launched.pidfd, "pidfd"));
  if (!restoration.call.create.pid_file.empty()) TRY(write_pid_file(restoration.call.create.pid_file, pid));
  made.record.init = TRY(identify(pid, made.launched.pidfd, made.entry.directory()));
  return made.entry.write(made.record);
}

Result<void> notified(Restoration& restoration, const criu::Response& notification,
                      sys::UniqueFd descriptor) {
  story::tell(story::Actor::davit, "criu is at", notification.script);
  if (notification.script == "setup-namespaces") return fill_namespaces(restoration, notification.pid);
  if (notification.script == "orphan-pts-master") return take_terminal(restoration, std::move(descriptor));
  if (notification.script == "post-restore") return take_over(restoration, notification.pid);
  return {};
}

Result<void> ask_criu(Restoration& restoration) {
  const Made& made = restoration.made;
  const story::Span span(story::Actor::davit, "criu", made.record.id);
  TRY(clear_log(restoration.images, kLog));
  restoration.told.images_directory = restoration.images.directory.number();
  restoration.told.work_directory = restoration.images.work_number();
  const criu::Request request{.type = criu::Type::restore,
                              .options = TRY(criu::restore_options(
                                  restoration.call.choices, made.record.annotations, restoration.told))};
  const auto response =
      restoration.worker->ask(request, [&](const criu::Response& notification, sys::UniqueFd descriptor) {
        return notified(restoration, notification, std::move(descriptor));
      });
  if (!response.ok()) return failure_of(response.error(), "restore it", restoration.images, kLog);
  if (!response->success) return failure_of(error_of(*response), "restore it", restoration.images, kLog);
  if (made.launched.pid <= 0) return make_error(Code::system, "criu did not say what it has restored");
  restoration.worker->end();
  return {};
}

Result<void> run_poststart_hooks(Restoration& restoration) {
  const Made& made = restoration.made;
  return hooks::run(made.bundle.config.hooks, hooks::Kind::poststart,
                    state_of(restoration, made.launched.pid));
}

struct Step {
  const char* name;
  Result<void> (*run)(Restoration&);
};

/// In this order; hooks after the start may call davit, and find the container complete.
constexpr Step kSteps[] = {
    {"read images", read_images},   {"reserve state", reserve_state},
    {"prepare tree", prepare_tree}, {"prepare namespaces", prepare_namespaces},
    {"start criu", start_worker},   {"enter cgroup", enter_cgroup},
    {"restore", ask_criu},
};

Result<void> run_steps(Restoration& restoration) {
  for (const Step& step : kSteps) {
    auto done = [&] {
      const story::Span span(story::Actor::davit, step.name);
      return step.run(restoration);
    }();
    if (done.ok()) continue;
    if (done.error().step.empty()) done.error().step.append(step.name);
    return done;
  }
  return {};
}

Result<void> restore_or_take_back(Restoration& restoration) {
  auto done = run_steps(restoration);
  if (!done.ok()) {
    const pid_t pid = restoration.made.launched.pid;
    restoration.undo.roll_back();
    (void)restoration.made.entry.discard();
    const spec::Hooks& hooks = restoration.made.bundle.config.hooks;
    if (pid > 0) (void)hooks::run_all(hooks, hooks::Kind::poststop, state_of(restoration, pid));
    return done;
  }
  restoration.undo.commit();
  restoration.made.entry.unlock();
  return {};
}

/// A signal to end is a failure like others.
Result<void> restore_or_stop(Restoration& restoration) {
  sys::Interruption interruption(restoration.channel);
  auto done = restore_or_take_back(restoration);
  if (!restoration.call.detach && done.ok()) (void)interruption.hand_over();
  return done;
}

/// Whether the restored terminal, if there is one, has somebody to go to.
Result<void> check_terminal(const RestoreCall& call, const spec::Config& config) {
  if (!config.process) return {};
  return terminal::check(*config.process, call.detach, !call.create.options.console_socket.empty());
}

Result<int> serve(Restoration& restoration) {
  std::optional<Foreground> foreground;
  if (!restoration.call.detach) foreground.emplace(TRY(Foreground::open()));
  if (!restoration.call.detach && sys::Interruption::has_come())
    return make_error(Code::system, "interrupted");
  TRY(run_poststart_hooks(restoration));
  if (restoration.call.detach) return 0;
  announce_warnings(restoration.context);
  return attend(restoration.context, restoration.made, *foreground, restoration.call.keep);
}

}  // namespace

Result<int> restore(Context& context, RestoreCall call) {
  TRY(check_id(call.create.id));
  const std::uint32_t preserved = call.create.options.preserve_fds;
  TRY(preserve_descriptors(call.create.options));
  Images images = TRY(open_images(call.choices, false));
  Bundle bundle = TRY(load_bundle(context, call.create));
  TRY(check_terminal(call, bundle.config));
  TRY(criu::check_version(criu::oldest_for(call.choices)));
  Entry entry = TRY(context.store.reserve(call.create.id));
  Record record = first_record(call.create.id, bundle);
  Restoration restoration{context, call, preserved, std::move(images),
                          Made{std::move(entry), std::move(record), std::move(bundle), {}}};
  auto channel = TRY(sys::packet_pair());
  restoration.channel = std::move(channel.first);
  restoration.channel_end = std::move(channel.second);
  TRY(restore_or_stop(restoration));
  auto status = serve(restoration);
  return finish(context, restoration.made, std::move(status), call.detach || call.keep);
}

}  // namespace davit::container
