// SPDX-License-Identifier: Apache-2.0
// More mounts than a process may have descriptors.
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/fixture.hpp"

namespace support {
namespace {

using ManyMounts = ContainerTest;

/// 60 binds, which are counted, with both limits.
void add_many_binds(Bundle& bundle, const std::string& source) {
  chmod(source.c_str(), 0755);
  for (int number = 0; number < 60; ++number) {
    const std::string target = "/many/" + std::to_string(number);
    make_dirs(bundle.rootfs() + target);  // a user namespace's root may not make anything there
    bundle.config["mounts"].push(mount_entry(target, "bind", source, {"bind", "ro"}));
  }
  bundle.config["process"]["rlimits"] = Json::array();
  bundle.sh("grep -c ' /many/' /proc/self/mountinfo; ulimit -n; ulimit -Hn");
}

void have_few_descriptors() {
  const rlimit limit = {64, 64};
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(ManyMounts, NeedFewDescriptors) {
  TempDir source;
  Bundle bundle;
  add_many_binds(bundle, source.path());
  const Outcome outcome = run_bundle(bundle, {}, {.in_child = have_few_descriptors});
  EXPECT_EQ(outcome.out, "60\n64\n64\n") << outcome.all();
}

TEST_F(ManyMounts, InAUserNamespaceToo) {
  constexpr unsigned kSysResource = 24;
  Bundle bundle;
  TempDir source;
  add_user_namespace(bundle.config);
  add_many_binds(bundle, source.path());
  const Outcome outcome = run_bundle(bundle, {}, {.in_child = have_few_descriptors});
  if (runtime.is_davit() && !has_capability(kSysResource)) {
    // There davit has to open each source, and nobody but those with that capability may raise the limit.
    EXPECT_NE(outcome.err.find("ulimit -Hn"), std::string::npos) << outcome.all();
    return;
  }
  EXPECT_EQ(outcome.out, "60\n64\n64\n") << outcome.all();
}

}  // namespace
}  // namespace support
