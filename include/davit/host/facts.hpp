// What this machine can do, as far as compiling a config depends on it. Probing is lazy: a fact that nobody
// asks for costs no system call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "davit/base/result.hpp"

namespace davit::host {

enum class CgroupMode : std::uint8_t {
  v1,      ///< only v1 hierarchies
  v2,      ///< one unified hierarchy
  hybrid,  ///< v1 hierarchies, and an extra cgroup2 mount
};

/// One mounted cgroup hierarchy.
struct Hierarchy {
  std::vector<std::string> controllers;  ///< {"cpu","cpuacct"}, {"name=systemd"}; empty: cgroup2
  std::string mount_point;               ///< "/sys/fs/cgroup/cpu,cpuacct"
  std::string mount_root;                ///< root of the mount within the hierarchy, mostly "/"
  std::string own_path;                  ///< this process's cgroup in it (/proc/self/cgroup)
};

struct CgroupLayout {
  CgroupMode mode = CgroupMode::v2;
  std::vector<Hierarchy> hierarchies;  ///< v2: one; hybrid: v1 ones first, cgroup2 last
};

/// Facts about the host; tests fill it by hand.
struct Facts {
  CgroupLayout cgroup;
  bool privileged = true;  ///< effective uid 0: davit itself may clone mounts and map ids
  bool apparmor = false;   ///< enabled in the running kernel
  bool selinux = false;
  int last_capability = 40;  ///< highest number the kernel knows
};

/// Looks at the machine (cgroup layout, euid; LSMs only when asked for).
Result<CgroupLayout> probe_cgroup_layout();
/// Everything; `with_lsm` also looks for AppArmor and SELinux.
Result<Facts> probe(bool with_lsm);

}  // namespace davit::host
