// SPDX-License-Identifier: Apache-2.0
// Device rules: from the config's list to what the kernel is told.
#pragma once

#include <linux/bpf.h>

#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/spec/resources.hpp"

namespace davit::cgroup {

/// The rules with a base for what none of them decides. Meaning: every requested kind of access (mknod, read,
/// write) is decided by the last rule that matches the device and names that kind, else by the base.
struct DeviceList {
  bool base = false;                    ///< allowed?
  std::vector<spec::DeviceRule> rules;  ///< never of type all

  [[nodiscard]] bool allows_everything() const { return base && rules.empty(); }
};

/// The rules of the config, then those that every container gets (the default devices, and mknod of any);
/// whatever a later rule or the base makes pointless is gone.
DeviceList device_list(const std::vector<spec::DeviceRule>& rules);

/// One write to devices.deny or devices.allow.
struct DeviceWrite {
  bool allow = false;
  std::string value;
};
/// The list for v1, whose exceptions can only be added to and taken from one by one; an exception within an
/// exception is refused.
Result<std::vector<DeviceWrite>> device_writes(const DeviceList& list);

/// The list as a BPF_PROG_TYPE_CGROUP_DEVICE program.
std::vector<bpf_insn> device_program(const DeviceList& list);

}  // namespace davit::cgroup
