// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/mount.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "davit/sys/process.hpp"
#include "sys/call.hpp"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

namespace davit::sys {
namespace {

/// Of a child with a mount namespace of its own, where the mount gets a place; `copy` becomes the copy. Exits
/// with an errno.
[[noreturn]] void clone_where_mounted(FdRef mount, const char* name, FdRef copy) {
  long done = ::syscall(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (done == 0) done = ::syscall(SYS_move_mount, mount.number(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
  if (done == 0)
    done = ::syscall(SYS_open_tree, mount.number(), name,
                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (done >= 0) done = ::dup3(static_cast<int>(done), copy.number(), O_CLOEXEC);
  ::_exit(done < 0 ? errno : 0);
}

}  // namespace

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

Result<UniqueFd> clone_file(FdRef mount, const std::string& name) {
  auto copied = clone_tree(mount, name, false, false);
  // Before Linux 6.15 only what is mounted in one's own namespace can be copied.
  if (copied.ok() || copied.error().errno_value != EINVAL) return copied;
  const int number = ::fcntl(mount.number(), F_DUPFD_CLOEXEC, 0);
  if (number < 0) return failed("dup", name);
  UniqueFd copy = UniqueFd::adopt(number);
  // The table of descriptors is shared, so that what the child puts there is here.
  const long child =
      ::syscall(SYS_clone, CLONE_NEWNS | CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) clone_where_mounted(mount, name.c_str(), copy);
  if (child < 0) return failed("clone", name);
  const int status = TRY(wait_for(static_cast<pid_t>(child)));
  if (status == 0) return copy;
  return system_error(WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD, "open_tree " + name);
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
