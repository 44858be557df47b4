// SPDX-License-Identifier: Apache-2.0
#include "container/belongings.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <string_view>

#include "davit/sys/file.hpp"

namespace davit::container {

namespace {

struct Belonging {
  std::string_view name;
  mode_t type;
};

constexpr std::array<Belonging, 6> kOfContainer = {{
    {kRecordFile, S_IFREG},
    {".state.json", S_IFREG},  // a replacement whose writer was killed
    {kConfigFile, S_IFREG},
    {kStartSocket, S_IFSOCK},
    {kTracersFile, S_IFREG},
    {kNotifyDirectory, S_IFDIR},
}};
constexpr std::array<Belonging, 1> kOfNotify = {{{kNotifySocket, S_IFSOCK}}};

/// Looks at each name in a directory, and below it: true when all of them are davit's. With `remove` those
/// that are go.
Result<bool> visit(sys::FdRef directory, std::span<const Belonging> known, bool remove) {
  bool all_known = true;
  for (const std::string& name : TRY(sys::list_directory(directory))) {
    const auto status = sys::stat_at(directory, name, AT_SYMLINK_NOFOLLOW);
    if (!status.ok() && status.error().errno_value == ENOENT) continue;
    if (!status.ok()) return status.error();
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const Belonging& one) {
      return one.name == name && one.type == (status->st_mode & S_IFMT);
    });
    all_known = all_known && is_known;
    if (!is_known) continue;
    const bool is_directory = S_ISDIR(status->st_mode);
    if (is_directory) {
      const auto inner = TRY(sys::open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      all_known = TRY(visit(inner, kOfNotify, remove)) && all_known;
    }
    if (!remove) continue;
    auto removed = sys::unlink_at(directory, name, is_directory ? AT_REMOVEDIR : 0);
    if (removed.ok() || removed.error().errno_value == ENOENT) continue;
    if (removed.error().errno_value != ENOTEMPTY) return removed.error();
  }
  return all_known;
}

}  // namespace

Result<bool> is_made_by_davit(sys::FdRef directory) {
  const struct stat status = TRY(sys::stat_of(directory));
  // The umask may have taken some of the user's own bits.
  constexpr mode_t kCertain = 07777 & ~0700;
  const bool is_marked = (status.st_mode & kCertain) == (kDirectoryMode & kCertain);
  if (!is_marked || status.st_uid != ::geteuid()) return false;
  return visit(directory, kOfContainer, false);
}

Result<void> remove_belongings(sys::FdRef directory) {
  TRY(visit(directory, kOfContainer, true));
  return {};
}

}  // namespace davit::container
