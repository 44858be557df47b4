// SPDX-License-Identifier: Apache-2.0
// RootFs: the only way to files below a hostile directory tree.
#pragma once

#include <string>
#include <string_view>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

/// A path as the container sees it; it means nothing without a RootFs.
class ContainerPath {
 public:
  explicit ContainerPath(std::string_view path) : path_(path) {}
  [[nodiscard]] const std::string& text() const { return path_; }

 private:
  std::string path_;
};

/// A root directory; resolves with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), so that neither ".." nor
/// symlinks lead outside.
class RootFs {
 public:
  /// Opens the directory O_PATH.
  static Result<RootFs> open(const std::string& host_path);
  static RootFs adopt(UniqueFd directory) { return RootFs(std::move(directory)); }

  /// openat2(2) below the root.
  [[nodiscard]] Result<UniqueFd> open_at(const ContainerPath& path, int flags) const;
  /// Reads a regular file of at most `limit` bytes.
  [[nodiscard]] Result<std::string> read_file(const ContainerPath& path, std::size_t limit) const;
  [[nodiscard]] FdRef directory() const { return directory_; }

 private:
  explicit RootFs(UniqueFd directory) : directory_(std::move(directory)) {}
  UniqueFd directory_;
};

}  // namespace davit::sys
