// SPDX-License-Identifier: Apache-2.0
// Filesystems, binds and remounts.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

using program::MountAttributes;

/// The kernel says why a filesystem was refused, one line per read(2): "e tmpfs: Unknown parameter 'x'".
/// Keeps the last error.
void keep_log(Context& context, FdRef filesystem, const char* otherwise) {
  char line[sizeof context.message.text];
  bool is_found = false;
  for (;;) {
    const long got = syscall(__NR_read, filesystem, line, sizeof line - 1);
    if (got <= 0) break;
    line[got] = '\0';
    if (line[got - 1] == '\n') line[got - 1] = '\0';
    if (line[0] != 'e' || line[1] != ' ') continue;
    say(context, line + 2);
    is_found = true;
  }
  if (!is_found) say(context, otherwise);
}

/// Whether the options are set that may be left out.
enum class Optional { set, left_out };

Status set_options(Context& context, FdRef filesystem, program::List<program::FilesystemOption> options,
                   Optional optional = Optional::set) {
  for (const program::FilesystemOption& option : context.items(options)) {
    if (option.is_optional != 0 && optional == Optional::left_out) continue;
    const char* key = context.text(option.key);
    const char* value = option.is_flag != 0 ? nullptr : context.text(option.value);
    const u32 command = option.is_flag != 0 ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    const long set = syscall(__NR_fsconfig, filesystem, command, key, value, 0);
    if (set == -EINVAL && option.is_optional != 0) continue;
    if (set < 0) {
      keep_log(context, filesystem, key);
      return check(set, Detail::configure_filesystem);
    }
  }
  return kDone;
}

/// Whether a tmpfs takes over the mode of the directory that it covers, as engines expect: unless it has its
/// own.
bool inherits_mode(const Context& context, const program::MountFilesystem& operation) {
  if (!is_equal(context.text(operation.type), "tmpfs")) return false;
  for (const program::FilesystemOption& option : context.items(operation.options))
    if (is_equal(context.text(option.key), "mode")) return false;
  return true;
}

/// Gives a tmpfs the mode of the directory at the target, if there is one: as an option, so that mountinfo
/// tells.
Status inherit_mode(const Context& context, FdRef filesystem, const program::MountFilesystem& operation) {
  const SweptFd existing(
      open_below(context.slot(operation.root), context.text(operation.target.path), O_PATH | O_DIRECTORY));
  Node node;
  if (!existing.is_open() || look(existing, node).failed()) return kDone;
  char mode[] = "0000";
  for (u32 digit = 0; digit < 4; ++digit)
    mode[3 - digit] = static_cast<char>('0' + ((node.mode >> (3 * digit)) & 7U));
  const long set = syscall(__NR_fsconfig, filesystem, FSCONFIG_SET_STRING, "mode", mode, 0);
  return check(set, Detail::configure_filesystem);
}

Status configure(Context& context, FdRef filesystem, const program::MountFilesystem& operation,
                 Optional optional) {
  const char* source = context.text(operation.source);
  if (operation.source.length > 0) {
    const long set = syscall(__NR_fsconfig, filesystem, FSCONFIG_SET_STRING, "source", source, 0);
    if (set < 0) {
      keep_log(context, filesystem, source);
      return check(set, Detail::configure_filesystem);
    }
  }
  INIT_TRY(set_options(context, filesystem, operation.options, optional));
  if (inherits_mode(context, operation)) INIT_TRY(inherit_mode(context, filesystem, operation));
  const long created = syscall(__NR_fsconfig, filesystem, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (created < 0) keep_log(context, filesystem, "");
  return check(created, Detail::create_filesystem);
}

/// Changes the filesystem itself, for every mount of it.
Status reconfigure(Context& context, FdRef target, program::List<program::FilesystemOption> options) {
  if (options.count == 0) return kDone;
  const long picked = syscall(__NR_fspick, target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
  INIT_TRY(check(picked, Detail::open_filesystem));
  const SweptFd filesystem(picked);
  INIT_TRY(set_options(context, filesystem, options));
  const long changed =
      syscall(__NR_fsconfig, FdRef(filesystem), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
  if (changed < 0) keep_log(context, filesystem, "");
  return check(changed, Detail::configure_filesystem);
}

/// fsmount takes all attributes that can be set, and in a user namespace it must: proc and sysfs may be no
/// more open there than they are elsewhere. Only what is still to be filled in cannot be read-only yet.
u64 attributes_from_birth(const program::MountFilesystem& operation) {
  const bool is_filled = (operation.flags & program::kMountCopyUp) != 0;
  return operation.attributes.set & ~static_cast<u64>(is_filled ? MOUNT_ATTR_RDONLY : 0);
}

Status make(Context& context, const program::MountFilesystem& operation, Optional optional, Fd& mount) {
  const long opened = syscall(__NR_fsopen, context.text(operation.type), FSOPEN_CLOEXEC);
  INIT_TRY(check(opened, Detail::open_filesystem));
  const SweptFd filesystem(opened);
  INIT_TRY(configure(context, filesystem, operation, optional));
  const long mounted =
      syscall(__NR_fsmount, FdRef(filesystem), FSMOUNT_CLOEXEC, attributes_from_birth(operation));
  if (mounted < 0) keep_log(context, filesystem, "");
  INIT_TRY(check(mounted, Detail::create_filesystem));
  mount = Fd(mounted);
  return kDone;
}

bool has_optional(const Context& context, const program::MountFilesystem& operation) {
  for (const program::FilesystemOption& option : context.items(operation.options))
    if (option.is_optional != 0) return true;
  return false;
}

Status create(Context& context, const program::MountFilesystem& operation, Fd& mount) {
  const Status made = make(context, operation, Optional::set, mount);
  // The devpts of older kernels looks at its options only when it is made, and does not say which one is
  // wrong.
  if (made.error != EINVAL || made.detail != Detail::create_filesystem || !has_optional(context, operation))
    return made;
  say(context, "");
  return make(context, operation, Optional::left_out, mount);
}

/// A user namespace without a network namespace of its own may not mount sysfs: it gets the host's. Flags
/// that are locked there cannot be cleared, and staying stricter than asked is fine.
Status borrow_sysfs(Fd& mount) {
  const long cloned =
      syscall(__NR_open_tree, kWorkingDirectory, "/sys", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  INIT_TRY(check(cloned, Detail::clone_tree));
  mount = Fd(cloned);
  return kDone;
}

/// What comes into a user namespace has its flags locked. Engines write "rw" on every volume, so that a lock
/// on it is kept, as are access times; that of exec, suid or dev would be asked for by somebody, and is not
/// passed over in silence.
Status change_locked(FdRef mount, const MountAttributes& attributes, bool is_recursive) {
  const Status status = change_attributes(mount, attributes, is_recursive);
  if (status.error != EPERM) return status;
  constexpr u64 kTimes = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
  MountAttributes kept = attributes;
  kept.set &= ~kTimes;
  kept.clear &= ~(kTimes | MOUNT_ATTR_RDONLY);
  return change_attributes(mount, kept, is_recursive);
}

/// What an option replaces without naming it is cleared one by one where it cannot be cleared together: the
/// kernel says EPERM to all of them if one is locked.
Status change_bind(FdRef tree, const program::MountTree& operation) {
  MountAttributes all = operation.attributes;
  all.clear |= operation.replaced;
  const Status status = change_attributes(tree, all, false);
  if (status.error != EPERM) return status;
  for (u64 left = operation.replaced; left != 0; left &= left - 1) {
    const Status cleared = change_attributes(tree, {0, left & -left, 0}, false);
    if (cleared.error != EPERM) INIT_TRY(cleared);
  }
  return change_locked(tree, operation.attributes, false);
}

Status fill_from(Context& context, const program::MountFilesystem& operation, FdRef mount) {
  SweptFd target;
  INIT_TRY(open_target(context, context.slot(operation.root), operation.target, target));
  const long opened = open_below(target, ".", O_RDONLY | O_DIRECTORY);
  INIT_TRY(check(opened, Detail::copy_up));
  const SweptFd from(opened);
  return copy_up(context, from, mount);
}

/// Opens the target; what is missing of it is made as what the mount is.
Status open_place(Context& context, FdRef root, const program::Target& target, FdRef mount, Fd& place) {
  if (target.kind != program::TargetKind::like_tree) return open_target(context, root, target, place);
  program::Target found = target;
  found.kind = program::TargetKind::file;
  found.flags |= program::kTargetMustExist;
  const Status status = open_target(context, root, found, place);
  if (status.error != ENOENT) return status;
  Node node;
  INIT_TRY(look(mount, node));
  if (node.type() == kTypeDirectory) found.kind = program::TargetKind::directory;
  found.flags = target.flags;
  return open_target(context, root, found, place);
}

Status attach_at(Context& context, FdRef root, const program::Target& target, FdRef mount) {
  SweptFd place;
  INIT_TRY(open_place(context, root, target, mount, place));
  return attach(mount, place);
}

/// What davit saw at the source's path may be something else by the time it is opened (CVE-2019-16884).
Status check_whole_proc(FdRef tree) {
  constexpr u64 kRootInode = 1;  // PROC_ROOT_INO
  struct statfs filesystem;
  struct statx info;
  INIT_TRY(check(syscall(__NR_fstatfs, tree, &filesystem), Detail::not_procfs));
  INIT_TRY(check(syscall(__NR_statx, tree, "", AT_EMPTY_PATH, STATX_INO, &info), Detail::not_procfs));
  const bool is_proc = filesystem.f_type == PROC_SUPER_MAGIC && info.stx_ino == kRootInode;
  return is_proc ? kDone : Status{EINVAL, Detail::not_procfs};
}

/// What the kernel shows of itself is masked where it is mounted, and would come without its masks.
bool is_of_kernel(FdRef file) {
  constexpr u64 kConfigfs = 0x62656570;  // in no header
  constexpr u64 kTypes[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                            DEBUGFS_MAGIC,    TRACEFS_MAGIC,  SECURITYFS_MAGIC,   BPF_FS_MAGIC,
                            BINFMTFS_MAGIC,   EFIVARFS_MAGIC, SELINUX_MAGIC,      kConfigfs};
  struct statfs filesystem;
  if (syscall(__NR_fstatfs, file, &filesystem) < 0) return true;
  for (const u64 type : kTypes)
    if (static_cast<u64>(filesystem.f_type) == type) return true;
  return false;
}

/// Whether that is the root itself, with all that is mounted in it. What cannot be told is.
bool is_root(FdRef file, FdRef root) {
  struct statx one;
  struct statx other;
  constexpr u32 kWanted = STATX_INO | STATX_MNT_ID;
  if (syscall(__NR_statx, file, "", AT_EMPTY_PATH, kWanted, &one) < 0) return true;
  if (syscall(__NR_statx, root, "", AT_EMPTY_PATH, kWanted, &other) < 0) return true;
  return one.stx_ino == other.stx_ino && one.stx_mnt_id == other.stx_mnt_id;
}

/// Opens the source of a bind below the container's root. Its symlinks may lead to anything but the kernel's
/// interfaces, and what holds them.
Status open_inside(Context& context, const program::OpenTree& operation, SweptFd& inside) {
  const FdRef root = context.slot(operation.root);
  const char* path = context.text(operation.path);
  const u64 flags = O_PATH | (operation.no_follow != 0 ? O_NOFOLLOW : 0);
  inside = SweptFd(open_below(root, path, flags, RESOLVE_NO_SYMLINKS));
  if (inside.is_open()) return kDone;
  const long opened = open_below(root, path, flags);
  INIT_TRY(check(opened));
  inside = SweptFd(opened);
  if (!is_of_kernel(inside) && (operation.recursive == 0 || !is_root(inside, root))) return kDone;
  say(context, "a symlink leads to an interface of the kernel");
  return {EPERM};
}

}  // namespace

Status change_attributes(FdRef mount, const MountAttributes& attributes, bool is_recursive) {
  if (attributes.set == 0 && attributes.clear == 0 && attributes.propagation == 0) return kDone;
  mount_attr change{};
  change.attr_set = attributes.set;
  change.attr_clr = attributes.clear;
  change.propagation = attributes.propagation;
  // The access time mode is one field of several bits: it is replaced as a whole or not at all.
  if (((change.attr_set | change.attr_clr) & MOUNT_ATTR__ATIME) != 0) change.attr_clr |= MOUNT_ATTR__ATIME;
  const u32 flags = AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0);
  return check(syscall(__NR_mount_setattr, mount, "", flags, &change, sizeof change), Detail::set_attributes);
}

Status attach(FdRef mount, FdRef target) {
  const long moved =
      syscall(__NR_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  Node from;
  Node to;
  // The kernel's EINVAL has many reasons; the usual one has a name that engines know.
  const bool is_mixed = (moved == -EINVAL || moved == -ENOTDIR) && !look(mount, from).failed() &&
                        !look(target, to).failed() &&
                        (from.type() == kTypeDirectory) != (to.type() == kTypeDirectory);
  if (!is_mixed) return check(moved, Detail::attach_mount);
  const bool is_file = to.type() == kTypeDirectory;
  return {ENOTDIR, is_file ? Detail::file_on_directory : Detail::directory_on_file};
}

Status perform(Context& /*context*/, const program::SetPropagation& operation) {
  return check(syscall(__NR_mount, nullptr, "/", nullptr, operation.flags, nullptr));
}

Status perform(Context& context, const program::OpenTree& operation) {
  const char* path = context.text(operation.path);
  FdRef from = kWorkingDirectory;
  SweptFd inside;
  if (operation.root != program::kNoSlot) {
    INIT_TRY(open_inside(context, operation, inside));
    from = inside;
    path = "";
  }
  const u32 flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path[0] == '\0' ? AT_EMPTY_PATH : 0) |
                    (operation.recursive != 0 ? AT_RECURSIVE : 0) |
                    (operation.no_follow != 0 ? AT_SYMLINK_NOFOLLOW : 0);
  const long cloned = syscall(__NR_open_tree, from, path, flags);
  INIT_TRY(check(cloned));
  context.fill(operation.tree, Fd(cloned));
  return kDone;
}

Status perform(Context& context, const program::MountFilesystem& operation) {
  const FdRef root = context.slot(operation.root);
  SweptFd mount;
  const Status created = create(context, operation, mount);
  if (created.error == EPERM && (operation.flags & program::kMountSysfsFallback) != 0) {
    context.message.text[0] = '\0';
    INIT_TRY(borrow_sysfs(mount));
    const u64 set = operation.attributes.set | kBorrowed;
    INIT_TRY(change_locked(mount, {set, 0, operation.attributes.propagation}, true));
    return attach_at(context, root, operation.target, mount);
  }
  INIT_TRY(created);
  if ((operation.flags & program::kMountCopyUp) != 0) INIT_TRY(fill_from(context, operation, mount));
  MountAttributes rest = operation.attributes;
  rest.set &= ~attributes_from_birth(operation);
  rest.clear &= ~operation.attributes.set;
  INIT_TRY(change_attributes(mount, rest, false));
  INIT_TRY(attach_at(context, root, operation.target, mount));
  if ((operation.flags & program::kMountKeepSlot) != 0)
    context.fill(operation.mount, static_cast<Fd&&>(mount));
  return kDone;
}

Status perform(Context& context, const program::MountTree& operation) {
  const FdRef tree = context.slot(operation.tree);
  if ((operation.target.flags & program::kTargetForProc) != 0) INIT_TRY(check_whole_proc(tree));
  INIT_TRY(change_locked(tree, operation.recursive_attributes, true));
  INIT_TRY(change_bind(tree, operation));
  INIT_TRY(attach_at(context, context.slot(operation.root), operation.target, tree));
  if (operation.keep_tree == 0) const SweptFd done(context.take(operation.tree));
  return kDone;
}

Status perform(Context& context, const program::DetachMount& operation) {
  // umount2(2) knows no descriptors. From inside the parent, one name is left to be changed meanwhile, and
  // that leads nowhere else. A symlink of the container's could have a mask or /proc/sys removed instead.
  char directory[kPathMax];
  const char* name = nullptr;
  INIT_TRY(split(context.text(operation.path), directory, name));
  const long opened =
      open_below(context.slot(operation.root), directory, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  INIT_TRY(check(opened, Detail::resolve_target));
  const SweptFd parent(opened);
  INIT_TRY(check(syscall(__NR_fchdir, FdRef(parent))));
  return check(syscall(__NR_umount2, name, kMountDetach | kUnmountNoFollow));
}

Status perform(Context& context, const program::Remount& operation) {
  const program::Target& place = operation.target;
  const u64 flags = O_PATH | ((place.flags & program::kTargetNoFollow) == 0 ? 0 : O_NOFOLLOW);
  const u64 resolve = (place.flags & program::kTargetMustBeOrdinary) != 0 ? RESOLVE_NO_SYMLINKS : 0;
  const long opened = open_below(context.slot(operation.root), context.text(place.path), flags, resolve);
  INIT_TRY(check(opened, Detail::resolve_target));
  const SweptFd target(opened);
  INIT_TRY(reconfigure(context, target, operation.options));
  INIT_TRY(change_attributes(target, operation.recursive_attributes, true));
  return change_attributes(target, operation.attributes, false);
}

}  // namespace davit::init
