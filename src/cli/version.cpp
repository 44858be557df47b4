#include <seccomp.h>

#include "cli/help.hpp"
#include "davit/spec/state.hpp"

// DAVIT_VERSION and DAVIT_COMMIT are defined for this file only.

namespace davit::cli {

std::string version_text() {
  std::string out = "davit version " DAVIT_VERSION "\ncommit: " DAVIT_COMMIT "\nspec: ";
  out.append(spec::kOciVersion).append("\n");
  if (const scmp_version* library = ::seccomp_version(); library != nullptr)
    out.append("libseccomp: ")
        .append(std::to_string(library->major))
        .append(".")
        .append(std::to_string(library->minor))
        .append(".")
        .append(std::to_string(library->micro))
        .append("\n");
  out.append("+SECCOMP +APPARMOR +SELINUX +CAP +CGROUP_V1 +CGROUP_V2 +YAJL\n");
  return out;
}

}  // namespace davit::cli
