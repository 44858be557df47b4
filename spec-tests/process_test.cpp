// SPDX-License-Identifier: Apache-2.0
// config.md, process and hostname.
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "cgroup.hpp"
#include "clause.hpp"

namespace spec_tests {
namespace {

using support::default_config;

class Process : public SpecTest {};

TEST_F(Process, ArgsEnvAndCwd) {
  CLAUSE("config-239", "config-248", "config-250", "config-251", "runtime-71", "runtime-128");
  Json config = default_config();
  config["process"]["cwd"] = "/etc";
  config["process"]["env"] = Json(std::vector<std::string>{"PATH=/bin", "EMPTY=", "A=b=c"});
  const std::string text = report(config);
  for (const char* line : {"cwd /etc", "env EMPTY=", "env A=b=c"}) {
    EXPECT_TRUE(has_line(text, line)) << line << text;
  }
  Bundle bundle(config);
  bundle.args({"echo", "two words", "", "x"});
  EXPECT_EQ(run_bundle(bundle).out, "two words  x\n");
  CLAUSE("config-249");
  config["process"]["cwd"] = "etc";
  refused(config);
}

TEST_F(Process, ArgsHaveAnEntry) {
  CLAUSE("config-251");
  Json config = default_config();
  config["process"]["args"] = Json::array();
  refused(config);
}

TEST_F(Process, ConsoleSizeIsIgnoredWithoutATerminal) {
  CLAUSE("config-242", "config-244", "config-245", "config-246", "config-247");
  Json config = default_config();
  config["process"]["terminal"] = false;
  config["process"]["consoleSize"] = Json::parse(R"({"height": 10, "width": 20})");
  EXPECT_EQ(output(config, "test -t 0 || echo none"), "none");
}

TEST_F(Process, ResourceLimits) {
  CLAUSE("config-261", "config-264", "config-269", "config-272", "config-273", "config-274", "config-275");
  Json config = default_config();
  const std::pair<const char*, int> limits[] = {
      {"CORE", RLIMIT_CORE}, {"FSIZE", RLIMIT_FSIZE},     {"DATA", RLIMIT_DATA},   {"NPROC", RLIMIT_NPROC},
      {"CPU", RLIMIT_CPU},   {"MEMLOCK", RLIMIT_MEMLOCK}, {"STACK", RLIMIT_STACK}, {"AS", RLIMIT_AS}};
  std::vector<std::string> lines;
  for (const auto& [name, number] : limits) {
    struct rlimit now {};
    getrlimit(static_cast<__rlimit_resource>(number), &now);
    const std::uint64_t hard = std::min<std::uint64_t>(now.rlim_max, 1ULL << 31);
    config["process"]["rlimits"].push(
        Json::object({{"type", "RLIMIT_" + std::string(name)}, {"soft", hard / 2}, {"hard", hard}}));
    lines.push_back("rlimit " + std::string(name) + " " + std::to_string(hard / 2) + " " +
                    std::to_string(hard));
  }
  const std::string text = report(config);
  for (const auto& line : lines) {
    EXPECT_TRUE(has_line(text, line)) << line << text;
  }
}

TEST_F(Process, UnknownLimitsAreErrors) {
  CLAUSE("config-268");
  Json config = default_config();
  config["process"]["rlimits"] = Json::parse(R"([{"type": "RLIMIT_TEST", "soft": 1, "hard": 1}])");
  refused(config);
}

TEST_F(Process, ALimitTwiceIsAnError) {
  CLAUSE("config-278");
  Json config = default_config();
  config["process"]["rlimits"] = Json::parse(
      R"([{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}, {"type": "RLIMIT_CORE", "soft": 2, "hard": 2}])");
  refused(config);
}

TEST_F(Process, Capabilities) {
  CLAUSE("config-286", "config-295", "config-296", "config-297", "config-298", "config-299");
  Json config = default_config();
  config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000})");
  config["process"]["capabilities"] = Json::parse(R"({"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
      "effective": ["CAP_CHOWN"], "permitted": ["CAP_CHOWN", "CAP_KILL"], "inheritable": ["CAP_KILL"],
      "ambient": ["CAP_KILL"]})");
  const std::string text = report(config);
  for (const char* line : {"CapBnd 00000000000000a1", "CapInh 0000000000000020", "CapAmb 0000000000000020",
                           "CapPrm 0000000000000020", "CapEff 0000000000000020"})
    EXPECT_TRUE(has_line(text, line)) << line << text;
}

TEST_F(Process, UnknownCapabilitiesAreWarnedOf) {
  CLAUSE("config-290", "runtime-89");
  NEEDS_VERSION("1.1");
  Bundle bundle;
  bundle.config["process"]["capabilities"]["bounding"].push("CAP_TEST");
  bundle.sh("echo ran");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "ran\n") << outcome.all();
  CLAUSE("config-289");
  EXPECT_TRUE(outcome.err.find("CAP_TEST") != std::string::npos)
      << "no warning names CAP_TEST: \"" << outcome.err << "\"";
}

TEST_F(Process, NoNewPrivileges) {
  CLAUSE("config-300", "config-360");
  Json config = default_config();
  config["process"]["noNewPrivileges"] = true;
  EXPECT_TRUE(has_line(report(config), "NoNewPrivs 1"));
  config["process"].erase("noNewPrivileges");
  EXPECT_TRUE(has_line(report(config), "NoNewPrivs 0"));
}

TEST_F(Process, OomScoreAdj) {
  CLAUSE("config-302", "config-303");
  Json config = default_config();
  config["process"]["oomScoreAdj"] = 100;
  EXPECT_TRUE(has_line(report(config), "oom_score_adj  100"));
}

TEST_F(Process, OomScoreAdjIsOtherwiseLeftAlone) {
  CLAUSE("config-304");
  Json config = default_config();
  support::put("/proc/self/oom_score_adj", "123");
  EXPECT_TRUE(has_line(report(config), "oom_score_adj  123"));
  support::put("/proc/self/oom_score_adj", "0");
}

TEST_F(Process, Scheduler) {
  CLAUSE("config-308", "config-310", "config-320");
  NEEDS_VERSION("1.1");
  Json config = default_config();
  config["process"]["scheduler"] = Json::parse(R"({"policy": "SCHED_BATCH", "nice": 3})");
  EXPECT_NE(report(config).find("\nsched 3 nice 3 "), std::string::npos);
  CLAUSE("config-322");
  config["process"]["scheduler"]["flags"] = Json(std::vector<std::string>{"SCHED_FLAG_RESET_ON_FORK"});
  const std::string text = report(config);
  EXPECT_NE(text.find("\nsched 3 nice 3 priority 0 flags 1 "), std::string::npos) << text;
}

/// True if a process of this machine may have that policy.
bool may_schedule(unsigned policy, unsigned priority, std::uint64_t runtime) {
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes = {48, policy, 0, 0, priority, runtime, 4 * runtime, 4 * runtime};
  const pid_t child = fork();
  if (child == 0) _exit(syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

TEST_F(Process, RealtimeScheduler) {
  CLAUSE("config-321");
  NEEDS_VERSION("1.1");
  SKIP_UNLESS(may_schedule(SCHED_RR, 5, 0), "this machine allows no real-time priorities");
  Json config = default_config();
  config["process"]["scheduler"] = Json::parse(R"({"policy": "SCHED_RR", "priority": 5})");
  // Where cgroups share real time out, a new one has none of it.
  if (host_has({"cpu", "cpu.rt_runtime_us", ""})) {
    config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
    config["linux"]["resources"]["cpu"]["realtimeRuntime"] = 10000;
  }
  EXPECT_NE(report(config).find("\nsched 2 nice 0 priority 5 "), std::string::npos);
}

TEST_F(Process, DeadlineScheduler) {
  CLAUSE("config-332", "config-333", "config-334");
  NEEDS_VERSION("1.1");
  SKIP_UNLESS(may_schedule(6, 0, 10000000), "this machine allows no deadline scheduling");
  Json config = default_config();
  config["process"]["scheduler"] = Json::parse(
      R"({"policy": "SCHED_DEADLINE", "runtime": 10000000, "deadline": 40000000, "period": 40000000})");
  EXPECT_NE(report(config).find(" runtime 10000000 deadline 40000000 period 40000000\n"), std::string::npos);
}

TEST_F(Process, AppArmorProfile) {
  CLAUSE("config-284", "runtime-116");
  NEEDS_FEATURE("linux.apparmor.enabled", "1.0");
  Json config = default_config();
  config["process"]["apparmorProfile"] = "no-such-profile";
  refused(config);
  SKIP_UNLESS(support::read_file("/sys/module/apparmor/parameters/enabled") == "Y\n",
              "the kernel has no AppArmor");
  config["process"]["apparmorProfile"] = "unconfined";
  EXPECT_EQ(output(config, "cat /proc/self/attr/current").rfind("unconfined", 0), 0U);
}

TEST_F(Process, SelinuxLabel) {
  CLAUSE("config-335", "runtime-116");
  NEEDS_FEATURE("linux.selinux.enabled", "1.0");
  Json config = default_config();
  config["process"]["selinuxLabel"] = "no_such_u:no_such_r:no_such_t:s0";
  refused(config);
}

TEST_F(Process, IoPriority) {
  CLAUSE("config-337", "config-341", "config-342");
  NEEDS_VERSION("1.1");
  Json config = default_config();
  config["process"]["ioPriority"] = Json::parse(R"({"class": "IOPRIO_CLASS_BE", "priority": 4})");
  EXPECT_TRUE(has_line(report(config), "ioprio class 2 priority 4"));
}

TEST_F(Process, ExecCpuAffinity) {
  CLAUSE("config-343", "config-346", "config-350", "config-352");
  NEEDS_VERSION("1.2.1");
  Bundle bundle;
  bundle.sh("while :; do sleep 1; done");
  const std::string id = start(bundle);
  TempDir place;
  Json process = Json::parse(R"({"args": ["/bin/probe", "report"], "cwd": "/", "env": ["PATH=/bin"],
      "user": {"uid": 0, "gid": 0}, "execCPUAffinity": {"initial": "0", "final": "0"}})");
  support::write_file(place / "process.json", process.dump());
  const Outcome outcome = runtime({"exec", "--process", place / "process.json", id});
  EXPECT_NE(outcome.out.find("\ncpus 0\n"), std::string::npos) << outcome.all();
}

TEST_F(Process, User) {
  CLAUSE("config-370", "config-371", "config-373");
  Json config = default_config();
  config["process"]["user"] = Json::parse(R"({"uid": 10, "gid": 20, "additionalGids": [30, 40]})");
  const std::string text = report(config);
  for (const char* line : {"uid 10 10 10", "gid 20 20 20", "groups 30 40"}) {
    EXPECT_TRUE(has_line(text, line)) << line << text;
  }
}

TEST_F(Process, Umask) {
  CLAUSE("config-372");
  Json config = default_config();
  config["process"]["user"]["umask"] = 7;
  EXPECT_TRUE(has_line(report(config), "umask 0007"));
}

TEST_F(Process, Domainname) {
  CLAUSE("config-509");
  NEEDS_VERSION("1.1");
  Json config = default_config();
  config["domainname"] = "domain-of-the-spec";
  EXPECT_TRUE(has_line(report(config), "domainname domain-of-the-spec"));
}

TEST_F(Process, Hostname) {
  CLAUSE("config-497");
  Json config = default_config();
  config["hostname"] = "name-of-the-spec";
  EXPECT_EQ(output(config, "hostname"), "name-of-the-spec");
}

}  // namespace
}  // namespace spec_tests
