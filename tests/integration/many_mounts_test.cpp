// SPDX-License-Identifier: Apache-2.0
// More mounts than a process may have descriptors.
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/fixture.hpp"

namespace support {
namespace {

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

class ManyMounts : public ContainerTest {
 protected:
  /// All are mounted, and the limits are the caller's again.
  void expect_all(Bundle& bundle) {
    const Outcome outcome = run_bundle(bundle, {}, {.in_child = have_few_descriptors});
    EXPECT_EQ(outcome.out, "60\n64\n64\n") << outcome.all();
  }
};

TEST_F(ManyMounts, NeedFewDescriptors) {
  TempDir source;
  Bundle bundle;
  add_many_binds(bundle, source.path());
  expect_all(bundle);
}

// There davit opens each of them.
TEST_F(ManyMounts, InAUserNamespaceToo) {
  Bundle bundle;
  TempDir source;
  add_user_namespace(bundle.config);
  add_many_binds(bundle, source.path());
  expect_all(bundle);
}

TEST_F(ManyMounts, WithIdsOfTheirOwn) {
  TempDir source;
  Bundle bundle;
  add_many_binds(bundle, source.path());
  for (Json& mount : bundle.config["mounts"].items())
    if (mount["type"].str() == "bind") mount["options"].push("idmap=uids=0-1000-10;gids=0-1000-10");
  expect_all(bundle);
}

TEST_F(ManyMounts, OneThatIsMissingIsNamed) {
  TempDir source;
  Bundle bundle;
  add_user_namespace(bundle.config);
  add_many_binds(bundle, source.path());
  bundle.config["mounts"].push(mount_entry("/many/0", "bind", "/nonexistent/source", {"bind"}));
  const Outcome outcome = run_bundle(bundle, {}, {.in_child = have_few_descriptors});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("/nonexistent/source"), std::string::npos) << outcome.all();
}

}  // namespace
}  // namespace support
