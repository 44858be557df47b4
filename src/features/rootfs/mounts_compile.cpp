// SPDX-License-Identifier: Apache-2.0
// mounts[]: what every entry has in common, and plain filesystems.
#include <linux/mount.h>

#include <algorithm>
#include <array>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;

/// Filesystems whose superblock is shared with the host, or is written after the mount: only the mount itself
/// becomes read-only.
bool has_shared_superblock(std::string_view type) {
  static constexpr auto kTypes = std::to_array<std::string_view>(
      {"binfmt_misc", "bpf",        "cgroup",    "cgroup2",   "configfs", "debugfs", "devpts",
       "devtmpfs",    "efivarfs",   "fusectl",   "hugetlbfs", "mqueue",   "proc",    "pstore",
       "ramfs",       "securityfs", "selinuxfs", "sysfs",     "tmpfs",    "tracefs"});
  static_assert(std::is_sorted(kTypes.begin(), kTypes.end()));
  return std::binary_search(kTypes.begin(), kTypes.end(), type);
}

/// Filesystems that label their files themselves.
bool takes_label(std::string_view type) {
  return type != "proc" && type != "sysfs" && type != "mqueue" && type != "cgroup" && type != "cgroup2";
}

/// Files of procfs that may be replaced one by one, as lxcfs does; everything else in /proc is the kernel's
/// interface to security settings and must be the real one (CVE-2019-16884).
Result<void> check_proc(const Mounting& mounting, const Entry& entry) {
  static constexpr auto kAllowed = std::to_array<std::string_view>(
      {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo", "/proc/stat",
       "/proc/swaps", "/proc/sys/crypto/fips_enabled", "/proc/sys/kernel/ns_last_pid", "/proc/uptime"});
  if (is_below(entry.destination, "/proc") && (entry.mount.type != "proc" || entry.options.bind)) {
    if (std::find(kAllowed.begin(), kAllowed.end(), entry.destination) != kAllowed.end()) return {};
    return refuse(entry, Code::invalid_config,
                  "\"" + entry.destination + "\" cannot be mounted because it is inside /proc");
  }
  if (entry.destination != "/proc" || entry.mount.type == "proc" || entry.options.remount) return {};
  const std::string source = host_path(entry.mount.source, mounting.compilation.call.bundle);
  if (entry.options.bind && mounting.queries.is_procfs(source)) return {};
  return refuse(entry, Code::invalid_config, "\"/proc\" cannot be mounted because it is not of type proc");
}

Result<void> add_label(Mounting& mounting, const Entry& entry, std::vector<Parameter>& parameters) {
  const std::string& label = mounting.config.linux.mount_label;
  if (label.empty() || !takes_label(entry.mount.type)) return {};
  if (!mounting.compilation.facts.selinux)
    return spec::at(mounting.config.linux.position, "mountLabel",
                    make_error(Code::unsupported, "a mount label needs SELinux, which is not enabled here"));
  const auto wanted = mounting.config.annotations.find("run.oci.mount_context_type");
  std::string key = wanted == mounting.config.annotations.end() ? "context" : wanted->second;
  if (key != "context" && key != "fscontext" && key != "defcontext" && key != "rootcontext")
    return spec::at(mounting.config.position, "annotations/run.oci.mount_context_type",
                    make_error(Code::invalid_config, "unknown mount context type \"" + key + "\""));
  parameters.push_back({std::move(key), label, false});
  return {};
}

/// Whether an id of a parameter like "gid=5" exists in the user namespace, as far as the config tells.
bool is_mapped(const Mounting& mounting, const std::string& value) {
  if (mounting.config.linux.gid_mappings.empty()) return true;
  const std::uint64_t id = std::strtoull(value.c_str(), nullptr, 10);
  const auto& mappings = mounting.config.linux.gid_mappings;
  return std::any_of(mappings.begin(), mappings.end(), [id](const spec::IdMapping& mapping) {
    return id >= mapping.container_id && id - mapping.container_id < mapping.size;
  });
}

/// The engines ask for gid=5 (tty) whether or not the user has it to give.
void drop_unmapped_gid(Mounting& mounting, const Entry& entry, std::vector<Parameter>& parameters) {
  if (entry.mount.type != "devpts") return;
  const spec::Namespace* user = mounting.config.linux.find_namespace(NamespaceType::user);
  // A namespace that is joined has mappings of which the config need not tell.
  const bool is_unknown = user != nullptr && mounting.config.linux.gid_mappings.empty();
  for (Parameter& parameter : parameters) parameter.is_optional = is_unknown && parameter.key == "gid";
  std::erase_if(parameters, [&](const Parameter& parameter) {
    if (parameter.key != "gid" || is_mapped(mounting, parameter.value)) return false;
    mounting.compilation.warnings.push_back(
        refuse(entry, Code::unsupported,
               "gid=" + parameter.value + " is left out: the user namespace does not map it"));
    return true;
  });
}

std::vector<Parameter> superblock_parameters(const Entry& entry) {
  std::vector<Parameter> parameters;
  for (const std::string& word : entry.options.superblock) parameters.push_back({word, {}, true});
  if (entry.options.readonly() && !has_shared_superblock(entry.mount.type))
    parameters.push_back({"ro", {}, true});
  parameters.insert(parameters.end(), entry.options.parameters.begin(), entry.options.parameters.end());
  return parameters;
}

/// A new filesystem has nothing below and nothing to clear.
program::MountAttributes whole_attributes(const Options& options) {
  const program::MountAttributes& own = options.attributes;
  const program::MountAttributes& recursive = options.recursive_attributes;
  program::MountAttributes attributes;
  attributes.set = (recursive.set & ~own.clear) | own.set;
  return attributes;
}

/// Files still have to be made in these: mount points in any tmpfs, device nodes in /dev.
bool is_sealed_late(const Entry& entry) {
  return entry.options.readonly() && (entry.mount.type == "tmpfs" || entry.destination == "/dev");
}

std::uint32_t filesystem_flags(const Mounting& mounting, const Entry& entry) {
  std::uint32_t flags = 0;
  if (entry.options.copy_up) flags |= program::kMountCopyUp;
  const bool user =
      has_namespace(mounting.config, NamespaceType::user) || !mounting.compilation.facts.privileged;
  if (entry.mount.type == "sysfs" && user) flags |= program::kMountSysfsFallback;
  if (is_sealed_late(entry) || entry.destination == "/") flags |= program::kMountKeepSlot;
  return flags;
}

Result<void> check_filesystem(const Entry& entry) {
  if (entry.mount.type.empty() || entry.mount.type == "none") {
    Error error = refuse(entry, Code::invalid_config,
                         "the mount on " + entry.destination + " has neither a type nor the option bind");
    return error.advise(
        "for a directory or file of the host add the option \"bind\", or else the type of a filesystem");
  }
  if (entry.options.copy_up && entry.mount.type != "tmpfs")
    return refuse(entry, Code::invalid_config, "tmpcopyup is only for mounts of type tmpfs");
  if (entry.options.idmap || !entry.mount.uid_mappings.empty())
    return refuse(entry, Code::unsupported, "only bind mounts can be idmapped");
  return {};
}

Result<std::vector<Entry>> read_entries(const Mounting& mounting) {
  std::vector<Entry> entries;
  for (const spec::Mount& mount : mounting.config.mounts) {
    entries.push_back({mount, TRY(read_options(mount)), clean_path(mount.destination),
                       mounting.compilation.origin(mount.position)});
    TRY(check_proc(mounting, entries.back()));
  }
  return entries;
}

Result<void> compile_entry(Mounting& mounting, const Entry& entry) {
  const std::string& type = entry.mount.type;
  if (entry.options.remount) return compile_remount(mounting, entry);
  if (entry.options.bind) return compile_bind(mounting, entry);
  if (type == "cgroup" || type == "cgroup2") return compile_cgroup(mounting, entry);
  return compile_filesystem(mounting, entry);
}

/// What would be somebody else's if it were mounted from outside, or cover everything.
Result<void> check_addition(const Entry& entry) {
  const std::string& type = entry.mount.type;
  if (entry.destination == "/")
    return refuse(entry, Code::invalid_config, "nothing can be mounted over the root of a running container");
  if (!entry.options.bind && (type == "proc" || type == "cgroup" || type == "cgroup2"))
    return refuse(entry, Code::unsupported,
                  "a mount of type " + type + " can only be made with the container");
  return {};
}

bool is_shared(const Entry& entry) {
  const std::vector<Propagation>& changes = entry.options.propagations;
  return std::any_of(changes.begin(), changes.end(),
                     [](const Propagation& change) { return change.type == MS_SHARED; });
}

/// A new filesystem is private, unless it is attached to something shared.
std::size_t first_change(const Mounting& mounting, const std::vector<Propagation>& changes) {
  std::size_t first = 0;
  const auto is_idle = [](std::uint64_t type) { return type == MS_PRIVATE || type == MS_SLAVE; };
  while (!mounting.has_shared && first < changes.size() && is_idle(changes[first].type)) ++first;
  return first;
}

/// Hooks run before compile_seal, for as long as they like: what the host mounts meanwhile would come into
/// what is to be private, and stay there.
void close_before_hooks(const Mounting& mounting) {
  const spec::Hooks& hooks = mounting.config.hooks;
  const bool has_hooks =
      !hooks.prestart.empty() || !hooks.create_runtime.empty() || !hooks.create_container.empty();
  if (!has_hooks || !mounting.sealing.becomes_private) return;
  program::SealRoot seal;
  seal.root = mounting.compilation.root;
  seal.recursive_propagation = 1;
  seal.attributes.propagation = MS_PRIVATE;
  mounting.compilation.builder.emit(seal);
}

}  // namespace

program::Target target_of(Mounting& mounting, const Entry& entry, program::TargetKind kind) {
  program::Target target;
  target.path = mounting.compilation.builder.text(entry.destination);
  target.kind = kind;
  // A symlink here would have the kernel's interfaces somewhere else (CVE-2019-19921, CVE-2023-27561).
  if (entry.mount.type == "proc" || entry.mount.type == "sysfs")
    target.flags |= program::kTargetMustBeOrdinary;
  // check_proc has seen those that say where they go.
  else if (is_in_proc(entry))
    target.flags |= program::kTargetInProc;
  if (entry.options.target_no_follow) target.flags |= program::kTargetNoFollow;
  return target;
}

void change_propagation(Mounting& mounting, const Entry& entry, const std::vector<Propagation>& changes,
                        std::size_t first) {
  for (std::size_t index = first; index < changes.size(); ++index) {
    program::Remount remount;
    remount.root = mounting.compilation.root;
    remount.target = target_of(mounting, entry, program::TargetKind::directory);
    remount.target.flags |= program::kTargetMustExist;
    (changes[index].recursive ? remount.recursive_attributes : remount.attributes).propagation =
        changes[index].type;
    mounting.compilation.builder.emit(remount, entry.origin);
  }
}

program::List<program::FilesystemOption> filesystem_options(Mounting& mounting,
                                                            const std::vector<Parameter>& parameters) {
  program::Builder& builder = mounting.compilation.builder;
  std::vector<program::FilesystemOption> options;
  for (const Parameter& parameter : parameters)
    options.push_back({builder.text(parameter.key), builder.text(parameter.value), parameter.is_flag,
                       parameter.is_optional});
  return builder.list(std::span<const program::FilesystemOption>(options));
}

Result<void> compile_filesystem(Mounting& mounting, const Entry& entry) {
  TRY(check_filesystem(entry));
  std::vector<Parameter> parameters = superblock_parameters(entry);
  drop_unmapped_gid(mounting, entry, parameters);
  TRY(add_label(mounting, entry, parameters));
  program::Builder& builder = mounting.compilation.builder;
  program::MountFilesystem operation;
  operation.type = builder.text(entry.mount.type);
  operation.source = builder.text(entry.mount.source);
  operation.options = filesystem_options(mounting, parameters);
  operation.target = target_of(mounting, entry, program::TargetKind::directory);
  operation.attributes = whole_attributes(entry.options);
  operation.flags = filesystem_flags(mounting, entry);
  operation.root = mounting.compilation.root;
  if ((operation.flags & program::kMountKeepSlot) != 0) operation.mount = builder.reserve();
  if (is_sealed_late(entry)) {
    operation.attributes.set &= ~static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY);
    mounting.sealing.read_only.push_back({operation.mount, entry.origin});
  }
  builder.emit(operation, entry.origin);
  if (entry.destination == "/") mounting.compilation.root = operation.mount;
  const std::vector<Propagation>& changes = entry.options.propagations;
  change_propagation(mounting, entry, changes, first_change(mounting, changes));
  return {};
}

Result<void> compile_remount(Mounting& mounting, const Entry& entry) {
  const bool changes_filesystem = !entry.options.parameters.empty() || !entry.options.superblock.empty();
  if (changes_filesystem && entry.options.bind)
    return refuse(entry, Code::unsupported,
                  "remount,bind changes one mount; leave out bind to change its filesystem, too");
  program::Remount remount;
  if (changes_filesystem) remount.options = filesystem_options(mounting, superblock_parameters(entry));
  remount.root = mounting.compilation.root;
  remount.target = target_of(mounting, entry, program::TargetKind::directory);
  remount.target.flags = program::kTargetMustExist;
  // Through a symlink, "rw" would be for /proc/sys.
  if (mounting.is_running) remount.target.flags |= program::kTargetMustBeOrdinary;
  remount.attributes = entry.options.attributes;
  remount.recursive_attributes = entry.options.recursive_attributes;
  mounting.compilation.builder.emit(remount, entry.origin);
  change_propagation(mounting, entry, entry.options.propagations, 0);
  return {};
}

Result<Sealing> compile_tree(features::Compilation& compilation, const spec::Config& config,
                             const CgroupDirectories& cgroups, const SourceQueries& queries) {
  Mounting mounting{compilation, config, cgroups, queries};
  compilation.opens_in_turn = opens_in_turn(compilation.facts, config);
  std::vector<Entry> entries = TRY(read_entries(mounting));
  mounting.sources = sources_of(compilation, config, entries);
  mounting.sealing.becomes_private = mounting.sources.become_private;
  mounting.has_shared = shares_root(config);
  const program::Slot root = open_root(mounting);
  for (Entry& entry : entries)
    if (is_opened_early(mounting, entry)) TRY(open_source(mounting, entry));
  attach_root(mounting, root);
  for (Entry& entry : entries) {
    if (is_source_needed(entry) && !is_opened_early(mounting, entry)) TRY(open_source(mounting, entry));
    TRY(compile_entry(mounting, entry));
    mounting.has_shared = mounting.has_shared || is_shared(entry);
  }
  close_before_hooks(mounting);
  return std::move(mounting.sealing);
}

Result<void> compile_additions(features::Compilation& compilation, const spec::Config& config,
                               const SourceQueries& queries) {
  const CgroupDirectories nowhere;
  Mounting mounting{compilation, config, nowhere, queries};
  compilation.opens_in_turn = opens_in_turn(compilation.facts, config);
  mounting.has_shared = true;  // what the container has made of its mounts is not known
  mounting.is_running = true;
  std::vector<Entry> entries = TRY(read_entries(mounting));
  for (Entry& entry : entries) {
    TRY(check_addition(entry));
    if (is_source_needed(entry)) TRY(open_source(mounting, entry));
    if (!entry.link.empty())
      return refuse(entry, Code::unsupported, "a symlink can only be copied while the container is created");
    TRY(compile_entry(mounting, entry));
  }
  compile_late_readonly(compilation, mounting.sealing);
  return {};
}

Result<void> compile_removals(features::Compilation& compilation, const spec::Config& config) {
  for (auto mount = config.mounts.rbegin(); mount != config.mounts.rend(); ++mount) {
    const std::string path = clean_path(mount->destination);
    if (path == "/")
      return spec::at(mount->position, "destination",
                      make_error(Code::invalid_config, "the root itself cannot be removed"));
    program::DetachMount detach;
    detach.path = compilation.builder.text(path);
    detach.root = compilation.root;
    compilation.builder.emit(detach, compilation.origin(mount->position));
  }
  return {};
}

std::vector<Error> validate(const spec::Config& config) {
  std::vector<Error> errors;
  if (has_namespace(config, NamespaceType::mount)) return errors;
  const auto need = [&](const spec::Position& position, const char* what) {
    Error error = make_error(Code::invalid_config, std::string(what) + " without a private mount namespace");
    error.advise(
        "it would change what the host sees, and stay: add {\"type\": \"mount\"} to linux.namespaces");
    errors.push_back(spec::at(position, error));
  };
  if (!config.mounts.empty()) need(config.mounts.front().position, "unable to mount");
  if (!config.linux.masked_paths.empty())
    need(config.linux.masked_paths.front().position, "unable to restrict sys entries");
  if (!config.linux.readonly_paths.empty())
    need(config.linux.readonly_paths.front().position, "unable to restrict sys entries");
  if (config.root.readonly) need(config.root.position, "unable to make the root read-only");
  return errors;
}

}  // namespace davit::rootfs
