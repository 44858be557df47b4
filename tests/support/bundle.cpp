// SPDX-License-Identifier: Apache-2.0
#include "support/bundle.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "support/payload.hpp"
#include "support/process.hpp"

namespace support {
namespace {

constexpr std::string_view kDefaultConfig = R"({
  "ociVersion": "1.0.2",
  "process": {
    "terminal": false,
    "user": {"uid": 0, "gid": 0},
    "args": ["/bin/true"],
    "env": ["PATH=/bin:/usr/bin", "TERM=xterm"],
    "cwd": "/",
    "noNewPrivileges": true
  },
  "root": {"path": "rootfs", "readonly": false},
  "hostname": "davit-test",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}],
    "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/acpi"],
    "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]
  }
})";

constexpr std::string_view kMinimalConfig = R"({
  "ociVersion": "1.0.2",
  "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "env": ["PATH=/bin"], "cwd": "/"},
  "root": {"path": "rootfs"},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
  "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}
})";

// In the order of their numbers.
constexpr const char* kCapabilities[] = {"CHOWN",
                                         "DAC_OVERRIDE",
                                         "DAC_READ_SEARCH",
                                         "FOWNER",
                                         "FSETID",
                                         "KILL",
                                         "SETGID",
                                         "SETUID",
                                         "SETPCAP",
                                         "LINUX_IMMUTABLE",
                                         "NET_BIND_SERVICE",
                                         "NET_BROADCAST",
                                         "NET_ADMIN",
                                         "NET_RAW",
                                         "IPC_LOCK",
                                         "IPC_OWNER",
                                         "SYS_MODULE",
                                         "SYS_RAWIO",
                                         "SYS_CHROOT",
                                         "SYS_PTRACE",
                                         "SYS_PACCT",
                                         "SYS_ADMIN",
                                         "SYS_BOOT",
                                         "SYS_NICE",
                                         "SYS_RESOURCE",
                                         "SYS_TIME",
                                         "SYS_TTY_CONFIG",
                                         "MKNOD",
                                         "LEASE",
                                         "AUDIT_WRITE",
                                         "AUDIT_CONTROL",
                                         "SETFCAP",
                                         "MAC_OVERRIDE",
                                         "MAC_ADMIN",
                                         "SYSLOG",
                                         "WAKE_ALARM",
                                         "BLOCK_SUSPEND",
                                         "AUDIT_READ",
                                         "PERFMON",
                                         "BPF",
                                         "CHECKPOINT_RESTORE"};
// What engines give by default.
constexpr std::uint64_t kUsualSet = 0xa80425fb;

std::vector<std::string> capabilities(bool all) {
  std::vector<std::string> names;
  for (unsigned number = 0; number < std::size(kCapabilities); ++number)
    // What we lack ourselves cannot be given; peers fail when asked to.
    if (has_capability(number) && (all || (kUsualSet >> number & 1U) != 0))
      names.push_back(std::string("CAP_") + kCapabilities[number]);
  return names;
}

Json capability_sets(bool all) {
  Json sets = Json::object();
  for (const char* set : {"bounding", "effective", "permitted"}) sets[set] = Json(capabilities(all));
  return sets;
}

// Those that scripts of tests call: busybox has four times as many, and making links is most of a bundle.
constexpr const char* kApplets[] = {
    "[",      "adjtimex", "arch",       "ash",    "awk",     "base64",    "basename", "cat",      "chmod",
    "chown",  "chroot",   "clear",      "cmp",    "cp",      "cut",       "date",     "dd",       "df",
    "diff",   "dirname",  "echo",       "env",    "expr",    "fallocate", "false",    "find",     "free",
    "getopt", "grep",     "groups",     "head",   "hexdump", "hostname",  "id",       "ifconfig", "init",
    "ip",     "kill",     "last",       "less",   "link",    "ln",        "login",    "ls",       "mkdir",
    "mkfifo", "mknod",    "mktemp",     "more",   "mount",   "nproc",     "nsenter",  "od",       "passwd",
    "pidof",  "ping",     "pivot_root", "printf", "ps",      "pwd",       "readlink", "realpath", "reboot",
    "renice", "reset",    "rm",         "rmdir",  "sed",     "seq",       "setsid",   "sh",       "sha256sum",
    "sleep",  "sort",     "stat",       "stty",   "su",      "swapoff",   "swapon",   "sync",     "sysctl",
    "tail",   "taskset",  "tee",        "test",   "time",    "timeout",   "top",      "touch",    "tr",
    "true",   "truncate", "ts",         "tty",    "umount",  "uname",     "uniq",     "unlink",   "unshare",
    "uptime", "usleep",   "wc",         "which",  "who",     "whoami",    "xargs",    "yes"};

}  // namespace

Json default_config() {
  Json config = Json::parse(kDefaultConfig);
  config["process"]["capabilities"] = capability_sets(false);
  return config;
}

Json minimal_config() {
  Json config = Json::parse(kMinimalConfig);
  config["process"]["capabilities"] = capability_sets(true);
  return config;
}

Json all_capabilities() {
  return capability_sets(true);
}

Bundle::Bundle(Json config_) : config(std::move(config_)), dir_("b") {
  make_rootfs(rootfs());
}

void Bundle::write() const {
  write_text(config.dump());
}
void Bundle::write_text(std::string_view text) const {
  write_file(dir_ / "config.json", text);
}

Bundle& Bundle::sh(std::string_view script) {
  return args({"/bin/sh", "-c", std::string(script)});
}

Bundle& Bundle::args(const std::vector<std::string>& arguments) {
  config["process"]["args"] = Json(arguments);
  return *this;
}

void make_rootfs(const std::string& rootfs) {
  for (const char* dir : {"/bin", "/dev", "/etc", "/proc", "/sys", "/tmp", "/root", "/mnt", "/run"})
    make_dirs(rootfs + dir);
  chmod((rootfs + "/tmp").c_str(), 01777);
  if (link(busybox().c_str(), (rootfs + "/bin/busybox").c_str()) != 0 ||
      link(probe().c_str(), (rootfs + "/bin/probe").c_str()) != 0)
    ADD_FAILURE() << "link: " << strerror(errno);
  for (const char* applet : kApplets) make_symlink("busybox", rootfs + "/bin/" + applet);
  write_file(rootfs + "/etc/passwd",
             "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n");
  write_file(rootfs + "/etc/group", "root:x:0:\nuser:x:1000:\n");
}

Json mount_entry(const std::string& destination, const std::string& type, const std::string& source,
                 const std::vector<std::string>& options) {
  Json entry = Json::object({{"destination", destination}, {"type", type}, {"source", source}});
  if (!options.empty()) entry["options"] = Json(options);
  return entry;
}

Json* find_mount(Json& config, const std::string& destination) {
  for (auto& entry : config["mounts"].items())
    if (entry.get("destination").str() == destination) return &entry;
  return nullptr;
}

void remove_namespace(Json& config, const std::string& type) {
  auto& list = config["linux"]["namespaces"].items();
  for (auto at = list.begin(); at != list.end(); ++at)
    if (at->get("type").str() == type) {
      list.erase(at);
      return;
    }
}

void add_user_namespace(Json& config) {
  config["linux"]["namespaces"].push(Json::object({{"type", "user"}}));
  for (const char* key : {"uidMappings", "gidMappings"})
    config["linux"][key] = Json::parse(R"([{"containerID": 0, "hostID": 100000, "size": 65536}])");
}

}  // namespace support
