// SPDX-License-Identifier: Apache-2.0
// What the floor's child does: the rootfs, and then the loss of everything that the container must not have.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "floor.hpp"

asm(".section .rodata\n"
    ".balign 8\n"
    ".globl floor_filter, floor_filter_end\n"
    "floor_filter: .incbin \"" FLOOR_FILTER
    "\"\n"
    "floor_filter_end:\n"
    ".text");
extern "C" const char floor_filter[], floor_filter_end[];

namespace davit::bench::floor {
namespace {

constexpr unsigned long kSafe = MS_NOSUID | MS_NOEXEC | MS_NODEV;

void mount_on(const char* source, const char* target, const char* type, unsigned long flags,
              const char* data) {
  must(mount(source, target, type, flags, data), target);
}

void write_to(const char* path, const char* text) {
  const int file = open_file(path, O_WRONLY);
  must(write(file, text, strlen(text)), path);
}

// Before the old root is gone: the rootfs and the files that come from outside.
void enter_rootfs(const Request& request) {
  const char* rootfs = fact("FLOOR_ROOTFS");
  mount_on(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  mount_on(rootfs, rootfs, nullptr, MS_BIND | MS_REC, nullptr);
  if (request.podman) {
    const char* names[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/run/.containerenv"};
    for (const char* name : names) {
      char source[512], target[512];
      snprintf(source, sizeof source, "%s%s", fact("FLOOR_FILES"), strrchr(name, '/'));
      snprintf(target, sizeof target, "%s%s", rootfs, name);
      mount_on(source, target, nullptr, MS_BIND, nullptr);
    }
  }
  must(chdir(rootfs), rootfs);
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
}

void mount_cgroups() {
  constexpr unsigned long flags = kSafe | MS_RELATIME | MS_RDONLY;
  if (cgroup_is_v2()) return mount_on("cgroup", "/sys/fs/cgroup", "cgroup2", flags, nullptr);
  mount_on("tmpfs", "/sys/fs/cgroup", "tmpfs", kSafe, "mode=755");
  for (const char* name = fact("FLOOR_HIERARCHIES"); *name != 0;) {
    const char* end = strchrnul(name, ':');
    char target[128], options[96];
    const bool systemd = strncmp(name, "systemd", 7) == 0;
    snprintf(options, sizeof options, "%s%.*s", systemd ? "none,name=" : "", static_cast<int>(end - name),
             name);
    snprintf(target, sizeof target, "%s%.*s", kCgroups, static_cast<int>(end - name), name);
    name = *end != 0 ? end + 1 : end;
    if (strcmp(options, "unified") == 0) continue;
    must(mkdir(target, 0755), target);
    mount_on("cgroup", target, "cgroup", flags, options);
  }
  mount_on(nullptr, "/sys/fs/cgroup", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kSafe, nullptr);
}

void fill_dev() {
  const struct {
    const char* path;
    unsigned number;
  } nodes[] = {{"/dev/null", 0x103},   {"/dev/zero", 0x105},    {"/dev/full", 0x107},
               {"/dev/random", 0x108}, {"/dev/urandom", 0x109}, {"/dev/tty", 0x500}};
  for (const auto& node : nodes) must(mknod(node.path, S_IFCHR | 0666, node.number), node.path);
  const char* links[][2] = {{"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
                            {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
                            {"/proc/kcore", "/dev/core"},       {"pts/ptmx", "/dev/ptmx"}};
  for (const auto& link : links) must(symlink(link[0], link[1]), link[1]);
  const char* folders[] = {"/dev/pts", "/dev/shm", "/dev/mqueue"};
  for (const char* path : folders) must(mkdir(path, 0755), path);
}

// Calls visit(kind, path) for every "f/proc/keys" of a list.
template <typename Visit>
void each_path(const char* list, Visit visit) {
  while (*list != 0) {
    const char* end = strchrnul(list, ':');
    char path[128];
    snprintf(path, sizeof path, "%.*s", static_cast<int>(end - list - 1), list + 1);
    visit(*list, path);
    list = *end != 0 ? end + 1 : end;
  }
}

// A path that this host lacks still costs a call that fails: only the kernel of the container can say so.
void protect_paths(const Request& request) {
  char empty[128] = "";
  each_path(fact("FLOOR_MASKED"), [&](char kind, const char* path) {
    if (kind == '-') {
      mount("/dev/null", path, nullptr, MS_BIND, nullptr);
    } else if (kind == 'f') {
      mount_on("/dev/null", path, nullptr, MS_BIND, nullptr);
    } else if (*empty != 0) {
      mount_on(empty, path, nullptr, MS_BIND, nullptr);
    } else {
      mount_on("tmpfs", path, "tmpfs", MS_RDONLY, "size=0k");
      strcpy(empty, path);
    }
  });
  const unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | (request.podman ? kSafe : 0);
  each_path(fact("FLOOR_READONLY"), [&](char kind, const char* path) {
    if (kind == '-') return void(mount(path, path, nullptr, MS_BIND, nullptr));
    mount_on(path, path, nullptr, MS_BIND | MS_REC, nullptr);
    mount_on(nullptr, path, nullptr, flags, nullptr);
  });
}

void bring_loopback_up() {
  const int file = static_cast<int>(must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  must(ioctl(file, SIOCSIFFLAGS, &request), "lo");
}

void limit(int resource, unsigned long value) {
  const unsigned long long both[2] = {value, value};
  must(syscall(SYS_prlimit64, 0, resource, both, nullptr), "prlimit");
}

void set_capabilities(unsigned long long kept, unsigned groups) {
  for (unsigned number = 0; number <= CAP_CHECKPOINT_RESTORE; number++)
    if ((kept >> number & 1) == 0) must(prctl(PR_CAPBSET_DROP, number, 0, 0, 0), "PR_CAPBSET_DROP");
  const gid_t root = 0;
  must(syscall(SYS_setgroups, groups, &root), "setgroups");
  must(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
  must(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = static_cast<__u32>(kept);
  __user_cap_data_struct data[2] = {{low, low, 0}, {0, 0, 0}};
  must(syscall(SYS_capset, &header, data), "capset");
}

}  // namespace

long must(long result, const char* what) {
  if (result != -1) return result;
  char text[256];
  const int size = snprintf(text, sizeof text, "floor: %s: %s\n", what, strerror(errno));
  if (write(2, text, static_cast<size_t>(size)) < 0) _exit(126);
  _exit(125);
}

int open_file(const char* path, int flags, unsigned mode) {
  return static_cast<int>(must(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode), path));
}

const char* fact(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

void build_rootfs(const Request& request) {
  must(syscall(SYS_unshare, 0x02000000 /* NEWCGROUP */), "unshare");
  enter_rootfs(request);
  umask(0);
  mount_on("proc", "/proc", "proc", request.podman ? kSafe : 0, nullptr);
  mount_on("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  fill_dev();
  mount_on("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
           "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_on("shm", "/dev/shm", "tmpfs", kSafe, "mode=1777,size=65536k");
  mount_on("mqueue", "/dev/mqueue", "mqueue", kSafe, nullptr);
  mount_on("sysfs", "/sys", "sysfs", kSafe | MS_RDONLY, nullptr);
  mount_cgroups();
  if (request.podman) write_to("/proc/sys/net/ipv4/ping_group_range", "0 0");
  protect_paths(request);
  if (!request.podman) mount_on(nullptr, "/", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr);
  must(sethostname("bench", 5), "sethostname");
  bring_loopback_up();
}

void become(const Request& request, bool first_process) {
  must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, request.id), "keyctl");
  setsid();
  limit(RLIMIT_NOFILE, 1024);
  if (request.podman) {
    limit(RLIMIT_NPROC, 4096);
    write_to("/proc/self/oom_score_adj", "0");
  }
  if (request.podman) {
    const auto count = static_cast<unsigned short>((floor_filter_end - floor_filter) / sizeof(sock_filter));
    sock_fprog filter{count, reinterpret_cast<sock_filter*>(const_cast<char*>(floor_filter))};
    must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
  }
  const auto bit = [](unsigned number) { return 1ULL << number; };
  if (request.podman) {
    set_capabilities(bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) | bit(CAP_FSETID) |
                         bit(CAP_KILL) | bit(CAP_NET_BIND_SERVICE) | bit(CAP_SETFCAP) | bit(CAP_SETGID) |
                         bit(CAP_SETPCAP) | bit(CAP_SETUID) | bit(CAP_SYS_CHROOT),
                     1);
  } else {
    set_capabilities(bit(CAP_AUDIT_WRITE) | bit(CAP_KILL) | bit(CAP_NET_BIND_SERVICE), 0);
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  }
  umask(022);
  must(syscall(SYS_close_range, 3, ~0U, 4 /* CLOEXEC */), "close_range");
  if (first_process) wait_if_created();
  char* arguments[] = {const_cast<char*>(request.program), nullptr};
  static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
              term[] = "TERM=xterm";
  static char host[] = "HOSTNAME=bench", kind[] = "container=podman", home[] = "HOME=/root";
  char* environment[] = {path, term, request.podman ? host : nullptr, kind, home, nullptr};
  execve(request.program, arguments, environment);
  must(-1, request.program);
  _exit(127);
}

}  // namespace davit::bench::floor
