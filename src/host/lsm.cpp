// SPDX-License-Identifier: Apache-2.0
#include "davit/host/lsm.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "davit/sys/file.hpp"

namespace davit::host {

bool apparmor_enabled() {
  // sysfs calls every file of its a page long.
  const auto enabled = sys::read_record("/sys/module/apparmor/parameters/enabled");
  return enabled.ok() && enabled->starts_with('Y');
}

bool selinux_enabled() {
  struct statfs status = {};
  return ::statfs("/sys/fs/selinux", &status) == 0 &&
         static_cast<unsigned long>(status.f_type) == SELINUX_MAGIC;
}

}  // namespace davit::host
