// SPDX-License-Identifier: Apache-2.0
// Compares namespaces of the config with those of davit.
#include "davit/features/sysctl.hpp"
#include "davit/spec/names.hpp"
#include "davit/sys/file.hpp"

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

Result<bool> is_host_namespace(const std::string& path, spec::NamespaceType type) {
  auto same = sys::is_same_file(path, own_namespace(type));
  if (!same.ok()) same.error().wrap("join the " + std::string(spec::name_of(type)) + " namespace");
  return same;
}

}  // namespace davit::sysctl
