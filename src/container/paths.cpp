// SPDX-License-Identifier: Apache-2.0
#include "container/paths.hpp"

#include <unistd.h>

#include <cerrno>
#include <climits>

namespace davit::container {

std::string below(std::string_view base, std::string_view path) {
  return clean_path(host_path(std::string(path), std::string(base)));
}

Result<std::string> absolute_path(std::string_view path) {
  if (path.starts_with('/')) return clean_path(path);
  char current[PATH_MAX];
  if (::getcwd(current, sizeof current) == nullptr) return system_error(errno, "find the current directory");
  return below(current, path);
}

}  // namespace davit::container
