// SPDX-License-Identifier: Apache-2.0
// What the container may not see or not change: masked and read-only paths.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u64 kInert = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/// The host's /dev/null, still reachable before pivot_root; anything else would mask nothing.
Status open_null(Context& context) {
  if (context.null_device.is_open()) return kDone;
  const long opened = syscall(__NR_openat, kWorkingDirectory, "/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
  INIT_TRY(check(opened, Detail::not_dev_null));
  SweptFd file(opened);
  Node node;
  INIT_TRY(look(file, node));
  if (!node.is_null_device()) return {ENODEV, Detail::not_dev_null};
  context.null_device = static_cast<SweptFd&&>(file);
  return kDone;
}

Status clone(FdRef mount, u32 flags, Fd& tree, const char* name = "") {
  const u32 how = name[0] == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
  const long cloned = syscall(__NR_open_tree, mount, name,
                              static_cast<u32>(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) | how | flags);
  INIT_TRY(check(cloned, Detail::clone_tree));
  tree = Fd(cloned);
  return kDone;
}

Status prepare_null(Context& context) {
  if (context.null_tree.is_open()) return kDone;
  INIT_TRY(open_null(context));
  SweptFd tree;
  INIT_TRY(clone(context.null_device, 0, tree));
  INIT_TRY(change_attributes(tree, {kBorrowed, 0, 0}, false));
  context.null_tree = static_cast<SweptFd&&>(tree);  // not before: another look would take it as it is
  return kDone;
}

Status mask_file(Context& context, FdRef target) {
  INIT_TRY(prepare_null(context));
  const SweptFd tree(static_cast<SweptFd&&>(context.null_tree));
  return attach(tree, target);
}

/// NAME of "/proc/NAME", where that is in a procfs of our own; null: somebody may have put something else
/// there.
const char* name_in_own_proc(const Context& context, FdRef root, const char* path) {
  const OwnProc& proc = context.own_proc;
  return proc.mount.is_open() && proc.root.number == root.number ? path + sizeof "/proc/" - 1 : nullptr;
}

/// move_mount(2) onto a name in our own procfs.
long attach_in_proc(const Context& context, FdRef tree, const char* name) {
  return syscall(__NR_move_mount, tree, "", FdRef(context.own_proc.mount), name, MOVE_MOUNT_F_EMPTY_PATH);
}

/// Without a look at what is there. False: it takes the long way.
bool mask_proc_file(Context& context, const char* name) {
  if (name == nullptr || prepare_null(context).failed()) return false;
  const long moved = attach_in_proc(context, context.null_tree, name);
  if (moved == 0) context.null_tree.abandon();
  return moved == 0 || moved == -ENOENT;
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

/// Opens what is to be hidden or protected. What may be /proc itself will be covered, so that names in our
/// own procfs then lead below the cover, where nobody looks.
long find(Context& context, FdRef root, const char* path, u64 flags) {
  long opened = open_below(root, path, flags, RESOLVE_NO_SYMLINKS);
  const bool is_straight = opened != -ELOOP;
  if (!is_straight) opened = open_below(root, path, flags);
  if (!is_straight || is_equal(path, "/proc")) context.own_proc.mount.abandon();
  return opened;
}

/// What is to be hidden or protected; nothing there is fine, and leaves `target` empty.
Status take(Context& context, long opened, Fd& target) {
  if (opened == -ENOENT || opened == -ENOTDIR) return kDone;
  INIT_TRY(check(opened, Detail::resolve_target));
  target = Fd(opened);
  forget_directories(context);
  return kDone;
}

Status protect_in_proc(const Context& context, const char* name) {
  SweptFd tree;
  const Status cloned = clone(context.own_proc.mount, AT_RECURSIVE, tree, name);
  if (cloned.error == ENOENT) return kDone;
  INIT_TRY(cloned);
  INIT_TRY(change_attributes(tree, {MOUNT_ATTR_RDONLY, 0, 0}, false));
  return check(attach_in_proc(context, tree, name), Detail::attach_mount);
}

}  // namespace

Status perform(Context& context, const program::MaskPath& operation) {
  const FdRef root = context.slot(operation.root);
  const char* path = context.text(operation.path);
  if (operation.is_proc_file != 0 && mask_proc_file(context, name_in_own_proc(context, root, path)))
    return kDone;
  long opened = find(context, root, path, O_PATH | O_DIRECTORY);
  const bool is_directory = opened >= 0;
  // If it is one by now after all, move_mount refuses to hide it below a file.
  if (opened == -ENOTDIR) opened = find(context, root, path, O_PATH);
  SweptFd target;
  INIT_TRY(take(context, opened, target));
  if (!target.is_open()) return kDone;
  return is_directory ? mask_directory(context, target) : mask_file(context, target);
}

Status perform(Context& context, const program::ProtectPath& operation) {
  const FdRef root = context.slot(operation.root);
  const char* path = context.text(operation.path);
  if (operation.is_proc_entry != 0)
    if (const char* name = name_in_own_proc(context, root, path)) return protect_in_proc(context, name);
  SweptFd target;
  INIT_TRY(take(context, find(context, root, path, O_PATH), target));
  if (!target.is_open()) return kDone;
  SweptFd tree;
  INIT_TRY(clone(target, AT_RECURSIVE, tree));
  INIT_TRY(change_attributes(tree, {MOUNT_ATTR_RDONLY, 0, 0}, false));
  return attach(tree, target);
}

}  // namespace davit::init
