// SPDX-License-Identifier: Apache-2.0
// Lets a single command see this machine as a pure cgroup v1 or pure cgroup v2 host.
#pragma once

#include <functional>
#include <string>

namespace support {

enum class View { host, v1, v2 };

/// For Options::in_child: moves the program into a mount namespace with that view (and an empty /run).
/// The namespaces are made at the first use and kept. Nothing is done for View::host.
std::function<void()> enter(View view);
/// Makes this machine look like that to this whole program, from now on; why it cannot be done, or "". To be
/// called before anything looks at cgroups.
std::string become(View view);
/// "hybrid", "v1", "v2" or "none": what this program sees.
std::string cgroup_layout();
/// Why that view cannot be had here, or "".
std::string missing(View view);
/// True if a v1 hierarchy with that controller is mounted on this host.
bool has_v1(const std::string& controller);
/// Where the cgroup2 hierarchy is mounted on this host, or "".
std::string v2_mount();
/// Gives the host's cgroup v2 the options that it had at first: who mounts it anew sets them for all its
/// mounts.
void restore_v2_options();
/// The directory of a v1 controller on this host, or "".
std::string v1_mount(const std::string& controller);
/// Controllers that cgroup v2 offers at its root.
bool has_v2(const std::string& controller);

}  // namespace support
