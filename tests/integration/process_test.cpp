// SPDX-License-Identifier: Apache-2.0
// What the process is when it begins: ids, capabilities, limits, scheduling.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "support/fixture.hpp"

namespace support {
namespace {

class Process : public ContainerTest {
 protected:
  /// What probe reports of a process with that configuration.
  std::string report(const Json& config) {
    Bundle bundle(config);
    bundle.args({"/bin/probe", "report"});
    const Outcome outcome = run_bundle(bundle);
    EXPECT_TRUE(outcome.ok()) << outcome.all();
    return "\n" + outcome.out;
  }
  void expect_lines(const std::string& report, const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
      EXPECT_NE(report.find("\n" + line + "\n"), std::string::npos) << line << report;
    }
  }
};

TEST_F(Process, IdsGroupsAndUmask) {
  Json config = default_config();
  config["process"]["user"] =
      Json::parse(R"({"uid": 12, "gid": 34, "additionalGids": [56, 78], "umask": 63})");
  const std::string text = report(config);
  expect_lines(text, {"uid 12 12 12", "gid 34 34 34", "groups 56 78"});
  if (!is_runtime(runtime, "runc")) expect_lines(text, {"umask 0077"});
}

TEST_F(Process, TheUmaskIsTheUsualOneOtherwise) {
  expect_lines(report(default_config()), {"umask 0022"});
}

TEST_F(Process, EnvironmentCwdAndNames) {
  Json config = default_config();
  config["process"]["cwd"] = "/etc";
  config["process"]["env"] = Json(std::vector<std::string>{"PATH=/bin", "A=1", "EMPTY=", "B=x=y"});
  config["hostname"] = "some-name";
  config["domainname"] = "some.domain";
  const std::string text = report(config);
  expect_lines(text, {"cwd /etc", "env A=1", "env EMPTY=", "env B=x=y", "hostname some-name"});
  if (runtime.is_davit()) expect_lines(text, {"domainname some.domain"});
}

TEST_F(Process, HomeComesFromThePasswdFile) {
  SKIP_FOR("crun", "sets it only when no environment is given");
  Json config = default_config();
  config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000})");
  expect_lines(report(config), {"env HOME=/home/user"});
  config["process"]["env"].push("HOME=/elsewhere");
  expect_lines(report(config), {"env HOME=/elsewhere"});
}

TEST_F(Process, AllFiveCapabilitySets) {
  Json config = default_config();
  config["process"]["capabilities"] = Json::parse(R"({
      "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYS_ADMIN"],
      "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
      "inheritable": ["CAP_KILL", "CAP_NET_RAW"],
      "effective": ["CAP_CHOWN", "CAP_KILL"],
      "ambient": ["CAP_KILL"]})");
  config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000})");
  // As uid 1000 exec keeps what is ambient: permitted = effective = ambient.
  expect_lines(report(config),
               {"CapBnd 0000000000202021", "CapInh 0000000000002020", "CapAmb 0000000000000020",
                "CapPrm 0000000000000020", "CapEff 0000000000000020"});
  config["process"]["user"]["uid"] = 0;
  config["process"]["noNewPrivileges"] = true;
  expect_lines(report(config), {"CapBnd 0000000000202021", "CapInh 0000000000002020"});
}

TEST_F(Process, NoCapabilitiesMeansNone) {
  Json config = default_config();
  for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"})
    config["process"]["capabilities"][set] = Json::array();
  expect_lines(report(config),
               {"CapBnd 0000000000000000", "CapPrm 0000000000000000", "CapEff 0000000000000000",
                "CapInh 0000000000000000", "CapAmb 0000000000000000"});
}

TEST_F(Process, AnUnknownCapabilityIsOnlyAWarning) {
  SKIP_FOR("crun", "1.8.1 is silent about it");
  Json config = default_config();
  config["process"]["capabilities"]["bounding"].push("CAP_NO_SUCH");
  Bundle bundle(config);
  const Outcome outcome = run_bundle(bundle);
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.err.find("CAP_NO_SUCH"), std::string::npos) << outcome.err;
}

TEST_F(Process, EveryResourceLimit) {
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  // In the order of their numbers.
  const char* names[] = {"CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
                         "MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
  std::vector<std::string> lines;
  for (int resource = 0; resource < 16; ++resource) {
    struct rlimit now {};
    ASSERT_EQ(getrlimit(static_cast<__rlimit_resource>(resource), &now), 0);
    // Below what we have: not every machine on which tests run lets root raise a hard limit.
    const std::uint64_t top = std::min<std::uint64_t>(now.rlim_max, 1ULL << 30);
    const std::uint64_t hard = top - std::min<std::uint64_t>(top, static_cast<std::uint64_t>(resource));
    const std::uint64_t soft = hard - hard / 8;
    const std::string name = names[resource];
    config["process"]["rlimits"].push(
        Json::object({{"type", "RLIMIT_" + name}, {"soft", soft}, {"hard", hard}}));
    if (name != "NOFILE" || runtime.name() != "runc")
      lines.push_back("rlimit " + name + " " + std::to_string(soft) + " " + std::to_string(hard));
  }
  expect_lines(report(config), lines);
}

TEST_F(Process, UnlimitedIsTheLargestNumber) {
  Json config = default_config();
  config["process"]["rlimits"] = Json::parse(
      R"([{"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615},
          {"type": "RLIMIT_FSIZE", "soft": 18446744073709551615, "hard": 18446744073709551615}])");
  expect_lines(report(config), {"rlimit CORE 0 18446744073709551615",
                                "rlimit FSIZE 18446744073709551615 18446744073709551615"});
}

TEST_F(Process, NoNewPrivileges) {
  Json config = default_config();
  config["process"]["noNewPrivileges"] = true;
  expect_lines(report(config), {"NoNewPrivs 1"});
  config["process"]["noNewPrivileges"] = false;
  expect_lines(report(config), {"NoNewPrivs 0"});
}

TEST_F(Process, OomScoreAdjustment) {
  Json config = default_config();
  config["process"]["oomScoreAdj"] = 345;
  expect_lines(report(config), {"oom_score_adj  345"});
  if (has_capability(24)) {  // CAP_SYS_RESOURCE
    config["process"]["oomScoreAdj"] = -345;
    expect_lines(report(config), {"oom_score_adj  -345"});
  }
  config["process"].erase("oomScoreAdj");
  put("/proc/self/oom_score_adj", "111");
  expect_lines(report(config), {"oom_score_adj  111"});
  EXPECT_TRUE(put("/proc/self/oom_score_adj", "0"));
}

TEST_F(Process, Scheduler) {
  SKIP_FOR("runc", "1.1.5 does not know it");
  Json config = default_config();
  config["process"]["scheduler"] = Json::parse(R"({"policy": "SCHED_BATCH", "nice": 5})");
  EXPECT_NE(report(config).find("\nsched 3 nice 5 "), std::string::npos);
  config["process"]["scheduler"] = Json::parse(R"({"policy": "SCHED_IDLE"})");
  EXPECT_NE(report(config).find("\nsched 5 "), std::string::npos);
  config["process"]["scheduler"] = Json::parse(R"({"policy": "SCHED_OTHER", "nice": 7})");
  EXPECT_NE(report(config).find("\nsched 0 nice 7 "), std::string::npos);
}

TEST_F(Process, RealTimeScheduler) {
  SKIP_FOR("runc,crun", "do not know it, or put the process into a cgroup where the kernel refuses it");
  Json config = default_config();
  config["process"]["scheduler"] = Json::parse(R"({"policy": "SCHED_FIFO", "priority": 3})");
  // With RT_GROUP_SCHED a cgroup of its own has no real-time budget; the root cgroup has.
  Bundle bundle(config);
  bundle.args({"/bin/probe", "report"});
  const Outcome outcome = run_bundle(bundle);
  if (!outcome.ok()) {
    EXPECT_NE(outcome.err.find("sched"), std::string::npos) << outcome.err;
    GTEST_SKIP() << "this kernel refuses real-time scheduling in a cgroup without budget: "
                 << trim(outcome.err);
  }
  EXPECT_NE(outcome.out.find("\nsched 1 nice 0 priority 3 "), std::string::npos) << outcome.out;
}

TEST_F(Process, IoPriority) {
  SKIP_FOR("runc,crun", "these versions do not know it");
  Json config = default_config();
  config["process"]["ioPriority"] = Json::parse(R"({"class": "IOPRIO_CLASS_BE", "priority": 6})");
  expect_lines(report(config), {"ioprio class 2 priority 6"});
  config["process"]["ioPriority"] = Json::parse(R"({"class": "IOPRIO_CLASS_IDLE", "priority": 0})");
  EXPECT_NE(report(config).find("\nioprio class 3 "), std::string::npos);
}

TEST_F(Process, Personality) {
  SKIP_FOR("runc", "1.1.5 does not know it");
  Json config = default_config();
  config["linux"]["personality"] = Json::parse(R"({"domain": "LINUX32"})");
  expect_lines(report(config), {"personality 0x8"});
}

TEST_F(Process, MemoryPolicy) {
  SKIP_FOR("runc,crun", "these versions do not know it");
  Json config = default_config();
  config["linux"]["memoryPolicy"] = Json::parse(R"({"mode": "MPOL_INTERLEAVE", "nodes": "0"})");
  Bundle bundle(config);
  bundle.args({"/bin/probe", "report"});
  const Outcome outcome = run_bundle(bundle);
  if (!outcome.ok() && outcome.err.find("not implemented") != std::string::npos)
    GTEST_SKIP() << "this kernel has no NUMA: " << trim(outcome.err);
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_NE(outcome.out.find("mempolicy 3 nodes 1"), std::string::npos) << outcome.out;
  bundle.config["linux"]["memoryPolicy"]["nodes"] = "63";
  const std::string error = refused(bundle);
  EXPECT_NE(error.find("the host may lack these nodes"), std::string::npos) << error;
}

TEST_F(Process, SignalsAreAsUsual) {
  Bundle bundle;
  bundle.args({"/bin/probe", "report"});
  const Outcome outcome = run_bundle(bundle, {}, {.in_child = [] {
                                       signal(SIGTERM, SIG_IGN);
                                       signal(SIGHUP, SIG_IGN);
                                       sigset_t set;
                                       sigemptyset(&set);
                                       sigaddset(&set, SIGUSR1);
                                       sigprocmask(SIG_BLOCK, &set, nullptr);
                                     }});
  SKIP_FOR("runc", "hands on its own mask");
  EXPECT_NE(outcome.out.find("SigBlk 0000000000000000\n"), std::string::npos) << outcome.out;
  if (runtime.is_davit()) {
    EXPECT_NE(outcome.out.find("SigIgn 0000000000000000\n"), std::string::npos) << outcome.out;
  }
}

TEST_F(Process, IsTheLeaderOfItsSession) {
  const std::string text = report(default_config());
  expect_lines(text, {"pid 1", "sid 1", "pgid 1"});
}

TEST_F(Process, NothingOfTheRuntimeIsLeftInIt) {
  const std::string text = report(default_config());
  expect_lines(text, {"child_subreaper_parent_death 0", "CapAmb 0000000000000000"});
  EXPECT_EQ(text.find("env _"), std::string::npos) << text;
  EXPECT_EQ(text.find("fd 3 "), std::string::npos) << text;
}

TEST_F(Process, CwdIsMadeIfItIsMissing) {
  Json config = default_config();
  config["process"]["cwd"] = "/made/on/the/way";
  expect_lines(report(config), {"cwd /made/on/the/way"});
}

TEST_F(Process, AWorkingDirectoryIsMadeBeforeItsPlaceBecomesReadOnly) {
  for (const char* cwd : {"/fresh", "/tmp/fresh"}) {
    Json config = default_config();
    config["root"]["readonly"] = true;
    config["mounts"].push(mount_entry("/tmp", "tmpfs", "tmpfs", {"ro", "mode=755"}));
    config["process"]["cwd"] = cwd;
    EXPECT_EQ(output(config, "pwd; touch x 2>/dev/null && echo writable; true"), cwd);
  }
}

TEST_F(Process, TheSchedulerOfAnExecOutlastsItsFork) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"policy": "SCHED_BATCH", "nice": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]})",
       "\nsched 3 nice 5 priority 0 flags 1 "},
      {R"({"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000, "period": 100000000})",
       "\nsched 6 nice 0 priority 0 flags 0 runtime 1000000 deadline 20000000 period 100000000\n"},
  };
  for (const auto& [scheduler, line] : cases) {
    Json config = default_config();
    Bundle idle(config);
    idle.args({"/bin/sleep", "1000"});
    const std::string id = start(idle);
    config["process"]["scheduler"] = Json::parse(scheduler);
    Bundle bundle(config);
    bundle.args({"/bin/probe", "report"});
    // Where the host gives no such time to anybody (sched(7)), there is nothing to compare with.
    if (!run_bundle(bundle).ok()) continue;
    TempDir place;
    write_file(place / "process.json", bundle.config["process"].dump());
    const Outcome outcome = runtime({"exec", "--process", place / "process.json", id});
    EXPECT_NE(outcome.out.find(line), std::string::npos) << outcome.all();
  }
}

TEST_F(Process, TheProgramIsFoundInThePathOfTheConfig) {
  Json config = default_config();
  config["process"]["env"] = Json(std::vector<std::string>{"PATH=/nowhere:/opt:/bin"});
  config["process"]["args"] = Json(std::vector<std::string>{"echo", "found"});
  Bundle bundle(config);
  EXPECT_EQ(run_bundle(bundle).out, "found\n");
}

TEST_F(Process, ASessionKeyringOfItsOwn) {
  SKIP_UNLESS(exists("/proc/keys"), "this kernel has no keyrings");
  Json config = default_config();
  config["linux"]["maskedPaths"] = Json::array();
  // The name of the session keyring stands in /proc/keys, of which a process sees what it possesses.
  EXPECT_NE(output(config, "grep -c '_ses' /proc/keys; true"), "0");
}

TEST_F(Process, WhoWaitsForItsStartEndsWhenAsked) {
  SKIP_FOR("runc,crun", "differ from one signal and version to the other");
  for (const char* signal : {"TERM", "INT", "HUP", "QUIT"}) {
    Bundle bundle;
    const std::string id = create(bundle);
    EXPECT_TRUE(runtime({"kill", id, signal}).ok());
    EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; })) << signal;
  }
}

}  // namespace
}  // namespace support
