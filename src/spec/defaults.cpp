// SPDX-License-Identifier: Apache-2.0
#include "davit/spec/defaults.hpp"

#include <cstdlib>
#include <optional>

#include "davit/json/writer.hpp"
#include "davit/spec/reader.hpp"
#include "davit/spec/state.hpp"

namespace davit::spec {
namespace {

using Strings = std::vector<std::string>;

struct DefaultMount {
  std::string_view destination;
  std::string_view type;
  std::string_view source;
  Strings options;
};

/// The ids that become root in a rootless container.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// Without a network namespace of its own a container may not mount sysfs, and gid 5 is not mapped.
std::vector<DefaultMount> default_mounts(bool rootless) {
  Strings devpts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (!rootless) devpts.emplace_back("gid=5");
  DefaultMount sysfs{"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}};
  if (rootless) sysfs = {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}};
  return {
      {"/proc", "proc", "proc", {}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts", "devpts", "devpts", devpts},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      sysfs,
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
}

void write_process(json::Writer& writer) {
  const Strings capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  writer.key("process").begin_object();
  writer.key("terminal").boolean(true);
  writer.key("user").begin_object().key("uid").number(0).key("gid").number(0).end_object();
  writer.key("args").strings({"sh"});
  writer.key("env").strings(
      {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
  writer.key("cwd").string("/");
  writer.key("capabilities").begin_object();
  for (const char* set : {"bounding", "effective", "permitted"}) writer.key(set).strings(capabilities);
  writer.end_object();
  writer.key("rlimits").begin_array().begin_object();
  writer.key("type").string("RLIMIT_NOFILE").key("hard").number(1024).key("soft").number(1024);
  writer.end_object().end_array();
  writer.key("noNewPrivileges").boolean(true);
  writer.end_object();
}

void write_mounts(json::Writer& writer, bool rootless) {
  writer.key("mounts").begin_array();
  for (const DefaultMount& mount : default_mounts(rootless)) {
    writer.begin_object();
    writer.key("destination").string(mount.destination);
    writer.key("type").string(mount.type);
    writer.key("source").string(mount.source);
    if (!mount.options.empty()) writer.key("options").strings(mount.options);
    writer.end_object();
  }
  writer.end_array();
}

void write_mapping(json::Writer& writer, std::string_view key, std::uint32_t host_id) {
  writer.key(key).begin_array().begin_object();
  writer.key("containerID").number(0).key("hostID").number(host_id).key("size").number(1);
  writer.end_object().end_array();
}

void write_linux(json::Writer& writer, const std::optional<Owner>& owner, bool with_cgroup) {
  writer.key("linux").begin_object();
  if (owner) {
    write_mapping(writer, "uidMappings", owner->uid);
    write_mapping(writer, "gidMappings", owner->gid);
  } else {
    writer.key("resources").begin_object().key("devices").begin_array().begin_object();
    writer.key("allow").boolean(false).key("access").string("rwm");
    writer.end_object().end_array().end_object();
  }
  Strings namespaces = {"pid", "ipc", "uts", "mount"};
  if (with_cgroup) namespaces.emplace_back("cgroup");
  namespaces.emplace_back(owner ? "user" : "network");
  writer.key("namespaces").begin_array();
  for (const std::string& type : namespaces) writer.begin_object().key("type").string(type).end_object();
  writer.end_array();
  writer.key("maskedPaths")
      .strings({"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"});
  writer.key("readonlyPaths")
      .strings({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
  writer.end_object();
}

std::string write_config(const std::optional<Owner>& owner, bool with_cgroup) {
  json::Writer writer(json::Style::pretty);
  writer.begin_object();
  writer.key("ociVersion").string(kOciVersion);
  write_process(writer);
  writer.key("root").begin_object().key("path").string("rootfs").key("readonly").boolean(true).end_object();
  writer.key("hostname").string("davit");
  write_mounts(writer, owner.has_value());
  write_linux(writer, owner, with_cgroup);
  writer.end_object();
  return writer.take() + "\n";
}

}  // namespace

std::string default_config_json(bool with_cgroup_namespace) {
  return write_config(std::nullopt, with_cgroup_namespace);
}

std::string rootless_config_json(std::uint32_t uid, std::uint32_t gid, bool with_cgroup_namespace) {
  return write_config(Owner{uid, gid}, with_cgroup_namespace);
}

Config default_config() {
  Read<Config> config = read_config(default_config_json(true), "default configuration");
  if (!config.ok()) std::abort();
  return std::move(config.value);
}

}  // namespace davit::spec
