// SPDX-License-Identifier: Apache-2.0
// What the container may not see or not change: masked and read-only paths.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u64 kInert = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Status clone(FdRef mount, u32 flags, Fd& tree) {
  const long cloned = syscall(__NR_open_tree, mount, "",
                              static_cast<u32>(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) | AT_EMPTY_PATH | flags);
  INIT_TRY(check(cloned, Detail::clone_tree));
  tree = Fd(cloned);
  return kDone;
}

/// By the host's /dev/null, still reachable before pivot_root; anything else would mask nothing.
Status mask_file(FdRef target) {
  const long opened = syscall(__NR_openat, kWorkingDirectory, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  INIT_TRY(check(opened, Detail::not_dev_null));
  const SweptFd null(opened);
  Node node;
  INIT_TRY(look(null, node));
  if (!node.is_null_device()) return {ENODEV, Detail::not_dev_null};
  SweptFd tree;
  INIT_TRY(clone(null, 0, tree));
  INIT_TRY(change_attributes(tree, {kBorrowed, 0, 0}, false));
  return attach(tree, target);
}

Status make_empty(Fd& mount) {
  const long opened = syscall(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  INIT_TRY(check(opened, Detail::open_filesystem));
  const FdRef filesystem{static_cast<i32>(opened)};
  const SweptFd owner(opened);
  const long read_only = syscall(__NR_fsconfig, filesystem, FSCONFIG_SET_FLAG, "ro", nullptr, 0);
  INIT_TRY(check(read_only, Detail::configure_filesystem));
  const long created = syscall(__NR_fsconfig, filesystem, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  INIT_TRY(check(created, Detail::create_filesystem));
  const long mounted = syscall(__NR_fsmount, filesystem, FSMOUNT_CLOEXEC, kInert);
  INIT_TRY(check(mounted, Detail::create_filesystem));
  mount = Fd(mounted);
  return kDone;
}

/// The first empty tmpfs is attached, and every later one is a clone of it: kernels before 6.15 do not clone
/// a mount that is still detached.
Status mask_directory(Context& context, FdRef target) {
  if (context.empty_mount.is_open()) {
    SweptFd mount;
    INIT_TRY(clone(context.empty_mount, 0, mount));
    return attach(mount, target);
  }
  INIT_TRY(make_empty(context.empty_mount));
  return attach(context.empty_mount, target);
}

/// What is to be hidden or protected; nothing there is fine, and leaves `target` empty.
Status take(long opened, Fd& target) {
  if (opened == -ENOENT || opened == -ENOTDIR) return kDone;
  target = Fd(opened);
  return check(opened, Detail::resolve_target);
}

}  // namespace

Status perform(Context& context, const program::MaskPath& operation) {
  const FdRef root = context.slot(operation.root);
  const char* path = context.text(operation.path);
  long opened = open_below(root, path, O_PATH | O_DIRECTORY);
  const bool is_directory = opened >= 0;
  // If it is one by now after all, move_mount refuses to hide it below a file.
  if (opened == -ENOTDIR) opened = open_below(root, path, O_PATH);
  SweptFd target;
  INIT_TRY(take(opened, target));
  if (!target.is_open()) return kDone;
  return is_directory ? mask_directory(context, target) : mask_file(target);
}

Status perform(Context& context, const program::ProtectPath& operation) {
  SweptFd target;
  INIT_TRY(take(open_below(context.slot(operation.root), context.text(operation.path), O_PATH), target));
  if (!target.is_open()) return kDone;
  SweptFd tree;
  INIT_TRY(clone(target, AT_RECURSIVE, tree));
  INIT_TRY(change_attributes(tree, {MOUNT_ATTR_RDONLY, 0, 0}, false));
  return attach(tree, target);
}

}  // namespace davit::init
