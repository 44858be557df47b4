// SPDX-License-Identifier: Apache-2.0
// Namespaces of a container: the plan, the stage, and what belongs to a new namespace.
#include <linux/sched.h>

#include <algorithm>
#include <array>

#include "davit/features/namespaces.hpp"

namespace davit::namespaces {
namespace {

using spec::NamespaceType;

/// Namespaces that a clone makes at once. Not among them: user (ids have to be mapped first), time (offsets
/// come before the first member), cgroup (its root is the cgroup in which it is made).
constexpr auto kCloned =
    std::to_array<NamespaceType>({NamespaceType::mount, NamespaceType::pid, NamespaceType::network,
                                  NamespaceType::uts, NamespaceType::ipc});

/// The mount namespace comes last: after it, paths are somebody else's.
constexpr auto kJoinOrder = std::to_array<NamespaceType>(
    {NamespaceType::ipc, NamespaceType::uts, NamespaceType::network, NamespaceType::pid,
     NamespaceType::cgroup, NamespaceType::time, NamespaceType::mount});

program::NamespaceRef request_namespace(features::Compilation& compilation, const spec::Namespace& entry) {
  features::HostRequest wanted;
  wanted.kind = features::RequestKind::namespace_file;
  wanted.path = entry.path;
  wanted.namespace_type = clone_flag(entry.type);
  wanted.position = entry.position;
  program::NamespaceRef reference;
  reference.type = wanted.namespace_type;
  reference.slot = compilation.request(std::move(wanted));
  return reference;
}

const spec::Namespace* find_joined(const spec::Config& config, NamespaceType type) {
  const spec::Namespace* entry = config.linux.find_namespace(type);
  return entry != nullptr && !entry->path.empty() ? entry : nullptr;
}

std::vector<program::NamespaceRef> request_joins(features::Compilation& compilation,
                                                 const spec::Config& config) {
  std::vector<program::NamespaceRef> joins;
  for (const NamespaceType type : kJoinOrder)
    if (const spec::Namespace* entry = find_joined(config, type))
      joins.push_back(request_namespace(compilation, *entry));
  return joins;
}

std::uint32_t first_id(const std::vector<spec::IdMapping>& mappings) {
  std::uint32_t first = mappings.empty() ? 0 : mappings.front().container_id;
  for (const spec::IdMapping& mapping : mappings) first = std::min(first, mapping.container_id);
  return first;
}

void compile_user(features::Compilation& compilation, const spec::Config& config, const Plan& plan) {
  const spec::Namespace* user = config.linux.find_namespace(NamespaceType::user);
  if (user == nullptr) return;
  const program::Origin origin = compilation.origin(user->position);
  program::Builder& builder = compilation.builder;
  if (!user->path.empty()) {
    const program::NamespaceRef reference = request_namespace(compilation, *user);
    program::JoinNamespaces join;
    join.namespaces = builder.list(std::span<const program::NamespaceRef>(&reference, 1));
    builder.emit(join, origin);
  } else {
    program::Unshare unshare;
    unshare.types = CLONE_NEWUSER;
    builder.emit(unshare, origin);
    if (plan.map_ids) compilation.meet(program::Point::user_namespace, origin);
  }
  builder.emit(namespace_root(config), origin);
}

void append_offset(std::string& text, const char* clock, const std::optional<spec::TimeOffset>& offset) {
  if (!offset) return;
  text +=
      std::string(clock) + " " + std::to_string(offset->secs) + " " + std::to_string(offset->nanosecs) + "\n";
}

void compile_time(features::Compilation& compilation, const spec::Config& config) {
  if (!makes(config, NamespaceType::time)) return;
  const spec::Namespace* entry = config.linux.find_namespace(NamespaceType::time);
  program::Unshare unshare;
  unshare.types = CLONE_NEWTIME;
  compilation.builder.emit(unshare, compilation.origin(entry->position));
  if (!config.linux.time_offsets) return;
  std::string text;
  append_offset(text, "monotonic", config.linux.time_offsets->monotonic);
  append_offset(text, "boottime", config.linux.time_offsets->boottime);
  if (text.empty()) return;
  program::SetTimeOffsets offsets;
  offsets.text = compilation.builder.text(text);
  compilation.builder.emit(offsets, compilation.origin(config.linux.time_offsets->position));
}

Error invalid(const std::string& message) {
  return make_error(Code::invalid_config, message);
}

void check_user(const spec::Config& config, std::vector<Error>& errors) {
  const bool has_uids = !config.linux.uid_mappings.empty();
  const bool has_gids = !config.linux.gid_mappings.empty();
  const spec::Namespace* user = config.linux.find_namespace(NamespaceType::user);
  if (user == nullptr && (has_uids || has_gids))
    errors.push_back(spec::at(
        config.linux.position, has_uids ? "uidMappings" : "gidMappings",
        invalid("user namespace mappings specified, but user namespace isn't enabled in the config")));
  if (user != nullptr && user->path.empty() && (!has_uids || !has_gids))
    errors.push_back(
        spec::at(user->position, invalid("a new user namespace needs uidMappings and gidMappings")));
}

}  // namespace

program::BecomeNamespaceRoot namespace_root(const spec::Config& config) {
  program::BecomeNamespaceRoot root;
  root.uid = first_id(config.linux.uid_mappings);
  root.gid = first_id(config.linux.gid_mappings);
  return root;
}

std::uint32_t clone_flag(NamespaceType type) {
  switch (type) {
    case NamespaceType::mount:
      return CLONE_NEWNS;
    case NamespaceType::pid:
      return CLONE_NEWPID;
    case NamespaceType::network:
      return CLONE_NEWNET;
    case NamespaceType::uts:
      return CLONE_NEWUTS;
    case NamespaceType::ipc:
      return CLONE_NEWIPC;
    case NamespaceType::user:
      return CLONE_NEWUSER;
    case NamespaceType::cgroup:
      return CLONE_NEWCGROUP;
    case NamespaceType::time:
      return CLONE_NEWTIME;
  }
  return 0;
}

bool has(const spec::Config& config, NamespaceType type) {
  return config.linux.find_namespace(type) != nullptr;
}

bool makes(const spec::Config& config, NamespaceType type) {
  const spec::Namespace* entry = config.linux.find_namespace(type);
  return entry != nullptr && entry->path.empty();
}

bool shares_pids(const spec::Config& config) {
  return find_joined(config, NamespaceType::pid) != nullptr && !has(config, NamespaceType::user);
}

std::vector<Error> validate(const spec::Config& config) {
  std::vector<Error> errors;
  check_user(config, errors);
  if (config.linux.time_offsets && !makes(config, NamespaceType::time))
    errors.push_back(
        spec::at(config.linux.time_offsets->position, invalid("time offsets need a new time namespace")));
  if (!config.hostname.empty() && !has(config, NamespaceType::uts))
    errors.push_back(spec::at(config.position, "hostname",
                              invalid("unable to set hostname without a private UTS namespace")));
  if (!config.domainname.empty() && !has(config, NamespaceType::uts))
    errors.push_back(spec::at(config.position, "domainname",
                              invalid("unable to set domainname without a private UTS namespace")));
  if (!config.linux.net_devices.empty() && !has(config, NamespaceType::network))
    errors.push_back(spec::at(config.linux.net_devices.front().position,
                              invalid("unable to move network devices without a private network namespace")));
  return errors;
}

Plan plan(const spec::Config& config, bool forks_late) {
  Plan result;
  result.forks_late = forks_late;
  std::uint32_t flags = 0;
  for (const NamespaceType type : kCloned)
    if (makes(config, type)) flags |= clone_flag(type);
  // setns(2) into a pid or time namespace, like unshare(2) of time, only counts for children; and only a
  // process that already runs init's image keeps its capabilities on the way into a user namespace.
  result.stage = has(config, NamespaceType::user) || has(config, NamespaceType::time) ||
                 (has(config, NamespaceType::pid) && !makes(config, NamespaceType::pid));
  result.map_ids = makes(config, NamespaceType::user);
  (result.stage ? result.fork_flags : result.clone_flags) = flags;
  return result;
}

Result<void> compile_stage(features::Compilation& compilation, const spec::Config& config, const Plan& plan) {
  program::Builder& builder = compilation.builder;
  const std::vector<program::NamespaceRef> joins = request_joins(compilation, config);
  const bool user = has(config, NamespaceType::user);
  program::JoinNamespaces join;
  join.namespaces = builder.list(std::span<const program::NamespaceRef>(joins));
  const program::Origin origin = joins.empty() ? 0 : compilation.origin(config.linux.position, "namespaces");
  // First with the caller's privileges, which reach namespaces that belong to the host; what belongs to the
  // container's user namespace follows once we are in there.
  join.may_lack_privilege = user ? 1 : 0;
  if (!joins.empty()) builder.emit(join, origin);
  compile_user(compilation, config, plan);
  join.may_lack_privilege = 0;
  if (!joins.empty() && user) builder.emit(join, origin);
  compile_time(compilation, config);
  if (!plan.stage) return {};
  if (plan.forks_late) {
    program::Unshare unshare;
    unshare.types = plan.fork_flags;
    if (plan.fork_flags != 0) builder.emit(unshare, compilation.origin(config.linux.position, "namespaces"));
    return {};
  }
  program::ForkInit fork;
  fork.types = plan.fork_flags;
  builder.emit(fork, compilation.origin(config.linux.position, "namespaces"));
  return {};
}

Result<void> compile_keyring(features::Compilation& compilation) {
  if (compilation.call.no_new_keyring) return {};
  program::JoinKeyring join;
  join.name = compilation.builder.text(compilation.call.id);
  compilation.builder.emit(join);
  return {};
}

Result<void> compile_cgroup_namespace(features::Compilation& compilation, const spec::Config& config) {
  if (!makes(config, NamespaceType::cgroup)) return {};
  program::Unshare unshare;
  unshare.types = CLONE_NEWCGROUP;
  compilation.builder.emit(unshare,
                           compilation.origin(config.linux.find_namespace(NamespaceType::cgroup)->position));
  return {};
}

Result<void> compile_network(features::Compilation& compilation, const spec::Config& config) {
  if (!makes(config, NamespaceType::network)) return {};
  compilation.builder.emit(program::LoopbackUp{},
                           compilation.origin(config.linux.find_namespace(NamespaceType::network)->position));
  return {};
}

Result<void> compile_names(features::Compilation& compilation, const spec::Config& config) {
  if (!config.hostname.empty()) {
    program::SetHostname hostname;
    hostname.name = compilation.builder.text(config.hostname);
    compilation.builder.emit(hostname, compilation.origin(config.position, "hostname"));
  }
  if (!config.domainname.empty()) {
    program::SetDomainname domainname;
    domainname.name = compilation.builder.text(config.domainname);
    compilation.builder.emit(domainname, compilation.origin(config.position, "domainname"));
  }
  return {};
}

}  // namespace davit::namespaces
