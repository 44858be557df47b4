#include "davit/host/facts.hpp"

#include <sys/auxv.h>
#include <sys/capability.h>

#include "davit/host/lsm.hpp"

namespace davit::host {

Result<Facts> probe(bool with_lsm) {
  Facts facts;
  facts.cgroup = TRY(probe_cgroup_layout());
  facts.privileged = ::getauxval(AT_EUID) == 0;
  facts.last_capability = static_cast<int>(::cap_max_bits()) - 1;
  if (with_lsm) {
    facts.apparmor = apparmor_enabled();
    facts.selinux = selinux_enabled();
  }
  return facts;
}

}  // namespace davit::host
