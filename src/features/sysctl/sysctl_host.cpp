// Compares namespaces of the config with those of davit.
#include <sys/stat.h>

#include "davit/features/sysctl.hpp"

namespace davit::sysctl {
namespace {

const char* own_namespace(spec::NamespaceType type) {
  switch (type) {
    case spec::NamespaceType::network:
      return "/proc/self/ns/net";
    case spec::NamespaceType::ipc:
      return "/proc/self/ns/ipc";
    case spec::NamespaceType::uts:
      return "/proc/self/ns/uts";
    default:
      return "";
  }
}

}  // namespace

bool is_host_namespace(const std::string& path, spec::NamespaceType type) {
  struct stat wanted {};
  struct stat own {};
  // What cannot be compared counts as the host's: the sysctl is refused then.
  if (stat(path.c_str(), &wanted) != 0 || stat(own_namespace(type), &own) != 0) return true;
  return wanted.st_dev == own.st_dev && wanted.st_ino == own.st_ino;
}

}  // namespace davit::sysctl
