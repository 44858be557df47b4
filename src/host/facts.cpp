// SPDX-License-Identifier: Apache-2.0
#include "davit/host/facts.hpp"

#include <sys/auxv.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "davit/host/lsm.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"

namespace davit::host {

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
  facts.descriptors = TRY(sys::limit_of(0, RLIMIT_NOFILE)).rlim_max;
  facts.last_capability = static_cast<int>(::cap_max_bits()) - 1;
  if (with_lsm) {
    facts.apparmor = apparmor_enabled();
    facts.selinux = selinux_enabled();
  }
  return facts;
}

}  // namespace davit::host
