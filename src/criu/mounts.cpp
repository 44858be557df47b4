// SPDX-License-Identifier: Apache-2.0
// The mounts that are not the container's own.
#include <algorithm>

#include "davit/base/path.hpp"
#include "davit/criu/translation.hpp"
#include "davit/host/mountinfo.hpp"
#include "davit/json/document.hpp"
#include "davit/json/writer.hpp"

namespace davit::criu {
namespace {

constexpr std::string_view kNull = "/dev/null";

std::vector<host::MountInfo> all_of(std::string_view mountinfo) {
  std::vector<host::MountInfo> mounts;
  host::each_mount(
      mountinfo, [](std::string_view) { return true; },
      [&](host::MountInfo mount) { mounts.push_back(std::move(mount)); });
  return mounts;
}

const host::MountInfo* find(const std::vector<host::MountInfo>& mounts, const std::string& mount_point) {
  // The last one is on top.
  const auto found = std::find_if(mounts.rbegin(), mounts.rend(), [&](const host::MountInfo& mount) {
    return mount.mount_point == mount_point;
  });
  return found == mounts.rend() ? nullptr : &*found;
}

/// Whether `path` is `directory` or below it.
bool is_in(std::string_view path, std::string_view directory) {
  return path == directory || is_below(path, directory);
}

std::string joined(const std::string& directory, std::string_view rest) {
  if (rest.empty()) return directory;
  return (directory == "/" ? "" : directory) + (rest.front() == '/' ? "" : "/") + std::string(rest);
}

/// Where the host has what `mount` shows; nothing where it does not, or something else covers it.
std::optional<std::string> place_on_host(const std::vector<host::MountInfo>& hosts,
                                         const host::MountInfo& mount) {
  for (const host::MountInfo& candidate : hosts) {
    if (candidate.device != mount.device || !is_in(mount.root, candidate.root)) continue;
    const std::size_t skipped = candidate.root == "/" ? 0 : candidate.root.size();
    const std::string_view rest = std::string_view(mount.root).substr(skipped);
    std::string place = joined(candidate.mount_point, rest == "/" ? std::string_view() : rest);
    const host::MountInfo* top = nullptr;
    for (const host::MountInfo& other : hosts)
      if (is_in(place, other.mount_point) &&
          (top == nullptr || other.mount_point.size() >= top->mount_point.size()))
        top = &other;
    if (top == &candidate) return place;
  }
  return {};
}

/// Filesystems that a container may share with the host without having got them from it by name.
bool is_everywhere(std::string_view type) {
  constexpr std::string_view kTypes[] = {"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

bool sees_hosts_cgroups(const spec::Config& config) {
  const spec::Namespace* own = config.linux.find_namespace(spec::NamespaceType::cgroup);
  return own == nullptr || !own->path.empty();
}

std::string source_of(const spec::Mount& mount, const std::string& bundle) {
  return host_path(mount.source, bundle);
}

/// Where a mount is that lies below a bind of the config; nothing: below none.
std::optional<std::string> place_below_bind(const spec::Config& config, const std::string& bundle,
                                            const std::string& mount_point) {
  std::optional<std::string> place;
  std::size_t longest = 0;
  for (const spec::Mount& mount : config.mounts) {
    const std::string destination = destination_of(mount);
    if (!is_bind(mount) || destination == "/" || !is_in(mount_point, destination)) continue;
    if (place && destination.size() < longest) continue;
    longest = destination.size();
    place = joined(source_of(mount, bundle), std::string_view(mount_point).substr(longest));
  }
  return place;
}

/// Collects what CRIU is told at a dump.
class Finder {
 public:
  Finder(const spec::Config& config, std::vector<host::MountInfo> mounts)
      : config_(config), mounts_(std::move(mounts)) {}

  void add_binds(const std::function<std::optional<std::string>(const std::string&)>& resolve) {
    for (const spec::Mount& mount : config_.mounts) {
      const std::string destination = destination_of(mount);
      if (!is_bind(mount) || destination == "/") continue;
      const bool is_there = find(mounts_, destination) != nullptr;
      const auto real = is_there ? std::optional<std::string>(destination) : resolve(destination);
      if (!real) continue;
      add(*real, destination);
      binds_.push_back(*real);
    }
  }
  void add_devices() {
    for (const spec::Device& device : config_.linux.devices)
      if (find(mounts_, clean_path(device.path)) != nullptr)
        add(clean_path(device.path), clean_path(device.path));
  }
  /// A masked directory has a filesystem of the container's own on it.
  void add_masked_files() {
    for (const spec::ListedPath& masked : config_.linux.masked_paths) {
      const host::MountInfo* found = find(mounts_, clean_path(masked.path));
      if (found != nullptr && found->root.ends_with("/null")) add(found->mount_point, std::string(kNull));
    }
  }
  void add_unforeseen(const std::vector<host::MountInfo>& hosts) {
    for (const host::MountInfo& mount : mounts_) {
      if (mount.mount_point == "/" || is_known(mount.mount_point) || is_own(mount)) continue;
      const auto place = place_on_host(hosts, mount);
      if (!place) continue;
      add(mount.mount_point, mount.mount_point);
      found_.unforeseen.push_back({mount.mount_point, *place});
    }
  }
  void add_cgroups() {
    if (!sees_hosts_cgroups(config_)) return;
    for (const host::MountInfo& mount : mounts_)
      if (mount.type == "cgroup" || mount.type == "cgroup2") add(mount.mount_point, mount.mount_point);
  }
  DumpedMounts take() { return std::move(found_); }

 private:
  bool is_known(const std::string& key) const {
    return std::any_of(found_.external.begin(), found_.external.end(),
                       [&](const ExternalMount& known) { return known.key == key; });
  }
  void add(const std::string& key, const std::string& value) {
    if (!is_known(key)) found_.external.push_back({key, value});
  }
  /// What the config has mounted there is the container's, even where the host has the same filesystem.
  bool is_own(const host::MountInfo& mount) const {
    const bool is_configured = std::any_of(
        config_.mounts.begin(), config_.mounts.end(),
        [&](const spec::Mount& one) { return !is_bind(one) && destination_of(one) == mount.mount_point; });
    const bool is_below_bind = std::any_of(binds_.begin(), binds_.end(), [&](const std::string& bind) {
      return is_in(mount.mount_point, bind);
    });
    return is_configured || (is_everywhere(mount.type) && !is_below_bind);
  }

  const spec::Config& config_;
  std::vector<host::MountInfo> mounts_;
  std::vector<std::string> binds_;  ///< where they really are
  DumpedMounts found_;
};

}  // namespace

bool is_bind(const spec::Mount& mount) {
  return mount.type == "bind" ||
         std::any_of(mount.options.begin(), mount.options.end(),
                     [](const auto& word) { return word == "bind" || word == "rbind"; });
}

std::string destination_of(const spec::Mount& mount) {
  return clean_path(mount.destination);
}

DumpedMounts dumped_mounts(
    const spec::Config& config, std::string_view mountinfo, std::string_view hosts,
    const std::function<std::optional<std::string>(const std::string& destination)>& resolve) {
  Finder finder(config, all_of(mountinfo));
  finder.add_binds(resolve);
  finder.add_devices();
  finder.add_masked_files();
  finder.add_unforeseen(all_of(hosts));
  finder.add_cgroups();
  return finder.take();
}

std::vector<ExternalMount> restored_mounts(const spec::Config& config, const std::string& bundle,
                                           const std::vector<CgroupSource>& cgroups,
                                           const std::vector<ExternalMount>& unforeseen) {
  std::vector<ExternalMount> result;
  for (const spec::Mount& mount : config.mounts) {
    const std::string destination = destination_of(mount);
    if (is_bind(mount) && destination != "/") result.push_back({destination, source_of(mount, bundle)});
    const bool is_cgroup = mount.type == "cgroup" || mount.type == "cgroup2";
    if (!is_cgroup || !sees_hosts_cgroups(config)) continue;
    for (const CgroupSource& source : cgroups)
      result.push_back({source.name.empty() ? destination : destination + "/" + source.name, source.path});
  }
  for (const spec::Device& device : config.linux.devices)
    result.push_back({clean_path(device.path), clean_path(device.path)});
  if (!config.linux.masked_paths.empty()) result.push_back({std::string(kNull), std::string(kNull)});
  for (const ExternalMount& mount : unforeseen) {
    const bool is_foreseen =
        std::any_of(result.begin(), result.end(), [&](const auto& known) { return known.key == mount.key; });
    if (is_foreseen) continue;
    const auto below = place_below_bind(config, bundle, mount.key);
    result.push_back({mount.key, below ? *below : mount.value});
  }
  return result;
}

std::string mounts_json(const std::vector<ExternalMount>& unforeseen) {
  json::Writer out(json::Style::compact);
  out.begin_object();
  for (const ExternalMount& mount : unforeseen) out.key(mount.key).string(mount.value);
  return out.end_object().take();
}

Result<std::vector<ExternalMount>> parse_mounts(std::string text) {
  const auto parsed = json::Document::parse(std::move(text), kMountsFile);
  if (parsed.document == nullptr || !parsed.errors.empty()) return parsed.errors.front();
  const json::Value root = parsed.document->root();
  const Error foreign = make_error(Code::invalid_argument,
                                   std::string(kMountsFile) + " of the image is no object of absolute paths");
  if (root.kind() != json::Kind::object) return foreign;
  std::vector<ExternalMount> mounts;
  for (std::uint32_t node = root.begin_node(); node < root.end_node();) {
    const json::Value key = parsed.document->at(node);
    const json::Value value = parsed.document->at(node + 1);
    if (value.kind() != json::Kind::string || !key.text().starts_with('/') || !value.text().starts_with('/'))
      return foreign;
    mounts.push_back({std::string(key.text()), std::string(value.text())});
    node = value.next_node();
  }
  return mounts;
}

}  // namespace davit::criu
