// SPDX-License-Identifier: Apache-2.0
#include "cli/handlers.hpp"
#include "cli/help.hpp"
#include "cli/invocation.hpp"
#include "davit/features/credentials.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/seccomp.hpp"
#include "davit/spec/features.hpp"

namespace davit::cli {

Result<int> command_features(Invocation& /*invocation*/) {
  spec::Features features = spec::reader_features();
  features.mount_options = rootfs::mount_options();
  // What this build can do, wherever it runs (features.md): the caller knows the machine.
  features.linux.capabilities = credentials::all_capabilities();
  seccomp::add_support(features.linux.seccomp);
  features.linux.cgroup.v1 = true;
  features.linux.cgroup.v2 = true;
  features.linux.cgroup.systemd = true;
  features.linux.cgroup.systemd_user = true;
  features.linux.cgroup.rdma = true;
  features.linux.apparmor = true;
  features.linux.selinux = true;
  features.linux.intel_rdt = {.enabled = true, .schemata = true, .monitoring = true};
  features.linux.idmap = true;
  features.linux.net_devices = true;
  features.annotations = {{"io.github.seccomp.libseccomp.version", seccomp_version_text()},
                          {"davit.version", version_number()},
                          // What callers of runc look for; whether there is a criu is seen when it is needed.
                          {"org.opencontainers.runc.checkpoint.enabled", "true"}};
  features.potentially_unsafe_config_annotations = {"org.criu.config", "org.systemd.property.", "run.oci."};
  TRY(print(spec::features_json(features)));
  return 0;
}

}  // namespace davit::cli
