// SPDX-License-Identifier: Apache-2.0
// Where this host keeps what a container's cgroup says.
#pragma once

#include <sys/types.h>

#include <string>

namespace spec_tests {

/// A file of a controller under its name on v1 and on v2; empty where that hierarchy has none.
struct CgroupFile {
  std::string controller;
  std::string v1;
  std::string v2;
};

/// Whether a container's cgroup has that file here; the root cgroup may have fewer files.
bool host_has(const CgroupFile& file);
/// True if the controller is one of v2 here.
bool on_v2(const std::string& controller);
/// The file of the cgroup that a process of ours is in; "" if this host has none.
std::string path_of(pid_t pid, const CgroupFile& file);
/// What is in it, without the end of the line.
std::string value_of(pid_t pid, const CgroupFile& file);

}  // namespace spec_tests
