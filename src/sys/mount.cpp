// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/mount.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/call.hpp"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

namespace davit::sys {

Result<UniqueFd> clone_tree(FdRef directory, const std::string& path, bool recursive, bool follow) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) |
                         (path.empty() ? AT_EMPTY_PATH : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  const long number = ::syscall(SYS_open_tree, directory.number(), path.c_str(), flags);
  if (number < 0) return failed("open_tree", path);
  return UniqueFd::adopt(static_cast<int>(number));
}

Result<UniqueFd> new_tmpfs() {
  const long opened = ::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (opened < 0) return failed("fsopen", "tmpfs");
  const UniqueFd filesystem = UniqueFd::adopt(static_cast<int>(opened));
  if (::syscall(SYS_fsconfig, filesystem.number(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return failed("fsconfig", "tmpfs");
  const long mounted = ::syscall(SYS_fsmount, filesystem.number(), FSMOUNT_CLOEXEC, 0);
  if (mounted < 0) return failed("fsmount", "tmpfs");
  return UniqueFd::adopt(static_cast<int>(mounted));
}

Result<void> set_idmap(FdRef tree, FdRef user_namespace, bool recursive) {
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<std::uint64_t>(user_namespace.number());
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  if (::syscall(SYS_mount_setattr, tree.number(), "", flags, &attributes, sizeof attributes) < 0)
    return failed("mount_setattr(MOUNT_ATTR_IDMAP)", "");
  return {};
}

Result<long> filesystem_type(FdRef file) {
  struct statfs status = {};
  if (retry([&] { return ::fstatfs(file.number(), &status); }) < 0) return failed("fstatfs", "");
  return static_cast<long>(status.f_type);
}

Result<long> filesystem_type(const std::string& path) {
  struct statfs status = {};
  if (retry([&] { return ::statfs(path.c_str(), &status); }) < 0) return failed("statfs", path);
  return static_cast<long>(status.f_type);
}

}  // namespace davit::sys
