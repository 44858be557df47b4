// SPDX-License-Identifier: Apache-2.0

#include "container/bundle.hpp"
#include "container/neighbours.hpp"
#include "container/open.hpp"
#include "container/supervise.hpp"
#include "davit/features/credentials.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/terminal.hpp"
#include "davit/spec/reader.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"

namespace davit::container {

namespace {

constexpr std::size_t kMaximumProcess = 16u << 20;

// The process of the config with what the command line changes.
Result<spec::Process> process_from_options(const spec::Config& config, const ExecCall& call) {
  if (!config.process)
    return make_error(Code::invalid_config, "the config of this container has no process to start from");
  spec::Process process = *config.process;
  process.position = {};  // what the command line says stands in no file
  process.args = call.args;
  process.terminal = call.terminal;
  process.console_size.reset();
  if (call.cwd) process.cwd = *call.cwd;
  if (!process.cwd.starts_with('/'))
    return make_error(Code::invalid_argument, "--cwd must be an absolute path");
  process.env.insert(process.env.end(), call.env.begin(), call.env.end());
  if (call.uid) process.user.uid = *call.uid;
  if (call.gid) process.user.gid = *call.gid;
  process.user.additional_gids.insert(process.user.additional_gids.end(), call.additional_gids.begin(),
                                      call.additional_gids.end());
  for (const std::string& name : call.capabilities) credentials::add_capability(process, name);
  if (!call.apparmor_profile.empty()) process.apparmor_profile = call.apparmor_profile;
  if (!call.selinux_label.empty()) process.selinux_label = call.selinux_label;
  if (call.no_new_privileges) process.no_new_privileges = true;
  return process;
}

// What confines the container confines a process that does not say otherwise. Not so no_new_privileges:
// engines leave it out to say false.
void confine_alike(const spec::Process& container, spec::Process& process) {
  if (!process.capabilities) process.capabilities = container.capabilities;
  if (process.apparmor_profile.empty()) process.apparmor_profile = container.apparmor_profile;
  if (process.selinux_label.empty()) process.selinux_label = container.selinux_label;
  if (process.rlimits.empty()) process.rlimits = container.rlimits;
  if (!process.oom_score_adj) process.oom_score_adj = container.oom_score_adj;
  const spec::ExecCpuAffinity& affinity = process.exec_cpu_affinity;
  if (affinity.initial.empty() && affinity.final.empty())
    process.exec_cpu_affinity = container.exec_cpu_affinity;
}

Result<spec::ProcessDocument> process_from_file(Context& context, const ExecCall& call) {
  auto found = sys::read_file_or_pipe(call.process_file, kMaximumProcess);
  if (!found.ok()) return found.error().wrap("read the file of --process");
  std::string text = std::move(*found);
  // Engines write it to a place that means nothing to anybody.
  auto read = spec::read_process(std::move(text), "--process");
  context.warnings.insert(context.warnings.end(), read.warnings.begin(), read.warnings.end());
  context.notices = std::move(read.notices);
  if (read.ok()) return std::move(read.value);
  context.errors = std::move(read.errors);
  return context.errors.front();
}

// Before it is there: it may outlive this exec, and every other one is then in its reach.
Result<void> note_tracer(const Store& store, const Entry& entry, const Record& record,
                         const spec::Config& config, const spec::Process& process) {
  const bool is_known = config.process && credentials::may_trace(config.process->capabilities);
  if (is_known || !credentials::may_trace(process.capabilities)) return {};
  TRY(entry.note_tracer());
  if (namespaces::has(config, spec::NamespaceType::user)) return {};
  return note_tracer_among(store, "/proc/" + std::to_string(record.init.pid) + "/ns/pid");
}

/// To conmon the file says that the process really runs.
Result<void> name_process(const ExecCall& call, const launch::Launched& launched) {
  if (call.pid_file.empty()) return {};
  auto written = write_pid_file(call.pid_file, launched.pid);
  if (!written.ok()) (void)sys::send_signal(launched.pidfd, 9);
  return written;
}

}  // namespace

Result<int> exec(Context& context, const ExecCall& call) {
  const Operation operation = Operation::exec;
  launch::Options options = call.options;
  const std::vector<std::string> variables = TRY(preserve_descriptors(options));
  Entry entry = TRY(context.store.open(call.id));
  const Record record = TRY(entry.read());
  const spec::Status status = status_of(entry, record);
  if (status != spec::Status::paused || !call.ignore_paused) TRY(check_allowed(operation, status, call.id));
  const sys::UniqueFd init = TRY(open_init(record.init));

  const spec::Config config = TRY(stored_config(context, entry));
  spec::ProcessDocument document;
  if (call.process_file.empty())
    document.process = TRY(process_from_options(config, call));
  else
    document = TRY(process_from_file(context, call));
  if (config.process) confine_alike(*config.process, document.process);
  // The command line may still ask for a terminal; it cannot take back one that the file asks for.
  if (call.terminal) document.process.terminal = true;
  document.process.env.insert(document.process.env.end(), variables.begin(), variables.end());
  options.foreground = !call.detach;
  if (!call.detach) copy_terminal_size(document.process);
  TRY(terminal::check(document.process, call.detach, !options.console_socket.empty()));

  const bool has_tracers = entry.has_tracers();
  TRY(note_tracer(context.store, entry, record, config, document.process));

  const launch::ExecRequest request{.config = config,
                                    .process = document.process,
                                    .id = call.id,
                                    .bundle = record.bundle,
                                    .container_pid = record.init.pid,
                                    .container = init,
                                    .place = record.cgroup,
                                    .resctrl_group = record.resctrl_group,
                                    .cgroups = call.cgroups,
                                    .options = options,
                                    .no_pivot = record.no_pivot,
                                    .is_paused = status == spec::Status::paused,
                                    .has_tracers = has_tracers};
  std::optional<Foreground> foreground;
  if (!call.detach) foreground.emplace(TRY(Foreground::open()));
  auto executed = launch::exec(request);
  if (!executed.ok()) {
    // Where an init is ending no process can be made any more, a moment before that can be seen.
    constexpr int kMoment = 1000;  // milliseconds
    if (executed.error().errno_value == ENOMEM) (void)sys::wait_end(init, kMoment);
    // Whatever was missed first: it was missing because the container ended meanwhile.
    if (!init_alive(record.init)) TRY(check_allowed(operation, spec::Status::stopped, call.id));
    return executed.error();
  }
  launch::Launched launched = std::move(*executed);
  context.warnings.insert(context.warnings.end(), launched.warnings.begin(), launched.warnings.end());
  if (foreground) announce_warnings(context);
  TRY(name_process(call, launched));
  return foreground ? foreground->supervise(launched) : Result<int>(0);
}

}  // namespace davit::container
