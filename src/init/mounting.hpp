// SPDX-License-Identifier: Apache-2.0
// Steps that several mount operations share.
#pragma once

#include "init/context.hpp"

namespace davit::init {

/// For what init binds of the host by itself: root of the container, if it is that of the host, could change
/// the owner and the mode of the host's inode. A device can be written all the same.
inline constexpr u64 kBorrowed = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

/// mount_setattr(2) on an open mount; nothing to do is done.
Status change_attributes(FdRef mount, const program::MountAttributes& attributes, bool is_recursive);

/// move_mount(2) of a detached mount onto an open place.
Status attach(FdRef mount, FdRef target);

/// Copies everything below the directory `from` into the directory `to` (tmpcopyup), with owners, modes,
/// times and as many extended attributes as the target takes.
Status copy_up(Context& context, FdRef from, FdRef to);

}  // namespace davit::init
