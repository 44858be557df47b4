// SPDX-License-Identifier: Apache-2.0
#include <seccomp.h>

#include "cli/help.hpp"
#include "davit/spec/state.hpp"

// DAVIT_VERSION and DAVIT_COMMIT are defined for this file only.

namespace davit::cli {

std::string version_number() {
  return DAVIT_VERSION;
}

std::string seccomp_version_text() {
  const scmp_version* library = ::seccomp_version();
  if (library == nullptr) return "unknown";
  return std::to_string(library->major) + "." + std::to_string(library->minor) + "." +
         std::to_string(library->micro);
}

std::string version_text() {
  std::string out = "davit version " DAVIT_VERSION "\ncommit: " DAVIT_COMMIT "\nspec: ";
  out.append(spec::kOciVersion).append("\nlibseccomp: ").append(seccomp_version_text());
  out.append("\n+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF +CGROUP_V1 +CGROUP_V2 +CRIU +YAJL\n");
  return out;
}

}  // namespace davit::cli
