// SPDX-License-Identifier: Apache-2.0
// cgroups: values, places, freezing, killing and removal, on each layout this machine can show.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "support/fixture.hpp"

namespace support {
namespace {

class Cgroups : public ContainerTest {
 protected:
  Cgroups() : path(cgroup_path(Sandbox::get().new_id())) {}
  /// A running container in `path` with these resources.
  std::string with_resources(const Json& resources) {
    bundle = std::make_unique<Bundle>();
    bundle->config["linux"]["cgroupsPath"] = path;
    bundle->config["linux"]["resources"] = resources;
    bundle->sh("while :; do sleep 1; done");
    return start(*bundle);
  }
  [[nodiscard]] std::string v1(const std::string& controller, const std::string& file) const {
    return trim(read_file(v1_mount(controller) + path + "/" + file));
  }
  [[nodiscard]] std::string v2(const std::string& file) const {
    return trim(read_file(v2_mount() + path + "/" + file));
  }
  std::string path;
  std::unique_ptr<Bundle> bundle;
};

#define NEEDS_V1(controller) SKIP_UNLESS(has_v1(controller), "no v1 hierarchy with " controller)
#define NEEDS_V2()                                                                    \
  if (const auto why = missing(View::v2); !why.empty()) GTEST_SKIP() << why;          \
  SKIP_FOR("crun", "1.8.1 needs a higher RLIMIT_MEMLOCK than this machine may give"); \
  runtime.view = View::v2

TEST_F(Cgroups, ValuesOnV1) {
  NEEDS_V1("memory");
  with_resources(Json::parse(R"({
      "memory": {"limit": 104857600, "reservation": 52428800, "swappiness": 10},
      "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"},
      "pids": {"limit": 77}})"));
  EXPECT_EQ(v1("pids", "pids.max"), "77");
  EXPECT_EQ(v1("cpu", "cpu.shares"), "512");
  EXPECT_EQ(v1("cpu", "cpu.cfs_quota_us"), "50000");
  EXPECT_EQ(v1("cpu", "cpu.cfs_period_us"), "100000");
  EXPECT_EQ(v1("cpuset", "cpuset.cpus"), "0");
  EXPECT_EQ(v1("cpuset", "cpuset.mems"), "0");
}

TEST_F(Cgroups, MemoryValuesOnV1) {
  NEEDS_V1("memory");
  // Where the test process is in a memory cgroup of its own, peers make the container's below it: look from
  // inside.
  Json config = default_config();
  config["linux"]["cgroupsPath"] = path;
  config["linux"]["resources"]["memory"] =
      Json::parse(R"({"limit": 104857600, "reservation": 52428800, "swappiness": 10})");
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}));
  EXPECT_EQ(output(config,
                   "cd /sys/fs/cgroup/memory; cat memory.limit_in_bytes memory.soft_limit_in_bytes "
                   "memory.swappiness"),
            "104857600\n52428800\n10");
}

TEST_F(Cgroups, TheProcessIsInItsCgroupEverywhere) {
  Json config = default_config();
  config["linux"]["cgroupsPath"] = path;
  const std::string text = output(config, "cat /proc/self/cgroup");
  for (const auto& line : split(text, '\n')) {
    const std::string controllers = split(line, ':').size() > 1 ? split(line, ':')[1] : "";
    if (controllers.empty() && !runtime.is_davit()) continue;
    EXPECT_EQ(line.substr(line.size() - std::min(line.size(), path.size())), path) << text;
  }
}

TEST_F(Cgroups, WithoutAPathThereIsOneAllTheSame) {
  Json config = default_config();
  const std::string text = output(config, "cat /proc/self/cgroup");
  EXPECT_NE(text.find(Sandbox::get().mark()), std::string::npos) << text;
}

TEST_F(Cgroups, ThePidsLimitHolds) {
  SKIP_UNLESS(has_v1("pids") || has_v2("pids"), "this host has no pids controller");
  Json config = default_config();
  config["linux"]["cgroupsPath"] = path;
  config["linux"]["resources"]["pids"]["limit"] = 5;
  const Outcome outcome = try_script(config, "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo all started");
  EXPECT_EQ(outcome.out.find("all started"), std::string::npos) << outcome.all();
}

TEST_F(Cgroups, TheMemoryLimitHolds) {
  SKIP_UNLESS(has_v1("memory") || has_v2("memory"), "this host has no memory controller");
  Json config = default_config();
  config["linux"]["cgroupsPath"] = path;
  config["linux"]["resources"]["memory"]["limit"] = 20 << 20;
  const Outcome outcome = try_script(config, "probe memory 200; echo status $?");
  EXPECT_NE(outcome.out.find("status 137"), std::string::npos) << outcome.all();
}

TEST_F(Cgroups, EverythingIsRemoved) {
  bundle = std::make_unique<Bundle>();
  bundle->config["linux"]["cgroupsPath"] = path;
  bundle->sh("sleep 1000 & sleep 1000 & wait");
  const std::string id = start(*bundle);
  const HostSnapshot running = HostSnapshot::take(runtime.root());
  destroy(id);
  EXPECT_NE(running.leaked_since(HostSnapshot::take(runtime.root())).find("cgroup"), std::string::npos);
  // What remains is looked at by TearDown.
}

TEST_F(Cgroups, KillAllReachesEveryProcess) {
  SKIP_FOR("crun", "1.8.1 looks only at the first process of some hierarchies");
  bundle = std::make_unique<Bundle>();
  remove_namespace(bundle->config, "pid");
  bundle->config["linux"]["cgroupsPath"] = path;
  bundle->sh("sleep 1000 & sleep 1000 & wait");
  const std::string id = start(*bundle);
  EXPECT_TRUE(eventually([&] {
    return Json::parse(runtime({"ps", "--format", "json", id}).out).size() == 3;
  }));
  const Outcome outcome = runtime({"kill", "--all", id, "KILL"});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return descendants().empty();
  }));
}

TEST_F(Cgroups, DeleteKillsWhatIsLeftWithoutAPidNamespace) {
  bundle = std::make_unique<Bundle>();
  remove_namespace(bundle->config, "pid");
  bundle->config["linux"]["cgroupsPath"] = path;
  bundle->sh("sleep 1000 & sleep 1000 &");
  const std::string id = start(*bundle);
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  destroy(id);
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return descendants().empty();
  }));
}

TEST_F(Cgroups, KillReachesWhatIsLeftWithoutAPidNamespace) {
  SKIP_FOR("runc,crun", "only by SIGKILL, or not at all");
  bundle = std::make_unique<Bundle>();
  remove_namespace(bundle->config, "pid");
  bundle->config["linux"]["cgroupsPath"] = path;
  bundle->sh("sleep 1000 &");
  const std::string id = start(*bundle);
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  EXPECT_TRUE(runtime({"kill", id, "TERM"}).ok());
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    return descendants().empty();
  }));
  const Outcome again = runtime({"kill", id, "TERM"});
  EXPECT_NE(again.status, 0);
  EXPECT_NE(again.err.find("not running"), std::string::npos) << again.err;
}

TEST_F(Cgroups, KernelMemoryIsIgnoredWithAWarning) {
  SKIP_FOR("crun", "does not warn");
  NEEDS_V1("memory");
  const std::string id = with_resources(Json::object());
  const Outcome outcome = runtime({"update", "--kernel-memory", "16M", id});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.err.find("ernel memory settings are ignored"), std::string::npos) << outcome.err;
}

TEST_F(Cgroups, ACgroupInUseIsRefused) {
  SKIP_FOR("runc,crun", "these versions only warn, or share it");
  const std::string id = with_resources(Json::object());
  Bundle second;
  second.config["linux"]["cgroupsPath"] = path;
  EXPECT_NE(refused(second).find("cgroup is not empty"), std::string::npos);
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(Cgroups, WhoHasEndedEndsNobodyWhoHasHisCgroupNow) {
  SKIP_FOR("runc,crun", "they do not look who it is");
  Bundle first;
  first.config["linux"]["cgroupsPath"] = path;
  first.args({"/bin/true"});
  const std::string ended = start(first);
  EXPECT_TRUE(eventually([&] { return runtime.status(ended) == "stopped"; }));
  const std::string id = with_resources(Json::object());
  EXPECT_TRUE(runtime({"kill", "--all", ended, "KILL"}).ok());
  EXPECT_EQ(runtime.status(id), "running");
  const Outcome outcome = runtime({"delete", ended});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.err.find("its cgroup stays: the container " + id + " runs in it"), std::string::npos)
      << outcome.all();
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(Cgroups, ABadPathIsRefused) {
  SKIP_FOR("runc,crun", "clean it silently");
  for (const char* bad : {"/../../escape", "/a/../../b", "relative/../../../x"}) {
    Json config = default_config();
    config["linux"]["cgroupsPath"] = bad;
    const Outcome outcome = try_script(config, "cat /proc/self/cgroup");
    if (outcome.ok()) {
      EXPECT_EQ(outcome.out.find(".."), std::string::npos) << outcome.out;
    }
  }
}

TEST_F(Cgroups, UpdateByFlagsOnV1) {
  NEEDS_V1("pids");
  const std::string id = with_resources(Json::parse(R"({"pids": {"limit": 77}, "cpu": {"shares": 512}})"));
  Outcome outcome = runtime({"update", "--pids-limit", "55", "--cpu-share", "300", id});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(v1("pids", "pids.max"), "55");
  EXPECT_EQ(v1("cpu", "cpu.shares"), "300");
  outcome = runtime({"update", "--cpu-quota", "30000", "--cpu-period", "60000", id});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(v1("cpu", "cpu.cfs_quota_us"), "30000");
  EXPECT_EQ(v1("cpu", "cpu.cfs_period_us"), "60000");
  EXPECT_EQ(v1("pids", "pids.max"), "55") << "what is not named stays";
}

TEST_F(Cgroups, UpdateFromStdinOnV1) {
  NEEDS_V1("pids");
  const std::string id = with_resources(Json::parse(R"({"pids": {"limit": 77}})"));
  const Outcome outcome = runtime({"update", "--resources", "-", id},
                                  {.input = R"({"pids": {"limit": 33}, "cpu": {"shares": 256}})"});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(v1("pids", "pids.max"), "33");
  EXPECT_EQ(v1("cpu", "cpu.shares"), "256");
  if (runtime.is_davit()) {
    EXPECT_TRUE(runtime({"update", "--resources=-", id}, {.input = R"({"pids": {"limit": 22}})"}).ok());
    EXPECT_EQ(v1("pids", "pids.max"), "22");
  }
  EXPECT_NE(runtime({"update", "--resources", "-", id}, {.input = "{broken"}).status, 0);
}

TEST_F(Cgroups, PidsLimitMinusOneIsNone) {
  NEEDS_V1("pids");
  const std::string id = with_resources(Json::parse(R"({"pids": {"limit": 77}})"));
  const Outcome outcome = runtime({"update", "--pids-limit", "-1", id});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(v1("pids", "pids.max"), "max");
}

TEST_F(Cgroups, HugepagesOnV2) {
  NEEDS_V2();
  SKIP_UNLESS(has_v2("hugetlb"), "cgroup v2 has no hugetlb controller here");
  SKIP_FOR("runc", "1.1.5 looks for hugetlb only in its own list of controllers");
  with_resources(Json::parse(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})"));
  EXPECT_EQ(v2("hugetlb.2MB.max"), "4194304");
  EXPECT_EQ(v2("hugetlb.2MB.rsvd.max"), "4194304");
}

TEST_F(Cgroups, UnifiedOnV2) {
  NEEDS_V2();
  SKIP_UNLESS(has_v2("hugetlb"), "cgroup v2 has no hugetlb controller here");
  with_resources(
      Json::parse(R"({"unified": {"hugetlb.2MB.max": "2097152", "cgroup.max.descendants": "7"}})"));
  EXPECT_EQ(v2("hugetlb.2MB.max"), "2097152");
  EXPECT_EQ(v2("cgroup.max.descendants"), "7");
}

TEST_F(Cgroups, AMissingControllerOnV2IsAnError) {
  NEEDS_V2();
  SKIP_UNLESS(!has_v2("memory"), "this host has the memory controller on v2");
  Bundle other;
  other.config["linux"]["cgroupsPath"] = path;
  other.config["linux"]["resources"]["unified"]["memory.max"] = "1000000";
  refused(other);
  other.config["linux"]["resources"] = Json::parse(R"({"unified": {"../escape": "1"}})");
  refused(other);
  other.config["linux"]["resources"] = Json::parse(R"({"unified": {"nosuch.file": "1"}})");
  refused(other);
}

TEST_F(Cgroups, LifeOnV2) {
  NEEDS_V2();
  const std::string id = with_resources(Json::object());
  EXPECT_TRUE(exists(v2_mount() + path)) << "at the place the config names";
  ASSERT_TRUE(runtime({"pause", id}).ok());
  EXPECT_EQ(v2("cgroup.freeze"), "1");
  EXPECT_EQ(runtime.status(id), "paused");
  ASSERT_TRUE(runtime({"resume", id}).ok());
  EXPECT_EQ(v2("cgroup.freeze"), "0");
  EXPECT_EQ(exec(id, "cat /proc/self/cgroup | grep ^0").out, "0::" + path + "\n");
  const Json pids = Json::parse(runtime({"ps", "--format", "json", id}).out);
  EXPECT_GE(pids.size(), 1U);
  destroy(id);
  EXPECT_FALSE(exists(v2_mount() + path));
}

TEST_F(Cgroups, AnExecGoesWhereInitIsOnV2) {
  NEEDS_V2();
  SKIP_FOR("runc,crun", "go to the container's own cgroup, or nowhere");
  const std::string id = with_resources(Json::object());
  const std::string init = std::to_string(runtime.pid(id));
  for (const std::string& place : {path + "/inner", path + "-beside"}) {
    ASSERT_EQ(mkdir((v2_mount() + place).c_str(), 0755), 0);
    ASSERT_TRUE(put(v2_mount() + place + "/cgroup.procs", init));
    EXPECT_EQ(exec(id, "cat /proc/self/cgroup | grep ^0").out, "0::" + place + "\n");
  }
  for (const std::string& empty : {path + "/inner", path})
    ASSERT_TRUE(eventually([&] { return rmdir((v2_mount() + empty).c_str()) == 0; })) << empty;
  EXPECT_EQ(exec(id, "cat /proc/self/cgroup | grep ^0").out, "0::" + path + "-beside\n");
  const Outcome updated = runtime({"update", "--pids-limit", "5", id});
  EXPECT_NE(updated.status, 0);
  EXPECT_NE(updated.err.find("is gone"), std::string::npos) << updated.err;
  destroy(id);
  EXPECT_TRUE(eventually([&] { return rmdir((v2_mount() + path + "-beside").c_str()) == 0; }));
}

TEST_F(Cgroups, AnAncestorMayHaveItsName) {
  NEEDS_V2();
  bundle = std::make_unique<Bundle>();
  bundle->config["linux"]["cgroupsPath"] = path + path;
  bundle->args({"/bin/sleep", "1000"});
  const std::string id = start(*bundle);
  EXPECT_EQ(exec(id, "cat /proc/self/cgroup | grep ^0").out, "0::" + path + path + "\n");
  destroy(id);
  EXPECT_TRUE(
      eventually([&] { return !exists(v2_mount() + path) || rmdir((v2_mount() + path).c_str()) == 0; }));
}

TEST_F(Cgroups, LifeOnPureV1) {
  if (const auto why = missing(View::v1); !why.empty()) GTEST_SKIP() << why;
  runtime.view = View::v1;
  const std::string id = with_resources(Json::parse(R"({"pids": {"limit": 44}})"));
  EXPECT_EQ(v1("pids", "pids.max"), "44");
  ASSERT_TRUE(runtime({"pause", id}).ok());
  EXPECT_EQ(v1("freezer", "freezer.state"), "FROZEN");
  ASSERT_TRUE(runtime({"resume", id}).ok());
  EXPECT_EQ(v1("freezer", "freezer.state"), "THAWED");
}

TEST_F(Cgroups, SeenFromInsideOnV2) {
  NEEDS_V2();
  Json config = default_config();
  config["linux"]["cgroupsPath"] = path;
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"}));
  const std::string text =
      output(config,
             "cat /proc/self/cgroup | grep ^0; cat /sys/fs/cgroup/cgroup.procs | head -1; "
             "mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused");
  EXPECT_EQ(text, "0::/\n1\nrefused");
}

TEST_F(Cgroups, NestedGroupsOfThePayloadAreRemovedOnV2) {
  NEEDS_V2();
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  config["linux"]["cgroupsPath"] = path;
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "rw"}));
  output(config, "mkdir -p /sys/fs/cgroup/a/b/c && echo made");
}

}  // namespace
}  // namespace support
