// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/rootfs.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "davit/sys/file.hpp"

namespace davit::sys {

Result<RootFs> RootFs::open(const std::string& host_path) {
  return RootFs(TRY(sys::open(host_path, O_PATH | O_DIRECTORY)));
}

Result<UniqueFd> RootFs::open_at(const ContainerPath& path, int flags) const {
  return open_at2(directory_, path.text(), flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<std::string> RootFs::read_file(const ContainerPath& path, std::size_t limit) const {
  // O_NONBLOCK: a fifo in place of the file must not hang us.
  const UniqueFd file = TRY(open_at(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const struct stat status = TRY(stat_of(file));
  if (!S_ISREG(status.st_mode)) return make_error(Code::system, path.text() + " is not a regular file");
  return read_all(file, limit);
}

}  // namespace davit::sys
