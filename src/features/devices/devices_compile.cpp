// SPDX-License-Identifier: Apache-2.0
// Device nodes and links of /dev.
#include <linux/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "davit/features/devices.hpp"

namespace davit::devices {
namespace {

struct DefaultDevice {
  std::string_view path;
  std::uint32_t major;
  std::uint32_t minor;
};
constexpr auto kDefaultDevices = std::to_array<DefaultDevice>({
    {"/dev/null", 1, 3},
    {"/dev/zero", 1, 5},
    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8},
    {"/dev/urandom", 1, 9},
    {"/dev/tty", 5, 0},
});

struct Link {
  std::string_view path;
  std::string_view content;
};
constexpr auto kLinks = std::to_array<Link>({
    {"/dev/fd", "/proc/self/fd"},
    {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"},
});

/// The path without doubled and trailing slashes, to compare it.
std::string normal(std::string_view path) {
  std::string result;
  for (const char character : path)
    if (character != '/' || !result.ends_with('/')) result.push_back(character);
  if (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return result;
}

bool has_option(const spec::Mount& mount, std::string_view option) {
  return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
}

bool is_bind(const spec::Mount& mount) {
  return mount.type == "bind" || mount.type == "rbind" || has_option(mount, "bind") ||
         has_option(mount, "rbind");
}

/// The /dev of a host already has everything, and what we would change in it is not ours. A devtmpfs is the
/// host's, too: there is only one.
bool has_bound_dev(const spec::Config& config) {
  const spec::Mount* dev = nullptr;
  for (const spec::Mount& mount : config.mounts)
    if (normal("/" + mount.destination) == "/dev" && !has_option(mount, "remount")) dev = &mount;
  if (dev == nullptr) return normal(config.root.path) == "/";
  return is_bind(*dev) || dev->type == "devtmpfs";
}

std::uint32_t node_type(spec::DeviceType type) {
  switch (type) {
    case spec::DeviceType::character:
      return S_IFCHR;
    case spec::DeviceType::block:
      return S_IFBLK;
    case spec::DeviceType::fifo:
      return S_IFIFO;
  }
  return 0;
}

void emit_device(features::Compilation& compilation, const spec::Config& config, const spec::Device& device,
                 program::Origin origin, bool cover_file) {
  constexpr std::uint32_t kDefaultMode = 0666;
  const std::string path = normal(device.path);
  const bool user = config.linux.find_namespace(spec::NamespaceType::user) != nullptr;
  program::MakeDevice make;
  make.path = compilation.builder.text(path);
  make.host_path = make.path;
  // mknod(2) is for the initial user namespace only; a fifo is no device and can always be made.
  const bool is_fifo = device.type == spec::DeviceType::fifo;
  make.bind = !is_fifo && (user || !compilation.facts.privileged) ? 1 : 0;
  make.mode = node_type(device.type) | (device.file_mode.value_or(kDefaultMode) & 07777U);
  make.uid = device.uid.value_or(0);
  make.gid = device.gid.value_or(0);
  make.major = device.major;
  make.minor = device.minor;
  make.cover_file = cover_file ? 1 : 0;
  make.root = compilation.root;
  compilation.builder.emit(make, origin);
}

/// What an id in the container is outside; nobody's where the config does not tell.
std::uint32_t host_id(const std::vector<spec::IdMapping>& mappings, std::uint32_t id) {
  for (const spec::IdMapping& mapping : mappings)
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size)
      return mapping.host_id + (id - mapping.container_id);
  return 0;
}

/// Handed in like the host's own nodes.
void emit_made_device(features::Compilation& compilation, const spec::Config& config,
                      const spec::Device& device) {
  spec::Device outside = device;
  outside.uid = host_id(config.linux.uid_mappings, device.uid.value_or(0));
  outside.gid = host_id(config.linux.gid_mappings, device.gid.value_or(0));
  program::MountTree mount;
  mount.tree = compilation.request_source({.kind = features::RequestKind::device,
                                           .path = device.path,
                                           .device = std::move(outside),
                                           .position = device.position});
  mount.root = compilation.root;
  mount.target.path = compilation.builder.text(normal(device.path));
  mount.target.kind = program::TargetKind::file;
  mount.target.flags = program::kTargetNoFollow;
  mount.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  compilation.builder.emit(mount, compilation.origin(device.position));
}

void emit_link(features::Compilation& compilation, const Link& link, bool replace) {
  program::MakeSymlink make;
  make.content = compilation.builder.text(link.content);
  make.path = compilation.builder.text(link.path);
  make.root = compilation.root;
  make.keep_existing = replace ? 0 : 1;
  make.replace = replace ? 1 : 0;
  compilation.builder.emit(make);
}

}  // namespace

Result<void> compile(features::Compilation& compilation, const spec::Config& config, bool link_core,
                     bool (*host_has)(const spec::Device& device)) {
  const bool bound = has_bound_dev(config);
  const auto& wanted = config.linux.devices;
  // A file at the path of a configured device is an error (config-linux.md), and one that could be covered in
  // the mount namespace of somebody else only is one, too.
  const spec::Namespace* mounts = config.linux.find_namespace(spec::NamespaceType::mount);
  const bool own_mounts = mounts != nullptr && mounts->path.empty();
  const bool in_user_namespace = config.linux.find_namespace(spec::NamespaceType::user) != nullptr;
  for (const DefaultDevice& device : kDefaultDevices) {
    const auto same = [&](const spec::Device& other) { return normal(other.path) == device.path; };
    if (bound || std::any_of(wanted.begin(), wanted.end(), same)) continue;
    spec::Device entry;
    entry.path = device.path;
    entry.major = device.major;
    entry.minor = device.minor;
    emit_device(compilation, config, entry, 0, own_mounts);
  }
  for (const spec::Device& device : wanted) {
    if (bound && normal(device.path).starts_with("/dev/")) continue;
    const bool is_lacking = host_has != nullptr && device.type != spec::DeviceType::fifo && !host_has(device);
    if (in_user_namespace && compilation.facts.privileged && is_lacking)
      emit_made_device(compilation, config, device);
    else
      emit_device(compilation, config, device, compilation.origin(device.position), false);
  }
  if (bound) return {};
  for (const Link& link : kLinks) emit_link(compilation, link, false);
  if (link_core) emit_link(compilation, {"/dev/core", "/proc/kcore"}, false);
  // An image's own ptmx node would open ptys of the host.
  emit_link(compilation, {"/dev/ptmx", "pts/ptmx"}, true);
  return {};
}

}  // namespace davit::devices
