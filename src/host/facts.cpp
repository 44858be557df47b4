// SPDX-License-Identifier: Apache-2.0
#include "davit/host/facts.hpp"

#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#include "davit/host/lsm.hpp"
#include "davit/sys/file.hpp"

namespace davit::host {

namespace {

// A kernel may be older than this build's headers, or newer: mostly two questions are enough.
int last_capability() {
  const auto has = [](int number) { return ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; };
  int last = CAP_LAST_CAP;
  while (last < 63 && has(last + 1)) ++last;
  if (last > CAP_LAST_CAP) return last;
  while (last > 0 && !has(last)) --last;
  return last;
}

}  // namespace

bool in_user_namespace() {
  auto map = sys::read_record("/proc/self/uid_map");
  if (!map.ok()) return false;
  std::erase_if(*map, [](char c) { return c == ' ' || c == '\n'; });
  return *map != "004294967295";
}

Result<Facts> probe(bool with_lsm) {
  Facts facts;
  facts.cgroup = TRY(probe_cgroup_layout());
  facts.privileged = ::getauxval(AT_EUID) == 0;
  facts.last_capability = last_capability();
  if (with_lsm) {
    facts.apparmor = apparmor_enabled();
    facts.selinux = selinux_enabled();
  }
  return facts;
}

}  // namespace davit::host
