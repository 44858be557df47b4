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

/// In a mount namespace of one's own: puts the detached mount into its place, and copies a file of it.
Result<UniqueFd> clone_where_mounted(FdRef mount, const std::string& name) {
  if (::syscall(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return failed("mount", "/");
  if (::syscall(SYS_move_mount, mount.number(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return failed("move_mount", name);
  return clone_tree(mount, name, false, false);
}

/// The child's part: `place` becomes what it opens. Exits with an errno.
[[noreturn]] void open_and_exit(const std::function<Result<UniqueFd>()>& open, FdRef place) {
  int error = 0;
  {
    auto opened = open();
    if (!opened.ok())
      error = opened.error().errno_value != 0 ? opened.error().errno_value : EIO;
    else if (::dup3(opened->number(), place.number(), O_CLOEXEC) < 0)
      error = errno;
  }
  ::_exit(error);
}

}  // namespace

Result<UniqueFd> clone_tree(FdRef directory, const std::string& path, bool recursive, bool follow) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) |
                         (path.empty() ? AT_EMPTY_PATH : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  const long number = ::syscall(SYS_open_tree, directory.number(), path.c_str(), flags);
  if (number < 0) return failed("open_tree", path);
  return UniqueFd::adopt(static_cast<int>(number));
}

Result<UniqueFd> open_in_copied_namespace(const std::function<Result<UniqueFd>()>& open) {
  UniqueFd place = UniqueFd::adopt(::open("/", O_PATH | O_CLOEXEC));
  if (!place.valid()) return failed("open", "/");
  // The table of descriptors is shared, so that what the child puts there is here.
  const long child =
      ::syscall(SYS_clone, CLONE_NEWNS | CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) open_and_exit(open, place);
  if (child < 0) return failed("clone", "a mount namespace");
  const int status = TRY(wait_for(static_cast<pid_t>(child)));
  if (status == 0) return place;
  return system_error(WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD, "open in a copied mount namespace");
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
  auto opened = open_in_copied_namespace([&] { return clone_where_mounted(mount, name); });
  if (!opened.ok()) return opened.error().wrap("copy " + name);
  return opened;
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
