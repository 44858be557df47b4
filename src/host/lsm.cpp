#include "davit/host/lsm.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "davit/sys/file.hpp"

namespace davit::host {

bool apparmor_enabled() {
  const auto enabled = sys::read_file("/sys/module/apparmor/parameters/enabled", 16);
  return enabled.ok() && enabled->starts_with('Y');
}

bool selinux_enabled() {
  struct statfs status = {};
  return ::statfs("/sys/fs/selinux", &status) == 0 &&
         static_cast<unsigned long>(status.f_type) == SELINUX_MAGIC;
}

}  // namespace davit::host
