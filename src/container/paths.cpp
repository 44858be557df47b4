// SPDX-License-Identifier: Apache-2.0
#include "container/paths.hpp"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <vector>

namespace davit::container {

std::string clean_path(std::string_view absolute) {
  std::vector<std::string_view> parts;
  while (!absolute.empty()) {
    const std::size_t slash = absolute.find('/');
    const std::string_view part = absolute.substr(0, slash);
    absolute.remove_prefix(slash == std::string_view::npos ? absolute.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  std::string clean;
  for (const std::string_view part : parts) clean.append("/").append(part);
  return clean.empty() ? "/" : clean;
}

std::string below(std::string_view base, std::string_view path) {
  if (path.starts_with('/')) return clean_path(path);
  return clean_path(std::string(base).append("/").append(path));
}

Result<std::string> absolute_path(std::string_view path) {
  if (path.starts_with('/')) return clean_path(path);
  char current[PATH_MAX];
  if (::getcwd(current, sizeof current) == nullptr) return system_error(errno, "find the current directory");
  return below(current, path);
}

}  // namespace davit::container
