// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "spec/sections.hpp"

namespace davit::spec {
namespace {

/// Go programs leave an unset propagation out or write it empty; both ask for nothing.
struct Propagation {
  std::optional<RootfsPropagation> value;
};

bool read(Report& report, json::Value value, Propagation& target) {
  if (value.kind() == json::Kind::string && value.text().empty()) return true;
  return read(report, value, target.value);
}

}  // namespace

void read_members(Object& object, Linux& linux) {
  Propagation propagation;
  object.optional("uidMappings", linux.uid_mappings);
  object.optional("gidMappings", linux.gid_mappings);
  object.entries("sysctl", linux.sysctl);
  object.optional("resources", linux.resources);
  object.optional("cgroupsPath", linux.cgroups_path);
  object.optional("namespaces", linux.namespaces);
  object.optional("devices", linux.devices);
  object.entries("netDevices", linux.net_devices);
  object.optional("seccomp", linux.seccomp);
  object.optional("rootfsPropagation", propagation);
  object.optional("maskedPaths", linux.masked_paths);
  object.optional("readonlyPaths", linux.readonly_paths);
  object.optional("mountLabel", linux.mount_label);
  object.optional("intelRdt", linux.intel_rdt);
  object.optional("memoryPolicy", linux.memory_policy);
  object.optional("personality", linux.personality);
  object.optional("timeOffsets", linux.time_offsets);
  linux.rootfs_propagation = propagation.value;
}

void read_members(Object& object, Namespace& entry) {
  object.required("type", entry.type);
  object.optional("path", entry.path);
}

void read_members(Object& object, TimeOffsets& offsets) {
  object.optional("monotonic", offsets.monotonic);
  object.optional("boottime", offsets.boottime);
}

void read_members(Object& object, TimeOffset& offset) {
  object.optional("secs", offset.secs);
  object.optional("nanosecs", offset.nanosecs);
}

void read_members(Object& object, Device& device) {
  std::optional<std::uint32_t> major;
  std::optional<std::uint32_t> minor;
  object.required("path", device.path);
  object.required("type", device.type);
  if (object.intact() && device.type != DeviceType::fifo) {
    object.required("major", major);
    object.required("minor", minor);
    device.major = major.value_or(0);
    device.minor = minor.value_or(0);
  } else {
    object.ignored("major");
    object.ignored("minor");
  }
  object.optional("fileMode", device.file_mode);
  object.optional("uid", device.uid);
  object.optional("gid", device.gid);
}

void read_members(Object& object, NetDevice& device) {
  object.optional("name", device.name);
}

void read_members(Object& object, IntelRdt& rdt) {
  object.optional("closID", rdt.clos_id);
  object.optional("l3CacheSchema", rdt.l3_cache_schema);
  object.optional("memBwSchema", rdt.mem_bw_schema);
  object.optional("schemata", rdt.schemata);
  object.optional("enableMonitoring", rdt.enable_monitoring);
}

void read_members(Object& object, MemoryPolicy& policy) {
  object.required("mode", policy.mode);
  object.optional("nodes", policy.nodes);
  object.optional("flags", policy.flags);
}

void read_members(Object& object, Personality& personality) {
  std::vector<std::string> flags;
  object.required("domain", personality.domain);
  object.optional("flags", flags);
  if (!flags.empty())
    object.report().error(object.position(), "flags",
                          "no personality flags are supported by the specification");
}

bool read(Report& report, json::Value value, ListedPath& path) {
  path.position = position_of(value);
  if (!read(report, value, path.path)) return false;
  check_absolute(report, path.position, {}, path.path);
  return true;
}

bool read_entry(Report& report, std::string_view key, json::Value value, NetDevice& device) {
  device.host_name = key;
  if (!read(report, value, device)) return false;
  if (device.name.empty()) device.name = key;
  check_interface(report, device.position, {}, device.host_name);
  const std::string_view name = device.name;
  check_interface(report, device.position, "name",
                  name.ends_with("%d") ? name.substr(0, name.size() - 2) : name);
  return true;
}

bool read_entry(Report& report, std::string_view key, json::Value value, Sysctl& sysctl) {
  sysctl.key = key;
  sysctl.position = position_of(value);
  if (!read(report, value, sysctl.value)) return false;
  const std::string_view separators = key.find('/') == std::string_view::npos ? "." : "/";
  bool sane = !key.empty();
  for (std::size_t begin = 0; sane && begin <= key.size();) {
    const std::size_t end = std::min(key.find_first_of(separators, begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    sane = !part.empty() && part != "." && part != "..";
    begin = end + 1;
  }
  const bool control = std::any_of(key.begin(), key.end(), [](char c) { return c >= 0 && c <= ' '; });
  if (!sane || control) report.error(value, text("invalid sysctl name ", json::quoted(key)));
  if (has_newline(sysctl.value)) report.error(value, "a sysctl value must be one line");
  return true;
}

}  // namespace davit::spec
