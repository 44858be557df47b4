// SPDX-License-Identifier: Apache-2.0
// What compile_tree asks, answered by this machine.
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>

#include "davit/features/rootfs.hpp"
#include "davit/sys/file.hpp"

namespace davit::rootfs {
namespace {

bool exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0;
}

Result<std::string> link_of(const std::string& path) {
  auto content = sys::read_link(path);
  if (content) return content;
  if (content.error().errno_value == EINVAL) return std::string();
  return content.error();
}

bool is_procfs(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

bool is_own_cgroup_namespace(const std::string& path) {
  return sys::is_same_file(path, "/proc/self/ns/cgroup").value_or(false);
}

}  // namespace

SourceQueries host_queries() {
  return {exists, link_of, is_procfs, is_own_cgroup_namespace};
}

}  // namespace davit::rootfs
