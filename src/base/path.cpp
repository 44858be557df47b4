// SPDX-License-Identifier: Apache-2.0
#include "davit/base/path.hpp"

#include <algorithm>

namespace davit {

std::string clean_path(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part == "..")
      result.resize(result.empty() ? 0 : result.rfind('/'));
    else if (!part.empty() && part != ".")
      result.append("/").append(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return result.empty() ? "/" : result;
}

std::string host_path(const std::string& path, const std::string& bundle) {
  return path.starts_with('/') ? path : bundle + "/" + path;
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.size() > 1;
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

}  // namespace davit
