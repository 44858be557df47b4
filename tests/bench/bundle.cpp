// SPDX-License-Identifier: Apache-2.0
// Makes the two bundles of the benchmark, and what the floor would otherwise have to find out about them and
// this host.
//   bundle OUT BINARIES SECCOMP_LIST      to be run within the view of cgroups that is then measured
//   bundle --filter FILE SECCOMP_LIST     writes the compiled filter, which the floor is built with
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "profile.hpp"

namespace fs = std::filesystem;
using namespace davit::bench;

namespace {

constexpr const char* kCgroups = "/sys/fs/cgroup";
const std::vector<std::string> kPlainMasked = {
    "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"};
const std::vector<std::string> kPodmanMasked = {
    "/proc/acpi",        "/proc/kcore",     "/proc/keys",       "/proc/latency_stats",
    "/proc/sched_debug", "/proc/scsi",      "/proc/timer_list", "/proc/timer_stats",
    "/sys/firmware",     "/sys/fs/selinux", "/sys/dev/block",   "/sys/devices/virtual/powercap"};
const std::vector<std::string> kPlainReadonly = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                                 "/proc/sysrq-trigger"};
const std::vector<std::string> kPodmanReadonly = {"/proc/asound", "/proc/bus", "/proc/fs",
                                                  "/proc/irq",    "/proc/sys", "/proc/sysrq-trigger"};
const std::vector<std::string> kFiles = {"/etc/resolv.conf", "/etc/hosts", "/etc/hostname",
                                         "/run/.containerenv"};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << text).flush()) exit((fprintf(stderr, "bundle: cannot write %s\n", path.c_str()), 2));
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string list_json(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "\"" : ", \"") + word + "\"";
  return "[" + text + "]";
}

// What this machine has, and so what the podman-like bundle may limit.
struct Host {
  bool v2 = false;
  std::vector<std::string> hierarchies;  // v1: folders of kCgroups
  bool limits = false, swap = false;
};

bool is_cgroup_mount(const fs::path& path) {
  struct statfs info {};
  if (fs::is_symlink(path) || statfs(path.c_str(), &info) != 0) return false;
  return info.f_type == CGROUP_SUPER_MAGIC || info.f_type == CGROUP2_SUPER_MAGIC;
}

Host look_at_host() {
  Host host;
  host.v2 = is_cgroup_mount(kCgroups);
  const std::string root = kCgroups;
  if (host.v2) {
    const std::string enabled = " " + first_line(root + "/cgroup.subtree_control") + " ";
    host.limits = true;
    for (const char* controller : {" memory ", " pids ", " cpu "})
      host.limits = host.limits && enabled.find(controller) != std::string::npos;
    host.swap = host.limits;
    return host;
  }
  for (const auto& entry : fs::directory_iterator(root))
    if (is_cgroup_mount(entry.path())) host.hierarchies.push_back(entry.path().filename());
  std::sort(host.hierarchies.begin(), host.hierarchies.end());
  host.limits = fs::exists(root + "/memory/memory.limit_in_bytes") && fs::exists(root + "/pids") &&
                fs::exists(root + "/cpu/cpu.cfs_quota_us");
  host.swap = fs::exists(root + "/memory/memory.memsw.limit_in_bytes");
  return host;
}

std::string mounts_json(bool podman, const std::string& files) {
  const char* proc = podman ? R"(, "options": ["nosuid", "noexec", "nodev"])" : "";
  const char* propagation = podman ? R"("rprivate", )" : "";
  std::string text = std::string(R"([
    {"destination": "/proc", "type": "proc", "source": "proc")") +
                     proc + R"(},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
     "options": [)" + propagation +
                     R"("nosuid", "noexec", "nodev", "relatime", "ro"]})";
  for (const std::string& file : podman ? kFiles : std::vector<std::string>{})
    text += ",\n    {\"destination\": \"" + file + R"(", "type": "bind", "source": ")" + files +
            fs::path(file).filename().string() + R"(", "options": ["bind", "rprivate"]})";
  return text + "]";
}

std::string process_json(bool podman, const std::string& program) {
  const std::string capabilities =
      podman ? list_json({"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
                          "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
                          "CAP_SYS_CHROOT"})
             : list_json({"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"});
  std::string text =
      R"({"terminal": false, "cwd": "/", "args": [")" + program +
      R"("], "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm")";
  if (podman) text += R"(, "HOSTNAME=bench", "container=podman", "HOME=/root")";
  text += R"(],
    "user": {"uid": 0, "gid": 0)";
  if (podman) text += R"(, "umask": 18, "additionalGids": [0])";
  text += "},\n    \"capabilities\": {";
  for (const char* set : {"bounding", "effective", "permitted"})
    text += std::string("\"") + set + "\": " + capabilities + (set[0] == 'p' ? "" : ",\n      ");
  text += R"(},
    "noNewPrivileges": )" +
          std::string(podman ? "false, \"oomScoreAdj\": 0" : "true") + R"(,
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024})";
  if (podman) text += R"(, {"type": "RLIMIT_NPROC", "hard": 4096, "soft": 4096})";
  return text + "]}";
}

std::string resources_json(bool podman, const Host& host) {
  std::string text = R"({"devices": [{"allow": false, "access": "rwm"}])";
  if (podman && host.limits) {
    text += R"(,
      "memory": {"limit": 536870912, "reservation": 268435456)";
    text += host.swap ? R"(, "swap": 1073741824})" : "}";
    text += R"(, "pids": {"limit": 2048}, "cpu": {"shares": 512, "quota": 50000, "period": 100000})";
  }
  return text + "}";
}

std::string config_json(bool podman, const Host& host, const std::string& out, const std::string& program,
                        const std::string& seccomp) {
  std::string namespaces;
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"})
    namespaces += std::string(namespaces.empty() ? "" : ", ") + "{\"type\": \"" + type + "\"}";
  std::string text = R"({"ociVersion": "1.0.2",
  "process": )" + process_json(podman, program) +
                     R"(,
  "root": {"path": ")" +
                     out + R"(/rootfs", "readonly": )" + (podman ? "false" : "true") + R"(},
  "hostname": "bench",
  "mounts": )" + mounts_json(podman, out + "/files/") +
                     ",\n";
  if (podman)
    text +=
        R"(  "annotations": {"io.container.manager": "libpod", "org.opencontainers.image.stopSignal": "15"},
)";
  text += R"(  "linux": {
    "resources": )" +
          resources_json(podman, host) + ",\n";
  if (podman)
    text += "    \"sysctl\": {\"net.ipv4.ping_group_range\": \"0 0\"},\n    \"seccomp\": " + seccomp + ",\n";
  return text + "    \"namespaces\": [" + namespaces +
         "],\n    \"maskedPaths\": " + list_json(podman ? kPodmanMasked : kPlainMasked) +
         ",\n    \"readonlyPaths\": " + list_json(podman ? kPodmanReadonly : kPlainReadonly) + "}}\n";
}

// "d/proc/acpi:f/proc/keys:-/proc/scsi": what is a folder, a file, absent. A real runtime has to ask the
// kernel.
std::string kinds_of(const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) {
    struct stat info {};
    const bool there = stat(path.c_str(), &info) == 0;
    text += std::string(text.empty() ? "" : ":") + (!there ? "-" : S_ISDIR(info.st_mode) ? "d" : "f") + path;
  }
  return text;
}

// "memory/%/memory.limit_in_bytes=1": where to write what, % being the container.
std::string cgroup_settings(bool podman, const Host& host) {
  const std::string root = kCgroups;
  if (host.v2)
    return podman && host.limits
               ? "%/memory.max=536870912;%/memory.swap.max=536870912;%/memory.low=268435456;"
                 "%/pids.max=2048;%/cpu.weight=20;%/cpu.max=50000 100000"
               : "";
  std::string text =
      "devices/%/devices.deny=a;devices/%/devices.allow=c *:* m|b *:* m|c 1:3 rwm|c 1:5 rwm|c 1:7 rwm|c 1:8 "
      "rwm|"
      "c 1:9 rwm|c 5:0 rwm|c 5:1 rwm|c 5:2 rwm|c 136:* rwm";
  if (fs::exists(root + "/cpuset/cpuset.cpus"))
    text += ";cpuset/%/cpuset.cpus=" + first_line(root + "/cpuset/cpuset.cpus") +
            ";cpuset/%/cpuset.mems=" + first_line(root + "/cpuset/cpuset.mems");
  if (!podman || !host.limits) return text;
  text += ";memory/%/memory.limit_in_bytes=536870912";
  if (host.swap) text += ";memory/%/memory.memsw.limit_in_bytes=1073741824";
  return text +
         ";memory/%/memory.soft_limit_in_bytes=268435456;pids/%/pids.max=2048;cpu/%/cpu.shares=512"
         ";cpu/%/cpu.cfs_period_us=100000;cpu/%/cpu.cfs_quota_us=50000";
}

// The environment of the floor, a line per variable.
std::string floor_environment(bool podman, const Host& host, const std::string& out,
                              const std::string& program) {
  std::string hierarchies;
  for (const std::string& name : host.hierarchies) hierarchies += (hierarchies.empty() ? "" : ":") + name;
  return "FLOOR_KIND=" + std::string(podman ? "podman" : "plain") + "\nFLOOR_ROOTFS=" + out + "/rootfs" +
         "\nFLOOR_FILES=" + out + "/files" + "\nFLOOR_PROGRAM=" + program +
         "\nFLOOR_HIERARCHIES=" + hierarchies + "\nFLOOR_SETTINGS=" + cgroup_settings(podman, host) +
         "\nFLOOR_MASKED=" + kinds_of(podman ? kPodmanMasked : kPlainMasked) +
         "\nFLOOR_READONLY=" + kinds_of(podman ? kPodmanReadonly : kPlainReadonly) + "\n";
}

void make_rootfs(const std::string& rootfs, const std::string& binaries) {
  for (const char* folder : {"bin", "dev", "etc", "proc", "root", "run", "sys", "tmp"})
    fs::create_directories(rootfs + "/" + folder);
  const auto overwrite = fs::copy_options::overwrite_existing;
  fs::copy_file(binaries + "/busybox", rootfs + "/bin/busybox", overwrite);
  fs::copy_file(binaries + "/payload", rootfs + "/bin/nothing", overwrite);
  fs::copy_file(binaries + "/payload", rootfs + "/bin/pause", overwrite);
  fs::copy_file(binaries + "/inspect.sh", rootfs + "/bin/inspect", overwrite);
  for (const char* name : {"sh", "true", "cat", "ls", "id", "ip", "grep", "sort", "hostname", "mknod"}) {
    fs::remove(rootfs + "/bin/" + name);
    fs::create_symlink("busybox", rootfs + "/bin/" + name);
  }
  for (const std::string& file : kFiles) write_file(rootfs + file, "");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return fprintf(stderr, "usage: bundle OUT BINARIES SECCOMP_LIST\n"), 2;
  const Profile profile = read_profile(argv[3]);
  const std::vector<sock_filter> filter = compile_filter(profile);
  const unsigned differences = compare_with_libseccomp(profile, filter);
  if (differences != 0)
    return fprintf(stderr, "bundle: the floor's filter differs %u times\n", differences), 2;
  if (argv[1] == std::string("--filter")) {
    const char* bytes = reinterpret_cast<const char*>(filter.data());
    return write_file(argv[2], std::string(bytes, filter.size() * sizeof(sock_filter))), 0;
  }
  const std::string out = fs::absolute(argv[1]);
  const Host host = look_at_host();
  make_rootfs(out + "/rootfs", argv[2]);
  fs::create_directories(out + "/files");
  for (const std::string& file : kFiles)
    write_file(out + "/files/" + fs::path(file).filename().string(), "x\n");
  const std::string seccomp = profile_json(profile);
  const std::pair<const char*, const char*> programs[] = {{"true", "/bin/true"},
                                                          {"nothing", "/bin/nothing"},
                                                          {"pause", "/bin/pause"},
                                                          {"inspect", "/bin/inspect"}};
  for (const bool podman : {false, true}) {
    for (const auto& [name, program] : programs) {
      const std::string folder = out + (podman ? "/podman-" : "/plain-") + name;
      fs::create_directories(folder);
      write_file(folder + "/config.json", config_json(podman, host, out, program, seccomp));
      write_file(folder + "/floor.env", floor_environment(podman, host, out, program));
    }
  }
  printf("%s, %s, %zu rules of seccomp in %zu instructions\n", host.v2 ? "cgroup v2" : "cgroup v1",
         host.limits ? "podman-like with limits" : "podman-like without limits (no controllers for them)",
         profile.size(), filter.size());
}
