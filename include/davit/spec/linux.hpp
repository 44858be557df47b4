// SPDX-License-Identifier: Apache-2.0
// The `linux` object of runtime-spec 1.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/spec/position.hpp"
#include "davit/spec/resources.hpp"
#include "davit/spec/seccomp.hpp"

namespace davit::spec {

enum class NamespaceType : std::uint8_t { mount, pid, network, uts, ipc, user, cgroup, time };
inline constexpr std::size_t kNamespaceTypes = 8;

/// One entry of linux.namespaces; each type occurs at most once.
struct Namespace {
  NamespaceType type = NamespaceType::mount;
  std::string path;  ///< absolute: join it; empty: create a new one
  Position position;
};

/// A range of ids; never empty, never beyond 32 bits, and free of overlaps within its list.
struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
  Position position;
};

struct TimeOffset {
  std::int64_t secs = 0;
  std::uint32_t nanosecs = 0;  ///< below 1000000000
  Position position;
};

struct TimeOffsets {
  std::optional<TimeOffset> monotonic;
  std::optional<TimeOffset> boottime;
  Position position;
};

enum class DeviceType : std::uint8_t { character, block, fifo };

struct Device {
  DeviceType type = DeviceType::character;  ///< `u` is read as character
  std::string path;                         ///< absolute
  std::uint32_t major = 0;                  ///< 0 for a fifo
  std::uint32_t minor = 0;
  std::optional<std::uint32_t> file_mode;  ///< permission bits only
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  Position position;
};

/// A host network interface that moves into the container's network namespace.
struct NetDevice {
  std::string host_name;
  std::string name;  ///< inside; equals host_name when not given; may end in "%d"
  Position position;
};

struct IntelRdt {
  std::string clos_id;  ///< empty: the container id; "/": the default class
  std::string l3_cache_schema;
  std::string mem_bw_schema;          ///< "MB:..." or empty
  std::vector<std::string> schemata;  ///< one line each, without newline
  bool enable_monitoring = false;
  Position position;
};

enum class MemoryPolicyMode : std::uint8_t {
  default_policy,
  bind,
  interleave,
  weighted_interleave,
  preferred,
  preferred_many,
  local,
};
enum class MemoryPolicyFlag : std::uint8_t { numa_balancing, relative_nodes, static_nodes };

struct MemoryPolicy {
  MemoryPolicyMode mode = MemoryPolicyMode::default_policy;
  std::string nodes;  ///< a list like "0-3,7", or empty
  std::vector<MemoryPolicyFlag> flags;
  Position position;
};

/// The key is in dot or slash form as written; it has no empty, `.` or `..` part, and neither has NUL or
/// newline.
struct Sysctl {
  std::string key;
  std::string value;
  Position position;
};

/// The non-recursive names are those of the spec; the `r` forms are accepted because engines write them.
enum class RootfsPropagation : std::uint8_t {
  private_mount,
  shared,
  slave,
  unbindable,
  rprivate,
  rshared,
  rslave,
  runbindable,
};

enum class PersonalityDomain : std::uint8_t { linux64, linux32 };

struct Personality {
  PersonalityDomain domain = PersonalityDomain::linux64;
  Position position;
};

/// A path below the rootfs with the position of its list entry.
struct ListedPath {
  std::string path;  ///< absolute
  Position position;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;
  std::optional<TimeOffsets> time_offsets;
  std::vector<Device> devices;
  std::vector<NetDevice> net_devices;
  std::string cgroups_path;  ///< empty: the runtime chooses
  Resources resources;
  std::optional<IntelRdt> intel_rdt;
  std::optional<MemoryPolicy> memory_policy;
  std::vector<Sysctl> sysctl;
  std::optional<Seccomp> seccomp;
  std::optional<RootfsPropagation> rootfs_propagation;
  std::vector<ListedPath> masked_paths;
  std::vector<ListedPath> readonly_paths;
  std::string mount_label;  ///< empty: none
  std::optional<Personality> personality;
  Position position;

  /// The entry of a namespace type, or null when the container stays in the runtime's namespace.
  [[nodiscard]] const Namespace* find_namespace(NamespaceType type) const {
    for (const Namespace& entry : namespaces)
      if (entry.type == type) return &entry;
    return nullptr;
  }
};

}  // namespace davit::spec
