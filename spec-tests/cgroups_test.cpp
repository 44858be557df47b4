// SPDX-License-Identifier: Apache-2.0
// config-linux.md, control groups: the path, files of v2 by their own names, and who owns them.
#include <sys/stat.h>

#include "cgroup.hpp"
#include "clause.hpp"
#include "support/view.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::exists;
using support::list_dir;
using support::read_file;
using support::View;

class Cgroups : public SpecTest {
 protected:
  /// A container that waits; its id.
  std::string wait_in(const Json& config) {
    Bundle bundle(config);
    bundle.args({"/bin/sleep", "1000"});
    return start(bundle);
  }
};

TEST_F(Cgroups, AnAbsolutePathIsBelowTheMount) {
  CLAUSE("config-linux-312", "config-linux-315", "config-linux-317", "config-linux-320");
  const std::string place = "/" + support::Sandbox::get().new_id();
  for (int i = 0; i < 2; ++i) {
    Json config = default_config();
    config["linux"]["cgroupsPath"] = place;
    Bundle bundle(config);
    bundle.args({"/bin/sleep", "1000"});
    const std::string id = start(bundle);
    const std::string lines = read_file("/proc/" + std::to_string(runtime.pid(id)) + "/cgroup");
    int there = 0;
    for (const auto& line : support::split(lines, '\n'))
      there += line.size() > place.size() && line.substr(line.size() - place.size()) == place &&
                       line[line.size() - place.size() - 1] == ':'
                   ? 1
                   : 0;
    EXPECT_GT(there, 0) << lines;
    destroy(id);
  }
}

TEST_F(Cgroups, TheSamePathIsTheSamePlace) {
  CLAUSE("config-linux-318", "config-linux-320", "config-linux-315");
  std::string seen[2];
  for (auto& lines : seen) {
    Json config = default_config();
    config["linux"]["cgroupsPath"] = support::Sandbox::get().mark() + "-relative";
    Bundle bundle(config);
    bundle.args({"/bin/sleep", "1000"});
    const std::string id = start(bundle);
    lines = read_file("/proc/" + std::to_string(runtime.pid(id)) + "/cgroup");
    destroy(id);
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_NE(seen[0].find(support::Sandbox::get().mark()), std::string::npos) << seen[0];
}

TEST_F(Cgroups, ThereIsADefaultPath) {
  CLAUSE("config-linux-321", "config-linux-333");
  Json config = default_config();
  config["linux"].erase("cgroupsPath");
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(Cgroups, AnInhabitedOneIsRefusedOrShared) {
  CLAUSE("config-linux-300", "config-linux-303", "config-linux-322");
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  const std::string id = create(bundle);
  const std::string second = new_id();
  const Outcome outcome = runtime({"create", "--bundle", bundle.path(), second});
  if (outcome.ok()) {
    const auto lines = [&](const std::string& of) {
      return read_file("/proc/" + std::to_string(runtime.pid(of)) + "/cgroup");
    };
    EXPECT_EQ(lines(id), lines(second)) << "whoever shares it is in it";
  } else {
    EXPECT_NE(support::trim(outcome.err), "");
    EXPECT_TRUE(runtime.state(second).is_null());
  }
  EXPECT_EQ(runtime.status(id), "created");
}

TEST_F(Cgroups, Unified) {
  CLAUSE("config-linux-713", "config-linux-717", "config-linux-719");
  NEEDS_VERSION("1.1");
  if (const auto why = support::missing(View::v2); !why.empty()) GTEST_SKIP() << why;
  runtime.view = View::v2;
  const std::string controller = support::has_v2("pids") ? "pids" : "hugetlb";
  SKIP_UNLESS(support::has_v2(controller), "cgroup v2 has neither pids nor hugetlb here");
  const std::string file = controller == "pids" ? "pids.max" : "hugetlb.2MB.max";
  const std::string path = "/" + support::Sandbox::get().new_id();
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = path;
  bundle.config["linux"]["resources"]["unified"] = Json::object({{"cgroup.max.depth", "3"}});
  bundle.config["linux"]["resources"]["unified"][file] = "4194304";
  bundle.sh("while :; do sleep 1; done");
  start(bundle);
  const std::string dir = support::v2_mount() + path;
  EXPECT_EQ(read_file(dir + "/" + file), "4194304\n");
  EXPECT_EQ(read_file(dir + "/cgroup.max.depth"), "3\n");
  CLAUSE("config-linux-721");
  Bundle bad;
  bad.config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  bad.config["linux"]["resources"]["unified"]["nosuch.controller"] = "1";
  refused(bad);
}

TEST_F(Cgroups, AnImpossibleConversionIsAnError) {
  CLAUSE("config-linux-732", "config-linux-734");
  NEEDS_VERSION("1.1");
  if (const auto why = support::missing(View::v2); !why.empty()) GTEST_SKIP() << why;
  runtime.view = View::v2;
  Json config = default_config();
  config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  // cgroup v2 has no swappiness, and a controller that is not there has nothing at all.
  config["linux"]["resources"]["memory"] =
      Json::parse(support::has_v2("memory") ? R"({"swappiness": 20})" : R"({"limit": 104857600})");
  refused(config);
}

class CgroupOwners : public Cgroups {
 protected:
  static Json delegated(const std::string& option) {
    Json config = default_config();
    support::add_user_namespace(config);
    config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
    config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
    config["mounts"].push(
        support::mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {option, "nosuid", "noexec", "nodev"}));
    return config;
  }
  /// Names of the files (and "." for the directory) that belong to the container's root.
  std::vector<std::string> given(const Json& config) {
    wait_in(config);
    const std::string dir = support::v2_mount() + config.get("linux").get("cgroupsPath").str();
    auto names = list_dir(dir);
    EXPECT_FALSE(names.empty()) << dir;
    names.insert(names.begin(), ".");
    std::vector<std::string> found;
    for (const auto& name : names) {
      struct stat status {};
      if (stat((dir + "/" + name).c_str(), &status) == 0 && status.st_uid == 100000) found.push_back(name);
    }
    return found;
  }
  static bool among(const std::vector<std::string>& names, const std::string& name) {
    for (const auto& one : names)
      if (one == name) return true;
    return false;
  }
};

#define NEEDS_V2                                                                   \
  NEEDS_VERSION("1.1");                                                            \
  if (const auto no = support::missing(View::v2); !no.empty()) GTEST_SKIP() << no; \
  runtime.view = View::v2

TEST_F(CgroupOwners, AWritableCgroupOfItsOwnIsGiven) {
  CLAUSE("config-linux-337", "config-linux-352");
  NEEDS_V2;
  const auto names = given(delegated("rw"));
  EXPECT_TRUE(among(names, "."));
  CLAUSE("config-linux-363", "config-linux-372");
  std::vector<std::string> wanted = support::split(read_file("/sys/kernel/cgroup/delegate"), '\n');
  if (!exists("/sys/kernel/cgroup/delegate"))
    wanted = {"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"};
  for (const char* needed : {"cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}) {
    EXPECT_TRUE(among(names, needed)) << needed;
  }
  CLAUSE("config-linux-380", "config-linux-363");
  for (const auto& name : names) {
    EXPECT_TRUE(name == "." || among(wanted, name)) << name;
  }
  CLAUSE("config-linux-368");
  // Files of the list that this cgroup does not have, such as memory's, were no failure.
  EXPECT_FALSE(names.empty());
}

TEST_F(CgroupOwners, AReadonlyOneIsNot) {
  CLAUSE("config-linux-361", "config-linux-352");
  NEEDS_V2;
  EXPECT_TRUE(given(delegated("ro")).empty());
}

TEST_F(CgroupOwners, TheHostsNamespaceIsNot) {
  CLAUSE("config-linux-347", "config-linux-352");
  NEEDS_V2;
  Json config = delegated("rw");
  support::remove_namespace(config, "cgroup");
  EXPECT_TRUE(given(config).empty());
}

TEST_F(CgroupOwners, NeverOnV1) {
  CLAUSE("config-linux-343");
  NEEDS_VERSION("1.1");
  SKIP_UNLESS(support::has_v1("pids"), "this host has no cgroup v1");
  const Json config = delegated("rw");
  wait_in(config);
  const std::string dir = support::v1_mount("pids") + config.get("linux").get("cgroupsPath").str();
  struct stat status {};
  ASSERT_EQ(stat((dir + "/cgroup.procs").c_str(), &status), 0) << dir;
  EXPECT_EQ(status.st_uid, 0U);
}

}  // namespace
}  // namespace spec_tests
