// Which filesystems mount(2) can mount in one call.
#include <linux/mount.h>

#include <algorithm>
#include <array>

#include "features/rootfs/mounting.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;

/// Filesystems of the kernel's own, whose parameters mean the same in either way.
bool is_known(std::string_view type) {
  static constexpr auto kTypes =
      std::to_array<std::string_view>({"cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs", "tmpfs"});
  return std::binary_search(kTypes.begin(), kTypes.end(), type);
}

/// Whether davit puts something into it: device nodes, cgroup hierarchies.
bool is_needed_open(const Mounting& mounting, const Entry& entry) {
  const auto& mounts = mounting.config.mounts;
  return entry.destination == "/dev" ||
         std::any_of(mounts.begin(), mounts.end(), [&](const spec::Mount& other) {
           return other.type == "cgroup" && clean(other.destination) == entry.destination;
         });
}

/// The parameters as one text; false: there are such as it cannot say.
bool join(const std::vector<Parameter>& parameters, std::string& data) {
  for (const Parameter& parameter : parameters) {
    const bool is_plain = (parameter.key + parameter.value).find_first_of(",\\\"") == std::string::npos;
    if (parameter.is_optional || !is_plain) return false;
    if (!data.empty()) data += ',';
    data += parameter.is_flag ? parameter.key : parameter.key + "=" + parameter.value;
  }
  return true;
}

bool has_mode(const std::vector<Parameter>& parameters) {
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const Parameter& parameter) { return parameter.key == "mode"; });
}

}  // namespace

bool is_filled(const Mounting& mounting, const std::string& destination) {
  const auto& mounts = mounting.config.mounts;
  return std::any_of(mounts.begin(), mounts.end(), [&](const spec::Mount& other) {
    return is_below(clean(other.destination), destination);
  });
}

void mount_at_once(Mounting& mounting, const Entry& entry, const std::vector<Parameter>& parameters,
                   program::MountFilesystem& operation) {
  // Read-only would go to the superblock, too, which others may share; the rest has numbers of its own.
  constexpr std::uint64_t kSame = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const bool is_simple = operation.flags == 0 && (operation.attributes.set & ~kSame) == 0 &&
                         operation.attributes.propagation == 0;
  // A tmpfs of several parts is needed open, and one without a mode inherits it.
  const bool is_tmpfs = entry.mount.type == "tmpfs";
  const bool is_empty = !is_tmpfs || (has_mode(parameters) && !is_filled(mounting, entry.destination) &&
                                      !is_needed_open(mounting, entry));
  // The working directory is changed on the way, which hooks would see.
  const bool is_seen = !mounting.config.hooks.create_container.empty();
  std::string data;
  if (!is_known(entry.mount.type) || !is_simple || !is_empty || is_seen || !join(parameters, data)) return;
  operation.flags |= program::kMountAtOnce;
  if (is_new_namespace(mounting.config, NamespaceType::mount)) operation.flags |= program::kMountAlone;
  operation.data = mounting.compilation.builder.text(data);
}

}  // namespace davit::rootfs
