// SPDX-License-Identifier: Apache-2.0
// Names of operations, rendezvous and the kernel's flags.
#include <linux/mount.h>
#include <linux/sched.h>

#include "davit/program/printer.hpp"

namespace davit::program {
namespace {

struct Named {
  u64 bits;
  const char* name;
};

constexpr const char* kOperations[] = {
    "unknown",
    "await_host",
    "tell_host",
    "attach_cgroup",
    "join_namespaces",
    "join_process",
    "unshare",
    "become_namespace_root",
    "set_time_offsets",
    "fork_init",
    "new_session",
    "join_keyring",
    "loopback_up",
    "set_hostname",
    "set_domainname",
    "enter_place",
    "set_propagation",
    "open_tree",
    "attach_root",
    "mount_filesystem",
    "mount_tree",
    "remount",
    "make_device",
    "make_symlink",
    "make_directory",
    "mask_path",
    "protect_path",
    "seal_root",
    "pivot_root",
    "change_root",
    "enter_root",
    "detach_mount",
    "open_console",
    "take_terminal",
    "own_stdio",
    "open_proc",
    "write_sysctl",
    "write_label",
    "set_scheduler",
    "set_io_priority",
    "set_memory_policy",
    "set_affinity",
    "set_personality",
    "set_limit",
    "set_umask",
    "drop_bounding",
    "become_user",
    "set_capabilities",
    "release_capabilities",
    "no_new_privileges",
    "load_seccomp",
    "change_directory",
    "check_directory",
    "set_home",
    "run_hook",
    "find_program",
    "wait_start",
    "close_descriptors",
    "execute",
};
static_assert(std::size(kOperations) == static_cast<std::size_t>(Op::execute) + 1);

constexpr const char* kPoints[] = {"none",     "started", "user_namespace", "attached", "mounts",
                                   "limits",   "seccomp", "ready",          "created",  "start",
                                   "starting", "owned",   "network",        "source"};
static_assert(std::size(kPoints) == static_cast<std::size_t>(Point::source) + 1);

constexpr Named kCloneFlags[] = {
    {CLONE_NEWUSER, "user"}, {CLONE_NEWPID, "pid"}, {CLONE_NEWNS, "mount"},      {CLONE_NEWNET, "network"},
    {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"}, {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"},
};

constexpr Named kMountAttributes[] = {
    {MOUNT_ATTR_RDONLY, "ro"},
    {MOUNT_ATTR_NOSUID, "nosuid"},
    {MOUNT_ATTR_NODEV, "nodev"},
    {MOUNT_ATTR_NOEXEC, "noexec"},
    {MOUNT_ATTR_NOATIME, "noatime"},
    {MOUNT_ATTR_STRICTATIME, "strictatime"},
    {MOUNT_ATTR_NODIRATIME, "nodiratime"},
    {MOUNT_ATTR_IDMAP, "idmap"},
    {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
};

constexpr Named kMountFlags[] = {
    {MS_RDONLY, "ro"},       {MS_NOSUID, "nosuid"},   {MS_NODEV, "nodev"},
    {MS_NOEXEC, "noexec"},   {MS_REMOUNT, "remount"}, {MS_BIND, "bind"},
    {MS_MOVE, "move"},       {MS_REC, "rec"},         {MS_UNBINDABLE, "unbindable"},
    {MS_PRIVATE, "private"}, {MS_SLAVE, "slave"},     {MS_SHARED, "shared"},
};

constexpr const char* kCapabilities[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

std::string hexadecimal(u64 value) {
  std::string digits;
  do digits.insert(digits.begin(), "0123456789abcdef"[value % 16]);
  while ((value /= 16) != 0);
  return "0x" + digits;
}

void join(std::string& to, std::string_view part) {
  if (!to.empty()) to += ',';
  to += part;
}

std::string decode(std::span<const Named> names, u64 bits) {
  std::string result;
  for (const Named& named : names) {
    if ((bits & named.bits) != named.bits) continue;
    join(result, named.name);
    bits &= ~named.bits;
  }
  if (bits != 0) join(result, hexadecimal(bits));
  return result;
}

}  // namespace

const char* name(Op op) {
  const auto index = static_cast<std::size_t>(op);
  return index < std::size(kOperations) ? kOperations[index] : "unknown";
}

const char* name(Point point) {
  const auto index = static_cast<std::size_t>(point);
  return index < std::size(kPoints) ? kPoints[index] : "unknown";
}

std::string clone_flags(u64 flags) {
  return decode(kCloneFlags, flags);
}

std::string mount_attributes(u64 attributes) {
  return decode(kMountAttributes, attributes);
}

std::string mount_flags(u64 flags) {
  return decode(kMountFlags, flags);
}

std::string capabilities(u64 mask) {
  std::string result;
  for (std::size_t number = 0; number < std::size(kCapabilities); ++number) {
    if ((mask >> number & 1) != 0) join(result, kCapabilities[number]);
    mask &= ~(u64{1} << number);
  }
  if (mask != 0) join(result, hexadecimal(mask));
  return result;
}

}  // namespace davit::program
