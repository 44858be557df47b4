// SPDX-License-Identifier: Apache-2.0
// A config on this host, as far as it can be told without making anything.
#include <algorithm>

#include "davit/explain/explain.hpp"
#include "davit/features/namespaces.hpp"

namespace davit::explain {
namespace {

/// What depends on the machine, or on this release; the config itself may be fine.
bool is_about_the_host(const Error& error) {
  return error.code == Code::system || error.code == Code::unsupported || error.code == Code::not_found;
}

void sort_out(Compiled& compiled, const Error& error) {
  (is_about_the_host(error) ? compiled.notes : compiled.errors).push_back(error);
}

/// "slice:prefix:name", as engines write it for systemd.
bool is_for_systemd(const std::string& path) {
  return !path.starts_with('/') && std::count(path.begin(), path.end(), ':') == 2;
}

void note(Compiled& compiled, const spec::Position& position, const char* below, const std::string& what) {
  compiled.notes.push_back(spec::at(position, below, make_error(Code::unsupported, what)));
}

/// Labels are compiled as if somebody enforced them.
void assume_lsm(const spec::Config& config, Compiled& compiled) {
  const bool apparmor = compiled.has_apparmor = compiled.facts.apparmor;
  const bool selinux = compiled.has_selinux = compiled.facts.selinux;
  if (config.process) {
    const spec::Process& process = *config.process;
    const std::string& profile = process.apparmor_profile;
    if (!apparmor && !profile.empty() && profile != "unconfined")
      note(compiled, process.position, "apparmorProfile",
           "AppArmor is not enabled on this host: create would refuse the profile " + profile);
    if (!selinux && !process.selinux_label.empty())
      note(compiled, process.position, "selinuxLabel",
           "SELinux is not enabled on this host: create would refuse the label " + process.selinux_label);
    compiled.facts.apparmor = apparmor || (!profile.empty() && profile != "unconfined");
  }
  if (!selinux && !config.linux.mount_label.empty())
    note(compiled, config.linux.position, "mountLabel",
         "SELinux is not enabled on this host: create would refuse a mount label");
  compiled.facts.selinux = true;
}

void choose_place(const spec::Config& config, const Request& request, Compiled& compiled) {
  cgroup::Manager manager = request.manager;
  if (request.guesses_manager && is_for_systemd(config.linux.cgroups_path))
    manager = cgroup::Manager::systemd;
  auto place = cgroup::choose(config, request.call.id, compiled.facts.cgroup, manager);
  if (place.ok()) {
    compiled.place = std::move(*place);
    return;
  }
  sort_out(compiled, place.error());
  compiled.place.manager = cgroup::Manager::disabled;
  compiled.place.mode = compiled.facts.cgroup.mode;
}

}  // namespace

Compiled compile(const spec::Config& config, const Request& request) {
  auto facts = host::probe(true);
  Request here = request;
  const spec::Namespace* pids = config.linux.find_namespace(spec::NamespaceType::pid);
  here.mounts_foreign_procfs =
      pids != nullptr && !pids->path.empty() && namespaces::can_mount_procfs_of(pids->path);
  Compiled compiled = compile_on(facts.ok() ? *facts : host::Facts(), config, here);
  if (!facts.ok()) compiled.notes.insert(compiled.notes.begin(), facts.error());
  return compiled;
}

Compiled compile_on(const host::Facts& facts, const spec::Config& config, const Request& request) {
  Compiled compiled;
  compiled.facts = facts;
  for (const Error& error : plan::validate(config)) sort_out(compiled, error);
  assume_lsm(config, compiled);
  choose_place(config, request, compiled);
  if (!compiled.errors.empty()) return compiled;
  auto plan = plan::compile_container({.config = config,
                                       .facts = compiled.facts,
                                       .call = request.call,
                                       .place = compiled.place,
                                       .task_paths = cgroup::task_paths(compiled.place),
                                       .mounts_foreign_procfs = request.mounts_foreign_procfs});
  if (plan.ok()) {
    compiled.notes.insert(compiled.notes.end(), plan->warnings.begin(), plan->warnings.end());
    compiled.plan = std::move(*plan);
  } else {
    sort_out(compiled, plan.error());
  }
  return compiled;
}

}  // namespace davit::explain
