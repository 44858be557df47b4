// SPDX-License-Identifier: Apache-2.0
// Lines of mountinfo, see proc_pid_mountinfo(5).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace davit::host {

/// One mount; paths without the kernel's escapes.
struct MountInfo {
  std::string_view type;
  std::string_view options;  ///< of the filesystem
  std::string_view device;   ///< "major:minor": the same filesystem, the same number
  std::string root;          ///< what of the filesystem is mounted
  std::string mount_point;
};

/// Calls `handle` with every mount whose type `is_wanted`, in the order of the file.
void each_mount(std::string_view text, bool (*is_wanted)(std::string_view type),
                const std::function<void(MountInfo)>& handle);

}  // namespace davit::host
