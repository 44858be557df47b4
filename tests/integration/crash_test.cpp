// SPDX-License-Identifier: Apache-2.0
// A runtime can be killed at any instruction, and there can be many of them.
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "support/fixture.hpp"

namespace support {
namespace {

class Crash : public ContainerTest {};

TEST_F(Crash, DeleteForceCleansUpAfterAKillAtAnyMoment) {
  SKIP_FOR("crun,runc", "leave cgroups or processes behind, as their trackers say");
  const int count = number_from_env("DAVIT_TEST_CRASHES", 60);
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.write();
  // How long a create takes here bounds the moments that are of interest.
  const auto begin = std::chrono::steady_clock::now();
  const std::string whole = create(bundle);
  const auto whole_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count();
  destroy(whole);
  std::mt19937 random(12345);
  for (int i = 0; i < count; ++i) {
    const HostSnapshot before = HostSnapshot::take(runtime.root());
    const std::string id = new_id();
    Child child = runtime.start({"create", "--bundle", bundle.path(), id});
    const auto moment = std::uniform_int_distribution<long>(0, whole_us + whole_us / 5)(random);
    std::this_thread::sleep_for(std::chrono::microseconds(moment));
    child.kill(SIGKILL);
    child.wait();
    reap_orphans();
    const Outcome outcome = runtime({"delete", "--force", id});
    EXPECT_EQ(outcome.status, 0) << "killed after " << moment << " us: " << outcome.all();
    std::string leaked;
    EXPECT_TRUE(eventually(
        [&] {
          leaked = HostSnapshot::take(runtime.root()).leaked_since(before);
          return leaked.empty();
        },
        3000))
        << "killed after " << moment << " of " << whole_us << " us: " << leaked;
    if (HasFailure()) break;
  }
}

TEST_F(Crash, ADamagedRecordIsNoPlaceToHide) {
  SKIP_UNLESS(runtime.is_davit(), "the peers keep other records");
  for (const View view : {View::host, View::v2}) {
    if (!missing(view).empty()) continue;
    runtime.view = view;
    Bundle bundle;
    bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
    bundle.sh("sleep 1000 & sleep 1000");
    const std::string id = start(bundle);
    write_file(state_dir_ / (id + "/state.json"), "{\"davit\": 1, \"id\"");
    EXPECT_NE(runtime({"delete", id}).status, 0);
    const Outcome outcome = runtime({"delete", "--force", id});
    EXPECT_EQ(outcome.status, 0) << outcome.all();
    EXPECT_EQ(outcome.err.find("may be left"), std::string::npos) << outcome.err;
    EXPECT_TRUE(runtime.state(id).is_null());
  }
}

TEST_F(Crash, ADamagedRecordIsNoReasonToHitAnother) {
  SKIP_UNLESS(runtime.is_davit(), "the peers keep other records");
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  const std::string id = start(bundle);
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  write_file(state_dir_ / (id + "/state.json"), "{");
  bundle.args({"/bin/sleep", "1000"});
  const std::string other = start(bundle);
  const Outcome outcome = runtime({"delete", "--force", id});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_NE(outcome.err.find("may be left"), std::string::npos) << outcome.err;
  EXPECT_TRUE(runtime.state(id).is_null());
  EXPECT_EQ(runtime.status(other), "running");
}

TEST_F(Crash, ADamagedRecordTellsOfTheResctrlGroupThatItKnew) {
  SKIP_UNLESS(runtime.is_davit(), "the peers keep other records");
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  // As if this machine could do it.
  bundle.config["linux"]["intelRdt"] = Json::parse(R"({"enableMonitoring": true})");
  write_file(state_dir_ / (id + "/config.json"), bundle.config.dump());
  write_file(state_dir_ / (id + "/state.json"), "{");
  const Outcome outcome = runtime({"delete", "--force", id});
  EXPECT_EQ(outcome.status, 0) << outcome.all();
  EXPECT_NE(outcome.err.find("resctrl group"), std::string::npos) << outcome.err;
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Crash, ADamagedConfigStopsAStartThatNeedsIt) {
  SKIP_UNLESS(runtime.is_davit(), "the peers keep other records");
  const auto create_damaged = [this](Bundle& bundle) {
    std::string id = create(bundle);
    write_file(state_dir_ / (id + "/config.json"), "{");
    return id;
  };
  Bundle plain;
  plain.args({"/bin/sleep", "1000"});
  const std::string started = create_damaged(plain);
  EXPECT_EQ(runtime({"start", started}).status, 0);
  EXPECT_EQ(runtime.status(started), "running");

  Bundle hooked;
  hooked.args({"/bin/sleep", "1000"});
  hooked.config["hooks"]["poststart"] = Json::parse(R"([{"path": "/bin/true"}])");
  const std::string refused = create_damaged(hooked);
  const Outcome refusal = runtime({"start", refused});
  EXPECT_NE(refusal.status, 0);
  EXPECT_NE(refusal.err.find("stored config is damaged"), std::string::npos) << refusal.err;
  EXPECT_EQ(runtime.status(refused), "created");

  Bundle failing;
  write_file(failing.rootfs() + "/bin/script", "#!/no/such/interpreter\n", 0755);
  failing.args({"/bin/script"});
  const std::string failed = create_damaged(failing);
  const Outcome failure = runtime({"start", failed});
  EXPECT_NE(failure.status, 0);
  EXPECT_NE(failure.err.find("stored config is damaged"), std::string::npos) << failure.err;
  EXPECT_EQ(runtime.status(failed), "stopped");
}

TEST_F(Crash, AKilledDeleteCanBeRepeated) {
  for (int i = 0; i < 10; ++i) {
    Bundle bundle;
    bundle.args({"/bin/sleep", "1000"});
    const std::string id = start(bundle);
    Child child = runtime.start({"delete", "--force", id});
    std::this_thread::sleep_for(std::chrono::microseconds(300 * i));
    child.kill(SIGKILL);
    child.wait();
    if (runtime.is_davit()) destroy(id);
  }
}

TEST_F(Crash, TheContainerEndsIfItsCreatorDiesBeforeItIsReady) {
  SKIP_FOR("crun,runc", "see above");
  TempDir place;
  Bundle bundle;
  // A hook that never ends holds the creator in the middle of create.
  bundle.config["hooks"]["createRuntime"] =
      Json::parse(R"([{"path": "/bin/sh", "args": ["sh", "-c", ")" + std::string("touch ") +
                  (place / "reached") + R"(; exec sleep 30"]}])");
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"create", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return exists(place / "reached"); })) << child.err();
  child.kill(SIGKILL);
  child.wait();
  EXPECT_TRUE(eventually([&] {
    reap_orphans();
    int left = 0;
    for (const pid_t pid : descendants())
      left += read_file("/proc/" + std::to_string(pid) + "/comm") != "sleep\n" ? 1 : 0;
    return left == 0;
  })) << "its init must not stay";
  for (const pid_t pid : descendants()) ::kill(pid, SIGKILL);
}

TEST_F(Crash, ASignalDuringCreateTakesEverythingBack) {
  SKIP_FOR("runc,crun", "die where they stand");
  for (const char* kind : {"createRuntime", "createContainer"})
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
      TempDir place;
      Bundle bundle;
      bundle.config["linux"]["cgroupsPath"] = "/" + Sandbox::get().new_id();
      bundle.config["hooks"][kind] = Json::parse(R"([{"path": "/bin/sh", "args": ["sh", "-c", "echo >)" +
                                                 (place / "reached") + R"(; exec sleep 30"]}])");
      bundle.write();
      const HostSnapshot before = HostSnapshot::take(runtime.root());
      const std::string id = new_id();
      Child child = runtime.start({"run", "--bundle", bundle.path(), id});
      ASSERT_TRUE(eventually([&] { return exists(place / "reached"); }));
      kill(child.pid(), signal);
      const Outcome outcome = child.wait();
      EXPECT_EQ(outcome.status, 1) << outcome.all();
      EXPECT_NE(outcome.err.find("interrupted by SIG"), std::string::npos) << outcome.err;
      EXPECT_EQ(HostSnapshot::take(runtime.root()).leaked_since(before), "") << kind << signal;
    }
}

TEST_F(Crash, DeleteForceEndsACreateThatHangs) {
  SKIP_FOR("runc,crun", "see above");
  TempDir place;
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = "/" + Sandbox::get().new_id();
  bundle.config["hooks"]["createRuntime"] =
      Json::parse(R"([{"path": "/bin/sh", "args": ["sh", "-c", "echo >)" + (place / "reached") +
                  R"(; exec sleep 30"]}])");
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"create", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return exists(place / "reached"); }));
  EXPECT_EQ(runtime({"delete", "--force", id}).status, 0);
  EXPECT_TRUE(runtime.state(id).is_null());
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.status, 1) << outcome.all();
  EXPECT_NE(outcome.err.find("interrupted by SIGTERM"), std::string::npos) << outcome.err;
}

TEST_F(Crash, ManyContainersAtOnce) {
  const int count = number_from_env("DAVIT_TEST_MANY", runtime.is_davit() ? 200 : 20);
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.write();
  std::vector<std::string> ids;
  for (int i = 0; i < count; i += 10) {
    std::vector<Child> children;
    for (int j = 0; j < 10; ++j)
      children.push_back(
          runtime.start({"run", "--detach", "--bundle", bundle.path(), ids.emplace_back(new_id())}));
    for (auto& child : children) {
      const Outcome outcome = child.wait();
      ASSERT_TRUE(outcome.ok()) << outcome.all();
    }
  }
  EXPECT_EQ(split(runtime({"list", "--quiet"}).out, '\n').size(), static_cast<std::size_t>(count));
  for (const auto& id : ids) destroy(id);
  EXPECT_EQ(runtime({"list", "--quiet"}).out, "");
}

TEST_F(Crash, ManyContainersOneAfterAnother) {
  const int count = number_from_env("DAVIT_TEST_SERIES", runtime.is_davit() ? 1000 : 20);
  Bundle bundle;
  bundle.write();
  const std::string id = new_id();
  for (int i = 0; i < count; ++i) {
    const Outcome outcome = runtime({"run", "--bundle", bundle.path(), id});
    ASSERT_EQ(outcome.status, 0) << "number " << i << ": " << outcome.all();
  }
}

}  // namespace
}  // namespace support
