// SPDX-License-Identifier: Apache-2.0
// Rules that span features.
#include "davit/features/namespaces.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/sysctl.hpp"
#include "davit/plan/plan.hpp"

namespace davit::plan {
namespace {

void append(std::vector<Error>& to, const std::vector<Error>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// The container's root is put over that of its mount namespace, for everybody who enters it later.
void check_mount_namespace(const spec::Config& config, std::vector<Error>& errors) {
  const spec::Namespace* entry = config.linux.find_namespace(spec::NamespaceType::mount);
  if (entry == nullptr || entry->path.empty() || !namespaces::is_own_mount_namespace(entry->path)) return;
  Error error = make_error(Code::invalid_config,
                           entry->path + " is davit's own mount namespace, whose root would be covered");
  error.advise("leave the entry out to have no mount namespace, or its path to have a new one");
  errors.push_back(spec::at(entry->position, "path", error));
}

}  // namespace

std::vector<Error> validate(const spec::Config& config) {
  std::vector<Error> errors = namespaces::validate(config);
  append(errors, rootfs::validate(config));
  check_mount_namespace(config, errors);
  append(errors, sysctl::validate(config, sysctl::is_host_namespace));
  return errors;
}

}  // namespace davit::plan
