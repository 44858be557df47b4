// Steps that several mount operations share.
#pragma once

#include "init/context.hpp"

namespace davit::init {

/// mount_setattr(2) on an open mount; nothing to do is done.
Status change_attributes(FdRef mount, const program::MountAttributes& attributes, bool is_recursive);

/// move_mount(2) of a detached mount onto an open place.
Status attach(FdRef mount, FdRef target);

/// Copies everything below the directory `from` into the directory `to` (tmpcopyup), with owners, modes,
/// times and as many extended attributes as the target takes.
Status copy_up(Context& context, FdRef from, FdRef to);

}  // namespace davit::init
