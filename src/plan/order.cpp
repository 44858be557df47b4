// SPDX-License-Identifier: Apache-2.0
#include "plan/order.hpp"

#include <string_view>
#include <unordered_map>

#include "davit/features/credentials.hpp"
#include "davit/features/hooks.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/lsm.hpp"
#include "davit/features/scheduling.hpp"

namespace davit::plan {
namespace {

constexpr std::string_view kPath = "PATH=";
constexpr std::string_view kHome = "HOME=";

const std::string* find_variable(const spec::Process& process, std::string_view prefix) {
  const std::string* found = nullptr;
  // The last one of several wins, see unique_variables().
  for (const std::string& entry : process.env)
    if (std::string_view(entry).starts_with(prefix)) found = &entry;
  return found;
}

void compile_program(features::Compilation& out, const spec::Process& process) {
  const std::string* path = find_variable(process, kPath);
  program::FindProgram find;
  find.name =
      out.builder.text(process.args.empty() ? std::string_view() : std::string_view(process.args.front()));
  find.search_path = out.builder.text(path != nullptr ? std::string_view(*path).substr(kPath.size()) : "");
  find.has_path = path != nullptr ? 1 : 0;
  out.builder.emit(find, out.origin(process.position, "args"));
}

/// Each variable once, where it came first, with the value that came last: getenv(3) takes the first one, a
/// shell the last, and callers mean the last (exec --env comes after what the config has).
std::vector<std::string> unique_variables(const std::vector<std::string>& env) {
  std::vector<std::string> result;
  std::unordered_map<std::string_view, std::size_t> places;
  result.reserve(env.size() + 2);
  places.reserve(env.size());
  for (const std::string& entry : env) {
    const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    const auto [place, is_new] = places.emplace(name, result.size());
    if (is_new)
      result.push_back(entry);
    else
      result[place->second] = entry;
  }
  return result;
}

bool wants_home(const spec::Process& process) {
  const std::string* home = find_variable(process, kHome);
  return home == nullptr || *home == kHome;
}

}  // namespace

void compile_directory(features::Compilation& out, const spec::Process& process, Entering how) {
  program::ChangeDirectory change;
  change.path = out.builder.text(process.cwd.empty() ? "/" : process.cwd);
  change.is_retry = how == Entering::again_as_user ? 1 : 0;
  change.make_missing = how == Entering::made_where_missing ? 1 : 0;
  out.builder.emit(change, out.origin(process.position, "cwd"));
}

void tell(features::Compilation& out, program::Point point) {
  program::TellHost operation;
  operation.point = point;
  out.builder.emit(operation);
}

void await(features::Compilation& out, program::Point point) {
  program::AwaitHost operation;
  operation.point = point;
  out.builder.emit(operation);
}

void compile_attach(features::Compilation& out, std::uint32_t task_files) {
  for (std::uint32_t number = 0; number < task_files; ++number) {
    program::AttachCgroup attach;
    attach.file = out.request({.kind = features::RequestKind::cgroup_file, .number = number});
    out.builder.emit(attach);
  }
}

void compile_attach(features::Compilation& out, const std::vector<std::string>& task_paths) {
  for (const std::string& path : task_paths) {
    program::AttachCgroup attach;
    attach.host_path = out.builder.text(path);
    out.builder.emit(attach);
  }
}

Filter filter_of(const spec::Config& config) {
  return {config.linux.seccomp ? &*config.linux.seccomp : nullptr};
}

Filter compile_filter_source(features::Compilation& out, const spec::Config& config) {
  Filter filter = filter_of(config);
  if (filter.profile == nullptr) return filter;
  tell(out, program::Point::seccomp);
  filter.source = seccomp::compile_await(out, *filter.profile);
  return filter;
}

bool needs_admin(const spec::Process& process, const Filter& filter) {
  return filter.profile != nullptr && !process.no_new_privileges;
}

bool has_listener(const Filter& filter) {
  return filter.profile != nullptr && seccomp::has_listener(*filter.profile);
}

void compile_filter(features::Compilation& out, const spec::Process& process, const Filter& filter) {
  if (filter.profile == nullptr) return;
  program::LoadSeccomp load = seccomp::load(*filter.profile, filter.source);
  load.pid_namespace = filter.pid_namespace;
  out.builder.emit(load, out.origin(filter.profile->position));
  if (needs_admin(process, filter)) credentials::compile_release(out, process);
}

void compile_sweep(features::Compilation& out) {
  program::CloseDescriptors sweep;
  sweep.first = 3 + out.call.preserve_fds;
  sweep.sweep = 1;
  sweep.keep = out.builder.list(std::span<const program::Slot>(out.lasting));
  out.builder.emit(sweep);
}

bool takes_limits_as_root(const spec::Process& process) {
  return limits::wanted(process) && (process.user.uid != 0 || process.user.gid != 0);
}

Result<void> compile_identity(features::Compilation& out, const spec::Config& config,
                              const spec::Process& process, bool holds_admin) {
  scheduling::compile_io_priority(out, process);
  TRY(scheduling::compile_memory_policy(out, config));
  scheduling::compile_personality(out, config);
  credentials::compile_umask(out, process);
  credentials::compile_bounding(out, process);  // needs CAP_SETPCAP
  if (wants_home(process)) {
    program::SetHome home;
    home.uid = process.user.uid;
    out.builder.emit(home);
  }
  if (takes_limits_as_root(process)) {
    compile_sweep(out);  // RLIMIT_NOFILE is about numbers: low ones must be free under a low limit
    out.meet(program::Point::limits);
  }
  credentials::compile_user(out, config, process, host::in_user_namespace);
  credentials::compile_capabilities(out, process, holds_admin);
  credentials::compile_no_new_privileges(out, process);
  return {};
}

void compile_search(features::Compilation& out, const spec::Process& process) {
  compile_directory(out, process, Entering::again_as_user);  // who may see more (FUSE, NFS)
  if (process.cwd != "/")
    out.builder.emit(program::CheckDirectory{}, out.origin(process.position, "cwd"));  // CVE-2024-21626
  compile_program(out, process);  // as the user: the x bit is his
}

void compile_start_hooks(features::Compilation& out, const spec::Config& config, const spec::Process& process,
                         const spec::State& state, const Filter& filter) {
  program::RunHook confinement;
  if (filter.profile != nullptr && !has_listener(filter)) {  // one with a listener is on already
    const program::LoadSeccomp load = seccomp::load(*filter.profile, filter.source);
    confinement.is_filtered = 1;
    confinement.filter = load.filter;
    confinement.filter_flags = load.flags;
    confinement.releases = needs_admin(process, filter) ? 1 : 0;
  }
  hooks::compile(out, config.hooks, hooks::Kind::start_container, state, unique_variables(process.env),
                 confinement);
}

void compile_execute(features::Compilation& out, const spec::Process& process, const Filter& filter) {
  program::CloseDescriptors close;
  close.first = 3 + out.call.preserve_fds;
  out.builder.emit(close);
  // The last thing: whatever init calls after this, every profile would have to allow.
  if (!has_listener(filter)) compile_filter(out, process, filter);
  program::Execute execute;
  execute.arguments = out.builder.texts(process.args);
  std::vector<std::string> environment = unique_variables(process.env);
  if (wants_home(process)) {
    if (find_variable(process, kHome) == nullptr) environment.emplace_back(kHome);
    environment.emplace_back();
  }
  execute.environment = out.builder.texts(environment);
  out.builder.emit(execute, out.origin(process.position, "args"));
}

void finish(features::Compilation& out, Plan& plan) {
  plan.program = out.builder.finish();
  plan.requests = std::move(out.requests);
  plan.places = std::move(out.places);
  plan.warnings = std::move(out.warnings);
}

}  // namespace davit::plan
