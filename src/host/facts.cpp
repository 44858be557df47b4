#include "davit/host/facts.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include "davit/host/lsm.hpp"

namespace davit::host {
namespace {

/// Highest capability this kernel knows, asked of the kernel, as a container may hide /proc/sys.
int last_capability() {
  constexpr int kBits = 64;
  const auto known = [](int capability) { return ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; };
  int last = 40;  // CAP_CHECKPOINT_RESTORE, since Linux 5.9
  while (last > 0 && !known(last)) --last;
  while (last + 1 < kBits && known(last + 1)) ++last;
  return last;
}

}  // namespace

Result<Facts> probe(bool with_lsm) {
  Facts facts;
  facts.cgroup = TRY(probe_cgroup_layout());
  facts.privileged = ::geteuid() == 0;
  facts.last_capability = last_capability();
  if (with_lsm) {
    facts.apparmor = apparmor_enabled();
    facts.selinux = selinux_enabled();
  }
  return facts;
}

}  // namespace davit::host
