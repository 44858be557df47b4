// SPDX-License-Identifier: Apache-2.0
// The fd-based mount API as far as the host side needs it (mount_setattr(2), open_tree(2)).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

/// open_tree(OPEN_TREE_CLONE): a detached copy of the mount at `path` (with AT_RECURSIVE, of all below it).
Result<UniqueFd> clone_tree(FdRef directory, const std::string& path, bool recursive, bool follow = true);
/// What `open` opens in a child that has a copy of the mount namespace; of its error only the errno remains.
Result<UniqueFd> open_in_copied_namespace(const std::function<Result<UniqueFd>()>& open);
/// A detached tmpfs, in which devices are devices.
Result<UniqueFd> new_tmpfs();
/// A detached copy of one file of a detached mount, on kernels that copy only what is mounted as well.
Result<UniqueFd> clone_file(FdRef mount, const std::string& name);
/// mount_setattr(MOUNT_ATTR_IDMAP): shows the ids of a detached tree as `user_namespace` maps them. EINVAL:
/// the filesystem cannot be idmapped, or already is.
Result<void> set_idmap(FdRef tree, FdRef user_namespace, bool recursive);
/// fstatfs(2): the filesystem's magic number.
Result<long> filesystem_type(FdRef file);
/// statfs(2): the same for a path.
Result<long> filesystem_type(const std::string& path);

}  // namespace davit::sys
