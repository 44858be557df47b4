// SPDX-License-Identifier: Apache-2.0
// Operations on mounts, and on what lies below the container's root.
#pragma once

#include "davit/program/layout.hpp"

namespace davit::program {

/// chdir(2) to the directory on the host where attach_root will put the container's root. Before a user
/// namespace is entered, which may not search the directories above it; the way into a new mount namespace
/// takes the working directory along (clone(2) copies the mounts, and moves it to the copy of its own).
struct EnterPlace : Operation {
  static constexpr Op kOp = Op::enter_place;
  Str host_path;
};

/// mount(NULL, "/", NULL, flags): MS_SLAVE|MS_REC and the like, on the root of the mount namespace.
struct SetPropagation : Operation {
  static constexpr Op kOp = Op::set_propagation;
  u64 flags = 0;
};

/// open_tree(path, OPEN_TREE_CLONE). A host path must come before pivot_root; a recursive one of "/" before
/// attach_root, too, or it holds the container's root as well. ENOENT and ENOTDIR are errors.
struct OpenTree : Operation {
  static constexpr Op kOp = Op::open_tree;
  Str path;  ///< of the host, or below `root` if that is given; empty: the working directory
  u32 recursive = 0;
  u32 no_follow = 0;    ///< a symlink in the last component is what is bound
  Slot tree = kNoSlot;  ///< filled
  Slot root = kNoSlot;
  u32 padding = 0;
};

/// A set of changes for mount_setattr(2); propagation is 0 or one of MS_{SHARED,SLAVE,PRIVATE,UNBINDABLE}.
struct MountAttributes {
  u64 set = 0;    ///< MOUNT_ATTR_*
  u64 clear = 0;  ///< MOUNT_ATTR_*
  u64 propagation = 0;
};

/// Attaches a detached tree at the working directory, which is the place of enter_place or, in a namespace
/// that was joined, its root, and keeps it in `tree` as the root of all later container paths; `attributes`
/// are applied before. Hooks that enter the mount namespace find the container where its config says.
/// pivot_root or change_root goes there later.
struct AttachRoot : Operation {
  static constexpr Op kOp = Op::attach_root;
  Slot tree = kNoSlot;
  u16 padding[3] = {};
  MountAttributes attributes;            ///< not recursive
  MountAttributes recursive_attributes;  ///< AT_RECURSIVE
};

enum class TargetKind : u8 {
  directory,  ///< missing: made, with missing parents (0755)
  file,       ///< missing: an empty file is made (0644... 0755 parents)
  like_tree,  ///< mount_tree only: whichever of the two the root of the tree is
};

enum TargetFlags : u32 {
  kTargetMustBeOrdinary = 1,  ///< no symlink anywhere on the way: /proc and /sys (CVE-2019-19921)
  kTargetMustExist = 2,
  kTargetNoFollow = 4,  ///< do not follow a symlink in the last component (dest-nofollow)
  kTargetInProc = 8,    ///< may be in the procfs at /proc; others may not, whatever symlink leads there
  kTargetForProc = 16,  ///< mount_tree only: what is mounted there must be a procfs, and all of it
};

/// Where a mount goes.
struct Target {
  Str path;  ///< absolute, in the container
  TargetKind kind{};
  u8 padding[3] = {};
  u32 flags = 0;  ///< TargetFlags
};

struct FilesystemOption {
  Str key;
  Str value;
  u32 is_flag = 0;      ///< 1: FSCONFIG_SET_FLAG, value unused
  u32 is_optional = 0;  ///< 1: left out where the filesystem finds the value invalid
};

enum MountFlags : u32 {
  kMountCopyUp = 1,         ///< tmpcopyup: copy what lies at the target into the new filesystem first
  kMountKeepSlot = 2,       ///< keep the fsmount descriptor in `mount`
  kMountSysfsFallback = 4,  ///< EPERM (user namespace without own network namespace): the host's, read-only
};

/// fsopen, fsconfig, fsmount, move_mount. On failure the kernel's own message (fsopen log) becomes the
/// detail.
struct MountFilesystem : Operation {
  static constexpr Op kOp = Op::mount_filesystem;
  Str type;
  Str source;
  List<FilesystemOption> options;
  Target target;
  MountAttributes attributes;
  u32 flags = 0;  ///< MountFlags
  Slot root = kNoSlot;
  Slot mount = kNoSlot;  ///< filled with kMountKeepSlot
};

/// Puts a detached tree (slot `tree`, empty afterwards) at the target: bind mounts, devices in user
/// namespaces.
struct MountTree : Operation {
  static constexpr Op kOp = Op::mount_tree;
  Slot tree = kNoSlot;
  Slot root = kNoSlot;
  u16 keep_tree = 0;  ///< the slot stays filled: the tree is the root of later paths
  u16 padding = 0;
  Target target;
  MountAttributes attributes;
  MountAttributes recursive_attributes;
  u64 replaced = 0;  ///< MOUNT_ATTR_* that are cleared as well, but for those that are locked
};

/// Changes the mount that is at the target (option `remount`, or flags that must come after all mounts).
struct Remount : Operation {
  static constexpr Op kOp = Op::remount;
  Slot root = kNoSlot;
  u16 padding[3] = {};
  Target target;
  MountAttributes attributes;
  MountAttributes recursive_attributes;
  List<FilesystemOption> options;  ///< for the filesystem itself (fspick); none: it stays as it is
};

/// mknodat below root; an existing node must be of the same type and number. Missing parents are made (0755).
/// Where mknod is not allowed (user namespaces: EPERM, or at once with `bind`) the host's node `host_path` is
/// checked to be of the same type and number and bound, read-only, onto an empty file; with `cover_file` onto
/// a regular file that is there, too. Before pivot_root.
struct MakeDevice : Operation {
  static constexpr Op kOp = Op::make_device;
  Str path;
  Str host_path;
  u32 bind = 0;
  u32 mode = 0;  ///< S_IFCHR|S_IFBLK|S_IFIFO and permission bits
  u32 uid = 0;
  u32 gid = 0;
  u32 major = 0;
  u32 minor = 0;
  Slot root = kNoSlot;
  u16 cover_file = 0;
  u16 padding[2] = {};
};

/// symlinkat below root. An existing symlink with the same content is fine; anything else at that place stays
/// untouched when `keep_existing`, and is an error otherwise.
struct MakeSymlink : Operation {
  static constexpr Op kOp = Op::make_symlink;
  Str content;
  Str path;
  Slot root = kNoSlot;
  u16 keep_existing = 0;
  u32 replace = 0;  ///< 1: an existing regular file, device or symlink is removed first (dev/ptmx)
};

/// Makes a directory (and its parents, 0755) if it is missing.
struct MakeDirectory : Operation {
  static constexpr Op kOp = Op::make_directory;
  Str path;
  u32 mode = 0;
  Slot root = kNoSlot;
  u16 padding = 0;
};

/// Hides a path: a directory below an empty read-only tmpfs (one, shared), a file below a read-only bind
/// of the host's /dev/null (verified to be c 1:3, CVE-2025-31133). A missing path is fine. Before pivot_root.
struct MaskPath : Operation {
  static constexpr Op kOp = Op::mask_path;
  Str path;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// Makes a path read-only (bind onto itself, recursive clone, flags kept). A missing path is fine.
struct ProtectPath : Operation {
  static constexpr Op kOp = Op::protect_path;
  Str path;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// mount_setattr on the root mount itself: read-only root, and its final propagation. Also on the root of
/// another mount by its own descriptor, so that nothing mounted over it can take its place.
struct SealRoot : Operation {
  static constexpr Op kOp = Op::seal_root;
  Slot root = kNoSlot;
  u16 recursive_propagation = 0;
  u32 recursive = 0;  ///< 1: the attributes go to the mounts below, too
  MountAttributes attributes;
};

/// fchdir(root), pivot_root(".", "."), umount2(".", MNT_DETACH), chdir("/").
struct PivotRoot : Operation {
  static constexpr Op kOp = Op::pivot_root;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// --no-pivot: fchdir(root), move_mount(2) onto "/", chroot("."); the host's /proc and /sys are detached
/// first.
struct ChangeRoot : Operation {
  static constexpr Op kOp = Op::change_root;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// umount2(MNT_DETACH) of the mount at the path, which is no symlink: `mounts remove`.
struct DetachMount : Operation {
  static constexpr Op kOp = Op::detach_mount;
  Str path;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// exec into a container made with --no-pivot, or without mount namespace: fchdir(slot), chroot(".").
struct EnterRoot : Operation {
  static constexpr Op kOp = Op::enter_root;
  Slot directory = kNoSlot;
  u16 padding[3] = {};
};

}  // namespace davit::program
