// SPDX-License-Identifier: Apache-2.0
#include "container/mountpoints.hpp"

#include <fcntl.h>
#include <linux/openat2.h>

#include <cerrno>

#include "container/paths.hpp"
#include "davit/criu/translation.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/rootfs.hpp"

namespace davit::container {

namespace {

constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kFileMode = 0644;

/// The tree is hostile: every step goes through a descriptor below its root.
Result<void> make_below(const sys::RootFs& root, const std::string& path, bool is_directory) {
  const auto there = root.open_at(sys::ContainerPath(path), O_PATH);
  if (there.ok()) return {};
  if (there.error().errno_value != ENOENT) return there.error();
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  if (parent != "/") TRY(make_below(root, parent, true));
  const sys::UniqueFd directory = TRY(root.open_at(sys::ContainerPath(parent), O_RDONLY | O_DIRECTORY));
  if (is_directory) return sys::make_directory_at(directory, name, kDirectoryMode);
  TRY(sys::open_at(directory, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode));
  return {};
}

std::string source_of(const spec::Mount& mount, const std::string& bundle) {
  return below(bundle, mount.source);
}

/// The mount that `path` is on, among those before it; null: the rootfs.
const spec::Mount* mount_around(const spec::Config& config, const spec::Mount& inner,
                                const std::string& path) {
  const spec::Mount* around = nullptr;
  for (const spec::Mount& mount : config.mounts) {
    if (&mount == &inner) break;
    if (is_below(path, criu::destination_of(mount))) around = &mount;
  }
  return around;
}

Result<void> make_one(const spec::Config& config, const spec::Mount& mount, const std::string& rootfs,
                      const std::string& bundle) {
  const std::string path = criu::destination_of(mount);
  if (path == "/") return {};
  bool is_directory = true;
  if (criu::is_bind(mount)) {
    const auto source = sys::stat_at(sys::current_directory(), source_of(mount, bundle));
    if (!source.ok()) return source.error();
    is_directory = S_ISDIR(source->st_mode);
  }
  const spec::Mount* around = mount_around(config, mount, path);
  if (around == nullptr) return make_below(TRY(sys::RootFs::open(rootfs)), path, is_directory);
  if (!criu::is_bind(*around)) return {};
  const std::string inner = path.substr(criu::destination_of(*around).size());
  return make_below(TRY(sys::RootFs::open(source_of(*around, bundle))), inner, is_directory);
}

Result<std::string> resolve_source(const std::string& source, const std::string& rootfs) {
  const sys::RootFs root = TRY(sys::RootFs::open(rootfs));
  const std::string inside = source == rootfs ? "/" : source.substr(rootfs.size());
  const sys::UniqueFd file = TRY(root.open_at(sys::ContainerPath(inside), O_PATH));
  return sys::read_link("/proc/self/fd/" + std::to_string(file.number()));
}

}  // namespace

Result<void> resolve_sources(spec::Config& config, const std::string& rootfs, const std::string& bundle) {
  if (rootfs == "/") return {};
  for (spec::Mount& mount : config.mounts) {
    const std::string source = source_of(mount, bundle);
    if (!criu::is_bind(mount) || (source != rootfs && !is_below(source, rootfs))) continue;
    auto resolved = resolve_source(source, rootfs);
    if (!resolved.ok()) return spec::at(mount.position, "source", resolved.error());
    mount.source = std::move(*resolved);
  }
  return {};
}

Result<void> check_straight(const spec::Config& config, const std::string& bundle, const std::string& place) {
  std::string base = "/";
  for (const spec::Mount& mount : config.mounts) {
    const std::string source = source_of(mount, bundle);
    if (criu::is_bind(mount) && is_below(place, source) && source.size() > base.size()) base = source;
  }
  const auto directory = sys::open(base, O_PATH | O_DIRECTORY);
  if (!directory.ok()) return directory.error();
  const std::string rest = place.substr(base == "/" ? 1 : base.size() + 1);
  const auto found = sys::open_at2(*directory, rest, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (found.ok() || found.error().errno_value != ELOOP) return {};  // what is missing CRIU says itself
  return make_error(Code::system, "a symlink leads to " + place + ", where the image has a mount from");
}

Result<void> make_mountpoints(const spec::Config& config, const std::string& rootfs,
                              const std::string& bundle) {
  for (const spec::Mount& mount : config.mounts) {
    const auto made = make_one(config, mount, rootfs, bundle);
    if (!made.ok()) return spec::at(mount.position, made.error());
  }
  return {};
}

}  // namespace davit::container
