// SPDX-License-Identifier: Apache-2.0
// davit for users without privileges.
#include <sys/stat.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class User : public ContainerTest {
 protected:
  static constexpr unsigned kUser = 65534;

  void SetUp() override {
    SKIP_UNLESS(runtime.is_davit(), "the peers are not asked to work without cgroups");
    ASSERT_EQ(chown(state.path().c_str(), kUser, kUser), 0);
  }
  /// In a user namespace with nobody but the user in it.
  static Json config_for_user() {
    Json config = default_config();
    config["process"]["capabilities"] = all_capabilities();
    const std::string mapping =
        R"([{"containerID": 0, "hostID": )" + std::to_string(kUser) + R"(, "size": 1}])";
    config["linux"]["namespaces"].push(Json::parse(R"({"type": "user"})"));
    config["linux"]["uidMappings"] = Json::parse(mapping);
    config["linux"]["gidMappings"] = Json::parse(mapping);
    return config;
  }
  Outcome davit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--root", state.path() + "/root", "--cgroup-manager", "disabled"});
    return runtime.as_user(kUser, arguments);
  }
  Outcome script(const Json& config, const std::string& text) {
    Bundle bundle(config);
    bundle.sh(text);
    bundle.write();
    return davit({"run", "--bundle", bundle.path(), "c"});
  }

  TempDir state{"u"};
};

TEST_F(User, RunsAContainerOfHisOwn) {
  const Outcome outcome = script(config_for_user(), "id -u; hostname; exit 7");
  EXPECT_EQ(outcome.status, 7) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, 2), "0\n");
}

TEST_F(User, MayRaiseItsOomScore) {
  Json config = config_for_user();
  config["process"]["oomScoreAdj"] = 987;
  const Outcome outcome = script(config, "cat /proc/self/oom_score_adj");
  EXPECT_EQ(outcome.out, "987\n") << outcome.err;
}

TEST_F(User, Cve_2023_25809_CgroupsOfTheHostAreReadOnly) {
  Json config = config_for_user();
  config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}));
  const Outcome outcome = script(config, R"(
      for place in $(grep ' /sys/fs/cgroup' /proc/self/mounts | cut -d' ' -f2); do
        grep -q " $place [^ ]* ro" /proc/self/mounts || echo writable $place
        mkdir $place/new 2>/dev/null && echo made $place/new
      done
      grep -c ' /sys/fs/cgroup' /proc/self/mounts)");
  EXPECT_TRUE(outcome.ok()) << outcome.err;
  EXPECT_NE(trim(outcome.out), "0") << outcome.err;
  EXPECT_EQ(outcome.out.find("writable"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("made"), std::string::npos) << outcome.out;
}

TEST_F(User, ExecsIntoAContainerThatHasNoCgroupOfItsOwn) {
  for (const View view : {View::host, View::v2}) {
    if (!missing(view).empty()) continue;
    runtime.view = view;
    Bundle bundle(config_for_user());
    bundle.args({"/bin/sleep", "1000"});
    bundle.write();
    const auto call = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), {"--root", state.path() + "/root"});
      return runtime.as_user(kUser, arguments);
    };
    const Outcome made = call({"create", "--bundle", bundle.path(), "c"});
    ASSERT_TRUE(made.ok()) << made.all();
    EXPECT_TRUE(call({"start", "c"}).ok());
    const Outcome outcome = call({"exec", "c", "/bin/echo", "inside"});
    EXPECT_EQ(outcome.out, "inside\n") << outcome.all();
    EXPECT_TRUE(call({"delete", "--force", "c"}).ok());
  }
}

}  // namespace
}  // namespace support
