// SPDX-License-Identifier: Apache-2.0
// Which Linux security modules the running kernel enforces.
#pragma once

namespace davit::host {

/// AppArmor is compiled in and switched on (/sys/module/apparmor/parameters/enabled).
bool apparmor_enabled();
/// An SELinux policy is loaded: selinuxfs is mounted.
bool selinux_enabled();

}  // namespace davit::host
