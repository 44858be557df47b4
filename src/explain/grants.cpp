// SPDX-License-Identifier: Apache-2.0
// What a config gives away, one line each with the reason why that matters.
#include <algorithm>
#include <array>

#include "davit/explain/validate.hpp"
#include "davit/features/seccomp.hpp"
#include "davit/spec/names.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

struct Why {
  std::string_view name;
  const char* text;
};

constexpr Why kCapabilities[] = {
    {"CAP_SYS_ADMIN", "mounts, namespaces, and most of what root can do to the host"},
    {"CAP_SYS_MODULE", "loads code into the host's kernel"},
    {"CAP_SYS_RAWIO", "reaches memory and ports of the hardware"},
    {"CAP_SYS_PTRACE", "reads and changes the memory of all processes it sees"},
    {"CAP_SYS_BOOT", "restarts the host, or loads another kernel"},
    {"CAP_SYS_TIME", "sets the host's clock"},
    {"CAP_DAC_READ_SEARCH", "opens any file of a mounted filesystem by its handle"},
    {"CAP_BPF", "loads programs into the host's kernel"},
    {"CAP_PERFMON", "watches the host's kernel and processes"},
    {"CAP_NET_ADMIN", "configures interfaces, routes and firewalls of its network namespace"},
    {"CAP_LINUX_IMMUTABLE", "changes files that are marked as never to change"},
    {"CAP_MAC_ADMIN", "changes the policy of the security module"},
    {"CAP_MAC_OVERRIDE", "is not held by the policy of the security module"},
    {"CAP_SYSLOG", "reads the kernel's log and addresses"},
    {"CAP_CHECKPOINT_RESTORE", "chooses pids, and reads what other processes have open"},
};

constexpr Why kNamespaces[] = {
    {"mount", "mounts show up on the host, and the host's are reached"},
    {"pid", "processes of the host are seen, and those of the same user signalled"},
    {"network", "all interfaces, ports and abstract sockets of the host"},
    {"ipc", "shared memory and queues of the host"},
    {"uts", "the name of the host, which root may change"},
    {"cgroup", "paths of cgroups of the host are seen"},
};

/// Where a bind leads out of the container; a directory stands for all below it as well.
constexpr Why kSources[] = {
    {"/run/docker.sock", "who talks to the engine is root on the host"},
    {"/var/run/docker.sock", "who talks to the engine is root on the host"},
    {"/run/containerd/containerd.sock", "who talks to the engine is root on the host"},
    {"/run/podman/podman.sock", "who talks to the engine is root on the host"},
    {"/run/crio/crio.sock", "who talks to the engine is root on the host"},
    {"/run/dbus/system_bus_socket", "the services of the host can be called"},
    {"/run/systemd/private", "units of the host can be started"},
    {"/", "the whole filesystem of the host"},
    {"/boot", "kernels and boot loader of the host"},
    {"/etc", "the configuration of the host"},
    {"/root", "the home of root"},
    {"/home", "the homes of all users"},
    {"/proc", "processes and settings of the host"},
    {"/sys", "hardware and settings of the host"},
    {"/dev", "devices of the host"},
    {"/run", "sockets of the host's services"},
    {"/var/run", "sockets of the host's services"},
    {"/usr", "programs of the host"},
    {"/var", "data of the host's services"},
    {"/var/lib", "data of the host's services"},
};

class Grants {
 public:
  void add(std::string label, std::string text, Mark mark = {}) {
    section.lines.push_back({std::move(label), std::move(text), std::move(mark), Tone::notable});
  }
  Section section{"grants", "What it grants", {}};
};

std::string cleaned(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

bool has_option(const spec::Mount& mount, std::string_view option) {
  return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
}

bool is_bind(const spec::Mount& mount) {
  return mount.type == "bind" || has_option(mount, "bind") || has_option(mount, "rbind");
}

bool is_read_only(const spec::Mount& mount) {
  return has_option(mount, "ro") || has_option(mount, "rro");
}

bool lists(const std::vector<spec::ListedPath>& paths, std::string_view wanted) {
  return std::any_of(paths.begin(), paths.end(),
                     [&](const spec::ListedPath& entry) { return cleaned(entry.path) == wanted; });
}

const spec::Mount* mount_on(const spec::Config& config, std::string_view destination) {
  const spec::Mount* found = nullptr;
  for (const spec::Mount& mount : config.mounts)
    if (cleaned(mount.destination) == destination) found = &mount;
  return found;
}

void add_namespaces(Grants& grants, const spec::Config& config) {
  const spec::Namespace* user = config.linux.find_namespace(spec::NamespaceType::user);
  const bool is_root = config.process && config.process->user.uid == 0;
  if (user == nullptr && is_root)
    grants.add("root", "uid 0 is root of the host: there is no user namespace",
               mark_of(config.process->user.position, "uid"));
  for (const spec::IdMapping& mapping : config.linux.uid_mappings)
    if (mapping.host_id == 0)
      grants.add("root", "root of the host is uid " + std::to_string(mapping.container_id) + " inside",
                 mark_of(mapping.position));
  for (const Why& why : kNamespaces)
    for (std::size_t type = 0; type < spec::kNamespaceTypes; ++type) {
      if (spec::name_of(static_cast<spec::NamespaceType>(type)) != why.name) continue;
      if (config.linux.find_namespace(static_cast<spec::NamespaceType>(type)) == nullptr)
        grants.add("host " + std::string(why.name), why.text);
    }
}

void add_capabilities(Grants& grants, const spec::Config& config) {
  if (!config.process || !config.process->capabilities) return;
  const spec::Capabilities& sets = *config.process->capabilities;
  for (const Why& why : kCapabilities) {
    const auto found = std::find(sets.bounding.begin(), sets.bounding.end(), why.name);
    if (found == sets.bounding.end()) continue;
    const std::string below = "bounding/" + std::to_string(found - sets.bounding.begin());
    grants.add(std::string(why.name), why.text, mark_of(sets.position, below));
  }
  if (!sets.ambient.empty())
    grants.add("ambient", "every program it executes gets " + joined(sets.ambient),
               mark_of(sets.position, "ambient"));
}

void add_mounts(Grants& grants, const spec::Config& config) {
  for (const spec::Mount& mount : config.mounts) {
    const std::string options = is_read_only(mount) ? " (read-only)" : "";
    if (is_bind(mount))
      for (const Why& why : kSources)
        if (cleaned(mount.source) == why.name)
          grants.add(cleaned(mount.destination), "is " + mount.source + options + ": " + why.text,
                     mark_of(mount.position));
    if (has_option(mount, "shared") || has_option(mount, "rshared"))
      grants.add(cleaned(mount.destination), "what is mounted there shows up on the host (shared)",
                 mark_of(mount.position));
    if (mount.type == "devtmpfs" || mount.type == "debugfs" || mount.type == "tracefs" ||
        mount.type == "securityfs" || mount.type == "configfs")
      grants.add(cleaned(mount.destination), "a " + mount.type + ": settings of the host's kernel" + options,
                 mark_of(mount.position));
  }
}

void add_kernel_files(Grants& grants, const spec::Config& config) {
  const spec::Linux& linux = config.linux;
  const spec::Mount* proc = mount_on(config, "/proc");
  const spec::Mount* sys = mount_on(config, "/sys");
  if (proc != nullptr && !is_read_only(*proc) && !lists(linux.readonly_paths, "/proc/sys"))
    grants.add("/proc/sys", "can be written: settings of the whole host are among them",
               mark_of(proc->position));
  if (proc != nullptr && !is_read_only(*proc) && !lists(linux.readonly_paths, "/proc/sysrq-trigger") &&
      !lists(linux.masked_paths, "/proc/sysrq-trigger"))
    grants.add("/proc/sysrq-trigger", "can be written: it restarts the host", mark_of(proc->position));
  if (proc != nullptr && !lists(linux.masked_paths, "/proc/kcore"))
    grants.add("/proc/kcore", "is not masked: the memory of the host, for CAP_SYS_RAWIO",
               mark_of(proc->position));
  if (sys != nullptr && !is_read_only(*sys)) grants.add("/sys", "can be written", mark_of(sys->position));
  if (linux.masked_paths.empty()) grants.add("masks", "no path of /proc and /sys is hidden");
}

void add_devices(Grants& grants, const spec::Config& config) {
  for (const spec::DeviceRule& rule : config.linux.resources.devices)
    if (rule.allow && !rule.major && !rule.minor && (rule.read || rule.write))
      grants.add("devices",
                 rule.type == spec::DeviceRuleType::all     ? "all of the host"
                 : rule.type == spec::DeviceRuleType::block ? "all disks of the host"
                                                            : "all character devices of the host",
                 mark_of(rule.position));
  // Disks first: they hold everybody's files.
  std::vector<std::string> names;
  Mark first;
  for (const bool is_disk : {true, false})
    for (const spec::Device& device : config.linux.devices) {
      if ((device.type == spec::DeviceType::block) != is_disk) continue;
      if (names.empty()) first = mark_of(device.position);
      names.push_back(device.path + (is_disk ? " (disk)" : ""));
    }
  constexpr std::size_t kMostNamed = 12;
  const std::size_t others = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
  names.resize(names.size() - others);
  if (names.empty()) return;
  grants.add("nodes", joined(names) + (others > 0 ? " and " + std::to_string(others) + " more" : ""), first);
}

void add_confinement(Grants& grants, const spec::Config& config) {
  const auto& profile = config.linux.seccomp;
  if (!profile) grants.add("seccomp", "no filter: every system call of the kernel can be made");
  if (profile && profile->default_action == spec::SeccompAction::allow)
    grants.add("seccomp", "what no rule names is allowed", mark_of(profile->position, "defaultAction"));
  if (!config.process) return;
  const spec::Process& process = *config.process;
  if (!process.no_new_privileges)
    grants.add("noNewPrivileges", "is not set: setuid programs of the image raise privileges",
               mark_of(process.position));
  if (process.apparmor_profile == "unconfined")
    grants.add("AppArmor", "unconfined", mark_of(process.position, "apparmorProfile"));
}

void add_hooks(Grants& grants, const spec::Config& config) {
  const auto add = [&](const char* kind, const std::vector<spec::Hook>& hooks) {
    for (const spec::Hook& hook : hooks)
      grants.add(kind, hook.path + " runs on the host, as whoever creates the container",
                 mark_of(hook.position));
  };
  add("prestart", config.hooks.prestart);
  add("createRuntime", config.hooks.create_runtime);
  add("createContainer", config.hooks.create_container);
  add("poststart", config.hooks.poststart);
  add("poststop", config.hooks.poststop);
}

void add_limits(Grants& grants, const spec::Config& config) {
  const spec::Resources& resources = config.linux.resources;
  const auto is_unlimited = [&](const char* file, const std::optional<std::int64_t>& limit) {
    const auto& unified = resources.unified;
    const bool is_there = std::any_of(unified.begin(), unified.end(),
                                      [&](const spec::UnifiedEntry& entry) { return entry.file == file; });
    return limit.value_or(-1) <= 0 && !is_there;
  };
  if (is_unlimited("memory.max", resources.memory.limit)) grants.add("memory", "all of the host");
  if (is_unlimited("pids.max", resources.pids.limit))
    grants.add("processes", "as many as the host has room for");
}

}  // namespace

Section grants_of(const spec::Config& config) {
  Grants grants;
  add_namespaces(grants, config);
  add_capabilities(grants, config);
  add_mounts(grants, config);
  add_kernel_files(grants, config);
  add_devices(grants, config);
  add_confinement(grants, config);
  add_hooks(grants, config);
  add_limits(grants, config);
  if (grants.section.lines.empty())
    grants.section.lines.push_back({"", "nothing that a container does not have anyway"});
  return std::move(grants.section);
}

}  // namespace davit::explain
