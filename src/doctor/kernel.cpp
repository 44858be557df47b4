// SPDX-License-Identifier: Apache-2.0
// What the kernel makes for this caller: namespaces, mounts, memory that can be executed, keyrings.
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include "davit/features/namespaces.hpp"
#include "davit/host/facts.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/mount.hpp"
#include "doctor/trials.hpp"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

namespace davit::doctor {
namespace {

struct Kind {
  const char* name;
  int flag;
  bool is_needed;  ///< every engine asks for it
};
constexpr Kind kKinds[] = {
    {"mount", CLONE_NEWNS, true},   {"pid", CLONE_NEWPID, true},    {"network", CLONE_NEWNET, true},
    {"uts", CLONE_NEWUTS, true},    {"ipc", CLONE_NEWIPC, true},    {"cgroup", CLONE_NEWCGROUP, false},
    {"user", CLONE_NEWUSER, false}, {"time", CLONE_NEWTIME, false},
};

/// Who is not root gets all his privileges from a user namespace.
bool become_able(Steps& steps) {
  return is_root() || steps.did("unshare(CLONE_NEWUSER)", ::unshare(CLONE_NEWUSER));
}

std::string user_namespace_remedy() {
  if (first_line("/proc/sys/user/max_user_namespaces") == "0")
    return "sysctl -w user.max_user_namespaces=15000";
  if (first_line("/proc/sys/kernel/unprivileged_userns_clone") == "0")
    return "sysctl -w kernel.unprivileged_userns_clone=1";
  if (first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
    return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for davit that "
           "allows userns";
  return "a kernel with CONFIG_USER_NS; where davit is in a container itself, its seccomp filter must allow "
         "unshare and clone";
}

void try_release(Diagnoses& out) {
  struct utsname name = {};
  ::uname(&name);
  unsigned major = 0;
  unsigned minor = 0;
  const std::string_view release = name.release;
  const auto* const end = release.data() + release.size();
  const auto [dot, failure] = std::from_chars(release.data(), end, major);
  if (failure == std::errc() && dot != end) (void)std::from_chars(dot + 1, end, minor);
  const bool is_new = major > 5 || (major == 5 && minor >= 15);
  out.push_back({"kernel", is_new ? Health::good : Health::bad, std::string("Linux ") + name.release,
                 is_new ? "" : "davit needs Linux 5.15 or newer"});
}

void try_namespaces(Diagnoses& out) {
  for (const Kind& kind : kKinds) {
    const Outcome outcome = attempt([&](Steps& steps) {
      if (kind.flag != CLONE_NEWUSER && !become_able(steps)) return;
      (void)steps.did("unshare", ::unshare(kind.flag));
    });
    Diagnosis result{std::string(kind.name) + " namespace"};
    result.evidence = outcome.ok() ? "a new one was made" : told(outcome);
    if (!outcome.ok()) {
      const bool is_user = kind.flag == CLONE_NEWUSER || outcome.step.find("NEWUSER") != std::string::npos;
      result.health = kind.is_needed || (is_user && !is_root()) ? Health::bad : Health::lacking;
      result.remedy = is_user ? user_namespace_remedy()
                              : "run davit as root of the host, or of a user namespace of its own";
    }
    out.push_back(std::move(result));
  }
}

/// A tmpfs that is never attached anywhere.
void mount_nowhere(Steps& steps) {
  if (!become_able(steps) || !steps.did("unshare(CLONE_NEWNS)", ::unshare(CLONE_NEWNS))) return;
  const long context = ::syscall(SYS_fsopen, "tmpfs", 1U);
  if (!steps.did("fsopen", context)) return;
  if (!steps.did("fsconfig", ::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0)))
    return;
  const long mount = ::syscall(SYS_fsmount, context, 1U, 0U);
  if (!steps.did("fsmount", mount)) return;
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (!steps.did("mount_setattr",
                 ::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes)))
    return;
  (void)steps.did("open_tree",
                  ::syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | 0x8000U));
}

/// A procfs belongs to a pid namespace, and is refused where parts of the one that is there are hidden.
void mount_proc(Steps& steps) {
  if (!become_able(steps) || !steps.did("unshare", ::unshare(CLONE_NEWNS | CLONE_NEWPID))) return;
  const pid_t child = ::fork();
  if (child == 0) {
    const long context = ::syscall(SYS_fsopen, "proc", 1U);
    if (!steps.did("fsopen", context)) ::_exit(0);
    if (steps.did("fsconfig", ::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0)))
      (void)steps.did("fsmount", ::syscall(SYS_fsmount, context, 1U, 0U));
    ::_exit(0);
  }
  if (steps.did("fork", child)) (void)::waitpid(child, nullptr, 0);
}

void try_mounts(Diagnoses& out) {
  const Outcome api = attempt(mount_nowhere);
  out.push_back(
      {"mount API", api.ok() ? Health::good : Health::bad,
       api.ok() ? "fsopen, fsmount, mount_setattr and open_tree work" : told(api),
       api.ok()
           ? ""
           : "Linux 5.15; where davit is in a container itself, its seccomp filter must allow these calls"});
  const Outcome proc = attempt(mount_proc);
  out.push_back({"procfs", proc.ok() ? Health::good : Health::lacking,
                 proc.ok() ? "a new pid namespace can have its own" : told(proc),
                 proc.ok()
                     ? ""
                     : "parts of /proc are hidden here: start the outer container with its /proc unmasked "
                       "(podman --security-opt unmask=ALL), or bind the /proc that is there"});
}

void try_idmap(Diagnoses& out) {
  Diagnosis result{"idmapped mounts"};
  if (!is_root()) {
    out.push_back(
        {result.name, Health::lacking, "the kernel lets only root map ids of mounts", "run davit as root"});
    return;
  }
  const std::vector<spec::IdMapping> shifted{{0, 100000, 65536, {}}};
  const Outcome outcome = attempt([&](Steps& steps) {
    const auto space = namespaces::make_idmap_namespace({shifted, shifted});
    if (!space.ok()) {
      errno = space.error().errno_value;
      (void)steps.did("make a user namespace", -1);
      return;
    }
    const auto tree = sys::clone_tree(sys::current_directory(), "/", false);
    if (!tree.ok()) errno = tree.error().errno_value;
    if (!steps.did("open_tree of /", tree.ok() ? 0 : -1)) return;
    (void)steps.did("mount_setattr(MOUNT_ATTR_IDMAP) of /", sys::set_idmap(*tree, *space, false));
  });
  result.evidence = outcome.ok() ? "the root filesystem can be shown with other ids" : told(outcome);
  if (!outcome.ok()) {
    result.health = Health::lacking;
    result.remedy = "keep what is to be idmapped on ext4, xfs, btrfs or tmpfs; overlayfs takes Linux 6.x";
  }
  out.push_back(std::move(result));
}

void try_memory(Diagnoses& out) {
  const std::string setting = first_line("/proc/sys/vm/memfd_noexec");
  const Outcome outcome = attempt([](Steps& steps) {
    const std::byte nothing[1] = {};
    const auto file = sys::sealed_memory("davit-doctor", {std::span<const std::byte>(nothing)}, true);
    if (!file.ok()) errno = file.error().errno_value;
    (void)steps.did("memfd_create(MFD_EXEC)", file.ok() ? 0 : -1);
  });
  out.push_back({"memory files", outcome.ok() ? Health::good : Health::bad,
                 (outcome.ok() ? "init can be executed from one" : told(outcome)) +
                     (setting.empty() ? "" : "; vm.memfd_noexec = " + setting),
                 outcome.ok() ? "" : "sysctl -w vm.memfd_noexec=1"});
}

void try_keyrings(Diagnoses& out) {
  const Outcome outcome = attempt([](Steps& steps) {
    (void)steps.did("keyctl", ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr));
  });
  std::string remedy = "create with --no-new-keyring (containers then share the caller's keyring)";
  if (outcome.errno_value == EDQUOT)
    remedy = "sysctl -w kernel.keys.maxkeys=2000 kernel.keys.maxbytes=2000000";
  out.push_back({"keyrings", outcome.ok() ? Health::good : Health::lacking,
                 outcome.ok() ? "a session keyring was made" : told(outcome), outcome.ok() ? "" : remedy});
}

}  // namespace

void try_kernel(Diagnoses& out) {
  try_release(out);
  try_namespaces(out);
  try_mounts(out);
  try_idmap(out);
  try_memory(out);
  try_keyrings(out);
}

}  // namespace davit::doctor
