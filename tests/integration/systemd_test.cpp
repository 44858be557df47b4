// SPDX-License-Identifier: Apache-2.0
// The systemd cgroup driver against a manager that is only played: what it is asked for, and what becomes of
// davit when it does not answer as it should.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "support/fake_systemd.hpp"
#include "support/fixture.hpp"

namespace support {
namespace {

class SystemdDriver : public ContainerTest {
 protected:
  void SetUp() override {
    if (const auto why = missing(View::v2); !why.empty()) GTEST_SKIP() << why;
    SKIP_UNLESS(runtime.is_davit(), "the played manager sits where davit looks first");
    use(View::v2);
  }
  void use(View view) {
    runtime.view = view;
    runtime.global_options = {"--systemd-cgroup"};
  }
  /// Short enough not to wait, long enough for a busy machine where an answer is to come.
  void hurry() { runtime.global_options.push_back("--systemd-timeout=2"); }

  std::unique_ptr<Bundle> make(const std::string& name) {
    auto bundle = std::make_unique<Bundle>();
    bundle->config["linux"]["cgroupsPath"] = "-.slice:t:" + name;
    bundle->args({"/bin/sleep", "1000"});
    return bundle;
  }
  static std::string unit(const std::string& name) { return "t-" + name + ".scope"; }
  static std::string directory(const std::string& name) { return v2_mount() + "/" + unit(name); }
  /// The first call of that kind.
  static std::string call(const FakeSystemd& systemd, const std::string& method) {
    for (const std::string& line : systemd.calls())
      if (line.starts_with(method)) return line;
    return {};
  }
  /// What `create` says; it must fail, and leave neither a container nor a cgroup.
  std::string failure(const std::string& name) {
    auto bundle = make(name);
    bundle->write();
    const std::string id = new_id();
    const Outcome outcome = runtime({"create", "--bundle", bundle->path(), id});
    EXPECT_NE(outcome.status, 0);
    EXPECT_TRUE(runtime.state(id).is_null()) << "a failed create leaves no container";
    EXPECT_FALSE(exists(directory(name)));
    return outcome.err;
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(SystemdDriver, OneScopeForOneContainer) {
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  bundle->config["annotations"]["org.systemd.property.TimeoutStopUSec"] = "uint64 5000000";
  const std::string id = start(*bundle);
  EXPECT_EQ(systemd.units(), std::vector<std::string>{unit(name)});
  const std::string wanted = call(systemd, "StartTransientUnit") + " ";
  for (const char* part :
       {" Slice=-.slice ", " Delegate=true ", " DefaultDependencies=false ",
        " CollectMode=inactive-or-failed ", " TimeoutStopUSec=5000000 ", " MemoryAccounting=true ", " PIDs="})
    EXPECT_TRUE(has(wanted, part)) << part << "in" << wanted;
  EXPECT_TRUE(has(wanted, "Description=davit container " + id)) << wanted;
  EXPECT_EQ(trim(read_file(directory(name) + "/cgroup.procs")), std::to_string(runtime.pid(id)))
      << "init alone is in it: who stood in for it until its birth is gone";
  EXPECT_EQ(exec(id, "grep ^0: /proc/self/cgroup").out, "0::/" + unit(name) + "\n");
  destroy(id);
  EXPECT_TRUE(systemd.units().empty());
  EXPECT_FALSE(exists(directory(name)));
}

TEST_F(SystemdDriver, SubgroupOfTheScopeHoldsTheProcesses) {
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  bundle->config["annotations"]["run.oci.systemd.subgroup"] = "container";
  const std::string id = start(*bundle);
  EXPECT_EQ(trim(read_file(directory(name) + "/cgroup.procs")), "") << "so it can hand controllers on";
  EXPECT_EQ(trim(read_file(directory(name) + "/container/cgroup.procs")), std::to_string(runtime.pid(id)));
  EXPECT_EQ(exec(id, "grep ^0: /proc/self/cgroup").out, "0::/" + unit(name) + "/container\n");
  ASSERT_TRUE(runtime({"pause", id}).ok());
  EXPECT_EQ(runtime.status(id), "paused");
  ASSERT_TRUE(runtime({"resume", id}).ok());
}

// Whoever uses it wants the container to manage what is around its first process.
TEST_F(SystemdDriver, ADelegatedCgroupHasTheNamespaceBeginAboveIt) {
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  bundle->config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  add_user_namespace(bundle->config);
  bundle->config["mounts"].push(mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}));
  bundle->config["annotations"]["run.oci.systemd.subgroup"] = "container";
  bundle->config["annotations"]["run.oci.delegate-cgroup"] = "init";
  const std::string id = start(*bundle);
  const std::string path = directory(name) + "/container";
  EXPECT_EQ(trim(read_file(path + "/init/cgroup.procs")), std::to_string(runtime.pid(id)));
  EXPECT_EQ(trim(read_file(path + "/cgroup.procs")), "");
  const Outcome outcome =
      exec(id, "cat /proc/1/cgroup; mkdir /sys/fs/cgroup/more /sys/fs/cgroup/init/more && echo mine");
  EXPECT_TRUE(has(outcome.out, "0::/init\n") && has(outcome.out, "mine")) << outcome.all();
  destroy(id);
  EXPECT_FALSE(exists(directory(name)));
}

TEST_F(SystemdDriver, SubgroupIsOneDirectory) {
  const FakeSystemd systemd(View::v2);
  for (const char* annotation : {"run.oci.systemd.subgroup", "run.oci.delegate-cgroup"})
    for (const char* bad : {"../other", "a/b", "..", ".", "cgroup.procs", "\x1b[2J", "a b"}) {
      auto bundle = make(new_id());
      bundle->config["annotations"][annotation] = bad;
      refused(*bundle);
    }
  EXPECT_TRUE(systemd.calls().empty());
}

// One greeting, one call and its answer for a container; the same for its end.
/// Without the looks at a job that takes its time, as any may on a busy machine.
std::vector<std::string> calls_that_matter(const FakeSystemd& systemd) {
  std::vector<std::string> calls = systemd.calls();
  std::erase_if(calls, [](const std::string& line) { return line.starts_with("Get State"); });
  return calls;
}

TEST_F(SystemdDriver, ItIsAskedForAsLittleAsPossible) {
  const FakeSystemd systemd(View::v2);
  auto bundle = make(new_id());
  const std::string id = start(*bundle);
  ASSERT_EQ(calls_that_matter(systemd).size(), 2U);
  EXPECT_EQ(systemd.calls().front(), "AUTH")
      << "the kernel says who we are: in a user namespace it knows better";
  runtime.global_options.clear();  // engines name the manager at create only
  destroy(id);
  const std::vector<std::string> calls = calls_that_matter(systemd);
  ASSERT_EQ(calls.size(), 5U);
  EXPECT_TRUE(calls[3].starts_with("StopUnit "));
  EXPECT_TRUE(calls[4].starts_with("ResetFailedUnit "));
}

TEST_F(SystemdDriver, LimitsAreToldAndWritten) {
  SKIP_UNLESS(has_v2("hugetlb"), "cgroup v2 has no controller here");
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  bundle->config["linux"]["resources"] =
      Json::parse(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})");
  start(*bundle);
  EXPECT_EQ(trim(read_file(directory(name) + "/hugetlb.2MB.max")), "4194304")
      << "systemd has no property for it, so the file has it";
}

TEST_F(SystemdDriver, ALimitThatTheKernelRefusesIsAnError) {
  SKIP_UNLESS(!has_v2("memory"), "this host has the memory controller on v2");
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  bundle->config["linux"]["resources"] = Json::parse(R"({"unified": {"memory.max": "10000000"}})");
  refused(*bundle);
  EXPECT_TRUE(has(call(systemd, "StartTransientUnit"), "MemoryMax=10000000"));
  EXPECT_TRUE(systemd.units().empty());
}

TEST_F(SystemdDriver, ItsVersionIsAskedForWhereItMatters) {
  const FakeSystemd systemd(View::v2);  // 252
  auto bundle = make(new_id());
  bundle->config["linux"]["resources"] =
      Json::parse(R"({"unified": {"memory.zswap.max": "1", "memory.high": "1"}})");
  bundle->write();
  // Whether it succeeds: a kernel without that controller, or built without zswap, has no such files.
  runtime({"create", "--bundle", bundle->path(), new_id()});
  EXPECT_EQ(call(systemd, "Get"), "Get Version");
  EXPECT_FALSE(has(call(systemd, "StartTransientUnit"), "MemoryZSwapMax")) << "253 was the first to have it";
  EXPECT_TRUE(has(call(systemd, "StartTransientUnit"), "MemoryHigh=1"));
}

TEST_F(SystemdDriver, UpdateTellsToo) {
  const FakeSystemd systemd(View::v2);
  auto bundle = make(new_id());
  const std::string id = start(*bundle);
  // No controller of v2 that systemd knows is to be had on a hybrid host: what fails has not been told.
  EXPECT_NE(runtime({"update", "--pids-limit", "5", id}).status, has_v2("pids") ? 1 : 0);
  EXPECT_EQ(has(call(systemd, "SetUnitProperties"), "TasksMax=5"), has_v2("pids"));
}

// Nobody knows whether it has heard: so it hears that it is as before.
TEST_F(SystemdDriver, UpdateWithoutAnAnswerIsTakenBack) {
  if (const auto why = missing(View::v1); !why.empty()) GTEST_SKIP() << why;
  SKIP_UNLESS(has_v1("pids"), "needs a pids controller of cgroup v1");
  use(View::v1);
  auto systemd = std::make_unique<FakeSystemd>(View::v1);
  const std::string name = new_id();
  auto bundle = make(name);
  bundle->config["linux"]["resources"]["pids"]["limit"] = 64;
  const std::string id = start(*bundle);
  systemd.reset();
  const FakeSystemd deaf(View::v1, Mood::deaf);
  hurry();
  EXPECT_NE(runtime({"update", "--pids-limit", "5", id}).status, 0);
  EXPECT_EQ(trim(read_file(v1_mount("pids") + "/" + unit(name) + "/pids.max")), "64");
  const auto calls = deaf.calls();
  ASSERT_GE(calls.size(), 2U);
  EXPECT_TRUE(has(calls.back(), "TasksMax=64")) << calls.back();
}

TEST_F(SystemdDriver, PauseAndKillNeedNoSystemd) {
  auto systemd = std::make_unique<FakeSystemd>(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  const std::string id = start(*bundle);
  systemd.reset();
  EXPECT_TRUE(runtime({"pause", id}).ok());
  EXPECT_EQ(runtime.status(id), "paused");
  EXPECT_TRUE(runtime({"resume", id}).ok());
  EXPECT_TRUE(runtime({"kill", "--all", id, "KILL"}).ok());
}

TEST_F(SystemdDriver, DeleteWithoutSystemdWarnsAndRemoves) {
  auto systemd = std::make_unique<FakeSystemd>(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  const std::string id = start(*bundle);
  systemd.reset();
  const Outcome outcome = runtime({"delete", "--force", id});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_TRUE(has(outcome.err, "the unit " + unit(name) + " may be left")) << outcome.err;
  EXPECT_FALSE(exists(directory(name)));
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(SystemdDriver, NoSystemdAtAllIsSaidToTheEngineToo) {
  auto bundle = make(new_id());
  bundle->write();
  const std::string log = state_dir_ / "log";
  const Outcome outcome =
      runtime({"--log", log, "--log-format", "json", "create", "--bundle", bundle->path(), new_id()});
  EXPECT_NE(outcome.status, 0);
  const std::string message = Json::parse(read_file(log)).get("msg").str();
  EXPECT_TRUE(has(message, "systemd")) << message;
  EXPECT_TRUE(has(message, "cgroup_manager = \"cgroupfs\"")) << message;
  EXPECT_TRUE(has(message, "native.cgroupdriver=cgroupfs")) << message;
  EXPECT_TRUE(has(message, "SystemdCgroup = false")) << message;
}

TEST_F(SystemdDriver, ManagerThatLetsNobodyIn) {
  const FakeSystemd systemd(View::v2, Mood::silent);
  hurry();
  EXPECT_TRUE(has(failure(new_id()), "waiting to be let in: Connection timed out"));
}

TEST_F(SystemdDriver, ManagerThatNeverAnswers) {
  const FakeSystemd systemd(View::v2, Mood::deaf);
  hurry();
  const std::string name = new_id();
  const std::string text = failure(name);
  EXPECT_TRUE(has(text, unit(name))) << text;
  EXPECT_TRUE(has(text, "waiting for the answer to StartTransientUnit: Connection timed out")) << text;
  EXPECT_TRUE(has(text, "does not answer at all")) << text;
}

TEST_F(SystemdDriver, ManagerThatAnswersLateIsWaitedFor) {
  const FakeSystemd systemd(View::v2, Mood::slow);
  auto bundle = make(new_id());
  const std::string id = start(*bundle);
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(SystemdDriver, ManagerThatRefuses) {
  const FakeSystemd systemd(View::v2, Mood::refusing);
  const std::string name = new_id();
  const std::string text = failure(name);
  EXPECT_TRUE(has(text, "systemd refuses the start of " + unit(name) + ": Permission denied, said the fake"))
      << text;
}

TEST_F(SystemdDriver, ManagerThatDiesInBetween) {
  const FakeSystemd systemd(View::v2, Mood::dying);
  EXPECT_TRUE(has(failure(new_id()), "the other side has closed the connection"));
}

TEST_F(SystemdDriver, SignalThatIsLostIsAskedFor) {
  const FakeSystemd systemd(View::v2, Mood::forgetful);
  auto bundle = make(new_id());
  const std::string id = start(*bundle);
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_EQ(call(systemd, "Get"), "Get State");
}

TEST_F(SystemdDriver, JobThatIsNeverDone) {
  const FakeSystemd systemd(View::v2, Mood::stuck);
  hurry();
  const std::string name = new_id();
  const std::string text = failure(name);
  EXPECT_TRUE(has(text, "systemd's job 7, the start of " + unit(name))) << text;
  EXPECT_TRUE(has(text, "it answers, and calls the job running")) << text;
}

TEST_F(SystemdDriver, JobThatFails) {
  const FakeSystemd systemd(View::v2, Mood::failing);
  EXPECT_TRUE(has(failure(new_id()), "has ended with: failed"));
}

TEST_F(SystemdDriver, JobThatMovedNobodyIsFoundOut) {
  const FakeSystemd systemd(View::v2, Mood::misplacing);
  const std::string name = new_id();
  EXPECT_TRUE(has(failure(name), "systemd has not put the process into " + unit(name)));
}

TEST_F(SystemdDriver, EmptyUnitOfTheSameNameIsUsedAgain) {
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  const std::string id = start(*bundle);
  // As if davit and the container had died, and systemd had not noticed.
  ASSERT_TRUE(runtime({"kill", id, "KILL"}).ok());
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  auto second = make(name);
  const std::string other = start(*second);
  EXPECT_EQ(runtime.status(other), "running");
  EXPECT_EQ(systemd.units(), std::vector<std::string>{unit(name)});
}

TEST_F(SystemdDriver, UnitWithProcessesIsLeftAlone) {
  const FakeSystemd systemd(View::v2);
  const std::string name = new_id();
  auto bundle = make(name);
  const std::string id = start(*bundle);
  auto second = make(name);
  second->write();
  const Outcome outcome = runtime({"create", "--bundle", second->path(), new_id()});
  EXPECT_NE(outcome.status, 0);
  EXPECT_TRUE(
      has(outcome.err, unit(name) + " exists already, and has processes: " + std::to_string(runtime.pid(id))))
      << outcome.err;
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(SystemdDriver, KilledDavitLeavesWhatDeleteCleans) {
  const FakeSystemd systemd(View::v2, Mood::forgetful);
  for (const int milliseconds : {1, 5, 10, 20, 40, 80, 160}) {
    const std::string name = new_id();
    auto bundle = make(name);
    bundle->write();
    const std::string id = new_id();
    Child child = runtime.start({"create", "--bundle", bundle->path(), id});
    ::usleep(static_cast<unsigned>(milliseconds) * 1000);
    child.kill(SIGKILL);
    (void)child.wait();
    EXPECT_TRUE(runtime({"delete", "--force", id}).ok());
    EXPECT_FALSE(exists(directory(name))) << "after " << milliseconds << " ms";
    EXPECT_EQ(systemd.units(), std::vector<std::string>()) << "after " << milliseconds << " ms";
  }
}

TEST_F(SystemdDriver, PathsOfAnotherKindAreRefused) {
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = "/a/b";
  EXPECT_TRUE(has(refused(bundle), "slice:prefix:name"));
}

}  // namespace
}  // namespace support
