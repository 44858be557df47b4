// SPDX-License-Identifier: Apache-2.0
// Finding and making places below the container's root, which is hostile: by descriptors and openat2 only.
#pragma once

#include "init/context.hpp"

namespace davit::init {

/// openat2 that never leaves `root` and follows no magic links; EAGAIN (a rename race) is tried again.
/// `resolve` adds RESOLVE_* flags. A descriptor or -errno.
long open_below(FdRef root, const char* path, u64 flags, u64 resolve = 0);

/// What statx says of an open file.
struct Node {
  u32 mode = 0;
  u32 major = 0;
  u32 minor = 0;
  u32 uid = 0;
  [[nodiscard]] u32 type() const { return mode & kTypeMask; }
  [[nodiscard]] bool is_null_device() const { return type() == kTypeCharacter && major == 1 && minor == 3; }
};
Status look(FdRef file, Node& node);
/// The same of what a path leads to.
Status look(FdRef directory, const char* path, Node& node);

/// Opens (O_PATH) where a mount goes; what is missing is made as Target says.
Status open_target(Context& context, FdRef root, const program::Target& target, Fd& opened);

/// Opens (O_PATH) a directory; missing components are made with `mode`.
Status make_directories(Context& context, FdRef root, const char* path, u32 mode, Fd& opened);

/// Opens (O_PATH) whatever is at the path, a symlink itself too; nothing there becomes an empty file.
Status make_file(Context& context, FdRef root, const char* path, Fd& opened);

/// Cuts a path into the directory and its last component, which must be a name.
Status split(const char* path, char (&directory)[kPathMax], const char*& name);

/// Splits a path of the program into its parent, made where missing and opened, and its last component, which
/// must be a name.
Status open_parent(Context& context, FdRef root, const char* path, Fd& parent, const char*& name);

/// "/" of this process.
Status open_root(Fd& root);

}  // namespace davit::init
