// SPDX-License-Identifier: Apache-2.0
// The container's root: how it gets into place, and how nothing else stays in reach.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

/// Takes a host filesystem away before a change_root that leaves the old tree underneath. A mount that is
/// locked (user namespaces) is covered instead.
Status detach(const char* path) {
  const long gone = syscall(__NR_umount2, path, kMountDetach);
  if (gone == -EINVAL || gone == -ENOENT) return kDone;  // there is no mount
  if (gone != -EPERM) return check(gone);
  return check(
      syscall(__NR_mount, "none", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
}

Status enter(FdRef directory) {
  INIT_TRY(check(syscall(__NR_fchdir, directory)));
  INIT_TRY(check(syscall(__NR_chroot, ".")));
  return check(syscall(__NR_chdir, "/"));
}

}  // namespace

Status perform(Context& context, const program::EnterPlace& operation) {
  return check(syscall(__NR_chdir, context.text(operation.host_path)));
}

Status perform(Context& context, const program::AttachRoot& operation) {
  const FdRef tree = context.slot(operation.tree);
  INIT_TRY(change_attributes(tree, operation.recursive_attributes, true));
  INIT_TRY(change_attributes(tree, operation.attributes, false));
  return attach(tree, kWorkingDirectory);
}

Status perform(Context& context, const program::SealRoot& operation) {
  const FdRef root = context.slot(operation.root);
  program::MountAttributes own = operation.attributes;
  if (operation.recursive != 0) return change_attributes(root, own, true);
  if (operation.recursive_propagation != 0) {
    INIT_TRY(change_attributes(root, {0, 0, own.propagation}, true));
    own.propagation = 0;
  }
  return change_attributes(root, own, false);
}

Status perform(Context& context, const program::PivotRoot& operation) {
  INIT_TRY(check(syscall(__NR_fchdir, context.slot(operation.root))));
  // The old root ends up on top of the new one, where "." finds and removes it: no put_old is needed.
  INIT_TRY(check(syscall(__NR_pivot_root, ".", ".")));
  INIT_TRY(check(syscall(__NR_umount2, ".", kMountDetach)));
  return check(syscall(__NR_chdir, "/"));
}

Status perform(Context& context, const program::ChangeRoot& operation) {
  INIT_TRY(detach("/proc"));
  INIT_TRY(detach("/sys"));
  const FdRef root = context.slot(operation.root);
  INIT_TRY(check(syscall(__NR_move_mount, root, "", kWorkingDirectory, "/", MOVE_MOUNT_F_EMPTY_PATH),
                 Detail::attach_mount));
  return enter(root);
}

Status perform(Context& context, const program::EnterRoot& operation) {
  return enter(context.slot(operation.directory));
}

}  // namespace davit::init
