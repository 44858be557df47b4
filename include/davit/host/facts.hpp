// SPDX-License-Identifier: Apache-2.0
// What this machine can do, as far as compiling a config depends on it. Probing is lazy: a fact that nobody
// asks for costs no system call.
#pragma once

#include <sys/types.h>

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
  std::string own_path;                  ///< this process's cgroup in it; empty until load_own_paths()
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
  int last_capability = 40;                ///< highest number the kernel knows
  std::uint64_t descriptors = UINT64_MAX;  ///< so many may be open at once in davit, if it raises its limit
};

/// Which hierarchies are mounted where, without own paths: one statfs(2) on a v2 machine, one read of
/// /proc/self/mountinfo otherwise. A machine without cgroups has no hierarchies.
Result<CgroupLayout> probe_cgroup_layout();
/// Fills `own_path` of every hierarchy from /proc/self/cgroup; does nothing when that has been done.
Result<void> load_own_paths(CgroupLayout& layout);
/// The same for another process.
Result<void> load_paths_of(pid_t pid, CgroupLayout& layout);
/// Whether uid 0 here may be somebody else outside, as this user namespace does not map all ids onto
/// themselves.
bool in_user_namespace();
/// Everything; `with_lsm` also looks for AppArmor and SELinux.
Result<Facts> probe(bool with_lsm);

}  // namespace davit::host
