// SPDX-License-Identifier: Apache-2.0
// Filters of system calls, and the security modules.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "davit/host/lsm.hpp"
#include "doctor/trials.hpp"

namespace davit::doctor {
namespace {

/// A filter that allows everything, with the given flags.
void load_filter(Steps& steps, unsigned flags) {
  sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const sock_fprog program = {1, allow};
  if (!steps.did("prctl(PR_SET_NO_NEW_PRIVS)", ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))) return;
  (void)steps.did("seccomp", ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

}  // namespace

void try_confinement(Diagnoses& out) {
  const Outcome filter = attempt([](Steps& steps) { load_filter(steps, 0); });
  out.push_back({"seccomp", filter.ok() ? Health::good : Health::bad,
                 filter.ok() ? "a filter was loaded" : told(filter),
                 filter.ok() ? "" : "a kernel with CONFIG_SECCOMP_FILTER"});
  const Outcome notify = attempt([](Steps& steps) { load_filter(steps, SECCOMP_FILTER_FLAG_NEW_LISTENER); });
  out.push_back(
      {"seccomp notify", notify.ok() ? Health::good : Health::lacking,
       notify.ok() ? "a filter with a listener was loaded" : told(notify),
       notify.ok()
           ? ""
           : "profiles with SCMP_ACT_NOTIFY cannot be used: a filter around davit has a listener already"});
  const std::string modules = first_line("/sys/kernel/security/lsm");
  const bool apparmor = host::apparmor_enabled();
  const bool selinux = host::selinux_enabled();
  Diagnosis result{"security modules"};
  result.health = apparmor || selinux ? Health::good : Health::unasked;
  result.evidence =
      apparmor  ? "AppArmor is enabled"
      : selinux ? "SELinux is enabled"
                : "neither AppArmor nor SELinux is enabled: configs with a profile or a label are refused";
  if (!modules.empty()) result.evidence += " (" + modules + ")";
  out.push_back(std::move(result));
}

}  // namespace davit::doctor
