// SPDX-License-Identifier: Apache-2.0
// runtime.md: state, lifecycle and operations.
#include <signal.h>

#include "clause.hpp"

namespace spec_tests {
namespace {

using support::alive;
using support::default_config;
using support::eventually;
using support::HostSnapshot;
using support::wait_orphan;

class RuntimeSpec : public SpecTest {
 protected:
  static Bundle sleeper() {
    Bundle bundle;
    bundle.args({"/bin/sleep", "1000"});
    return bundle;
  }
};

TEST_F(RuntimeSpec, State) {
  CLAUSE("runtime-5", "runtime-12", "runtime-13", "runtime-14", "runtime-16", "runtime-25", "runtime-28",
         "runtime-30", "runtime-33", "runtime-35", "runtime-103");
  Bundle bundle = sleeper();
  bundle.config["annotations"]["com.example.key"] = "value";
  const std::string id = create(bundle);
  const Json state = runtime.state(id);
  EXPECT_TRUE(state.get("ociVersion").is_string());
  EXPECT_EQ(state.get("id").str(), id);
  EXPECT_EQ(state.get("status").str(), "created");
  EXPECT_TRUE(state.get("pid").is_number());
  EXPECT_TRUE(alive(static_cast<pid_t>(state.get("pid").number())));
  EXPECT_EQ(state.get("bundle").str(), bundle.path());
  EXPECT_EQ(state.get("annotations").get("com.example.key").str(), "value");
}

TEST_F(RuntimeSpec, StateWithoutAnnotations) {
  CLAUSE("runtime-31", "runtime-17");
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  const Json state = runtime.state(id);
  EXPECT_TRUE(state.get("annotations").is_null() || state.get("annotations").size() == 0) << state.dump();
  EXPECT_EQ(state.get("status").str(), "created");
}

TEST_F(RuntimeSpec, StateNeedsAContainer) {
  CLAUSE("runtime-101", "runtime-102");
  EXPECT_NE(runtime({"state"}).status, 0);
  EXPECT_NE(runtime({"state", "no-such-container"}).status, 0);
}

TEST_F(RuntimeSpec, CreateMakesEverythingButTheProcess) {
  CLAUSE("runtime-58", "runtime-60", "runtime-111", "runtime-113", "runtime-114");
  Bundle bundle;
  bundle.sh("echo ran >/ran");
  bundle.config["hostname"] = "applied";
  const std::string id = create(bundle);
  EXPECT_FALSE(support::exists(bundle.rootfs() + "/ran"));
  const std::string proc = "/proc/" + std::to_string(runtime.pid(id));
  EXPECT_NE(support::read_link(proc + "/ns/mnt"), support::read_link("/proc/self/ns/mnt"));
  EXPECT_EQ(exec(id, "hostname").out, "applied\n");
  ASSERT_TRUE(runtime({"start", id}).ok());
  EXPECT_TRUE(eventually([&] { return support::exists(bundle.rootfs() + "/ran"); }));
}

TEST_F(RuntimeSpec, LaterChangesOfTheConfigHaveNoEffect) {
  CLAUSE("runtime-61");
  Bundle bundle;
  bundle.sh("echo first >/out");
  const std::string id = create(bundle);
  bundle.sh("echo second >/out");
  bundle.write();
  ASSERT_TRUE(runtime({"start", id}).ok());
  EXPECT_TRUE(eventually([&] { return support::read_file(bundle.rootfs() + "/out") == "first\n"; }));
}

TEST_F(RuntimeSpec, CreateNeedsABundleAndAnId) {
  CLAUSE("runtime-109");
  EXPECT_NE(runtime({"create"}).status, 0);
  TempDir empty;
  EXPECT_NE(runtime({"create", "--bundle", empty.path(), new_id()}).status, 0);
  EXPECT_NE(runtime({"create", "--bundle", "/no/such/bundle", new_id()}).status, 0);
}

TEST_F(RuntimeSpec, IdsAreUniqueAndValid) {
  CLAUSE("runtime-14", "runtime-110");
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  EXPECT_NE(runtime({"create", "--bundle", bundle.path(), id}).status, 0);
  EXPECT_EQ(runtime.status(id), "created") << "the first one is untouched";
  EXPECT_NE(runtime({"create", "--bundle", bundle.path(), "a/b"}).status, 0);
}

TEST_F(RuntimeSpec, ErrorsLeaveTheEnvironmentAsItWas) {
  CLAUSE("runtime-59", "runtime-84", "runtime-116");
  Json config = default_config();
  config["mounts"].push(support::mount_entry("/mnt", "no-such-filesystem", "none"));
  refused(config);
  config = default_config();
  config["linux"]["devices"] = Json::parse(R"([{"path": "/dev/x", "type": "z", "major": 1, "minor": 1}])");
  refused(config);
}

TEST_F(RuntimeSpec, StartRunsTheProcessOnce) {
  CLAUSE("runtime-93", "runtime-126", "runtime-127", "runtime-128");
  EXPECT_NE(runtime({"start"}).status, 0);
  EXPECT_NE(runtime({"start", "no-such-container"}).status, 0);
  Bundle bundle;
  bundle.sh("echo x >>/count; while :; do sleep 1; done");
  const std::string id = start(bundle);
  EXPECT_NE(runtime({"start", id}).status, 0);
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_TRUE(eventually([&] { return support::read_file(bundle.rootfs() + "/count") == "x\n"; }));
}

TEST_F(RuntimeSpec, StartNeedsAProcess) {
  CLAUSE("runtime-129", "config-240");
  Bundle bundle;
  bundle.config.erase("process");
  bundle.write();
  const std::string id = new_id();
  // A runtime that does not even create it has generated the error before.
  const Outcome outcome = runtime({"create", "--bundle", bundle.path(), id});
  if (outcome.ok()) {
    EXPECT_NE(runtime({"start", id}).status, 0);
  } else {
    EXPECT_NE(support::trim(outcome.err), "");
  }
}

TEST_F(RuntimeSpec, KillSendsTheSignal) {
  CLAUSE("runtime-134", "runtime-136");
  EXPECT_NE(runtime({"kill"}).status, 0);
  EXPECT_NE(runtime({"kill", "no-such-container", "TERM"}).status, 0);
  Bundle bundle;
  bundle.args({"/bin/probe", "signals", "1"});
  bundle.write();
  const std::string id = new_id();
  const Child child = runtime.start({"create", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "created"; }));
  ASSERT_TRUE(runtime({"start", id}).ok());
  ASSERT_TRUE(eventually([&] { return child.out() == "ready\n"; }));
  EXPECT_TRUE(runtime({"kill", id, "USR1"}).ok());
  EXPECT_TRUE(eventually([&] { return child.out() == "ready\nsignal 10\n"; })) << child.out();
}

TEST_F(RuntimeSpec, KillOfAStoppedContainerIsAnError) {
  CLAUSE("runtime-135");
  Bundle bundle;
  const std::string id = start(bundle);
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  EXPECT_NE(runtime({"kill", id, "KILL"}).status, 0);
  EXPECT_EQ(runtime.status(id), "stopped");
}

TEST_F(RuntimeSpec, DeleteNeedsAStoppedContainer) {
  CLAUSE("runtime-141", "runtime-142");
  EXPECT_NE(runtime({"delete"}).status, 0);
  EXPECT_NE(runtime({"delete", "no-such-container"}).status, 0);
  Bundle bundle = sleeper();
  const std::string id = start(bundle);
  EXPECT_NE(runtime({"delete", id}).status, 0);
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(RuntimeSpec, DeleteUndoesCreateAndNothingElse) {
  CLAUSE("runtime-77", "runtime-143", "runtime-144", "runtime-145");
  TempDir volume;
  support::write_file(volume / "file", "stays");
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  bundle.config["mounts"].push(support::mount_entry("/mnt", "bind", volume.path(), {"bind"}));
  const HostSnapshot before = HostSnapshot::take(runtime.root());
  const std::string id = start(bundle);
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  ASSERT_TRUE(runtime({"delete", id}).ok());
  EXPECT_EQ(HostSnapshot::take(runtime.root()).leaked_since(before), "");
  EXPECT_EQ(support::read_file(volume / "file"), "stays");
  EXPECT_TRUE(support::exists(bundle.rootfs() + "/bin/busybox"));
  const std::string again = new_id();
  EXPECT_TRUE(runtime({"run", "--bundle", bundle.path(), again}).ok());
}

TEST_F(RuntimeSpec, OtherStatesAreNew) {
  CLAUSE("runtime-24");
  Bundle bundle = sleeper();
  const std::string id = start(bundle);
  ASSERT_TRUE(runtime({"pause", id}).ok());
  const std::string status = runtime.status(id);
  for (const char* taken : {"creating", "created", "running", "stopped"}) {
    EXPECT_NE(status, taken);
  }
  ASSERT_TRUE(runtime({"resume", id}).ok());
}

TEST_F(RuntimeSpec, DescriptorsAndLinks) {
  CLAUSE("runtime-linux-11", "config-linux-180");
  const std::string text = "\n" + output(default_config(), "probe devices /dev") + "\n";
  const std::pair<const char*, const char*> links[] = {{"fd", "/proc/self/fd"},
                                                       {"stdin", "/proc/self/fd/0"},
                                                       {"stdout", "/proc/self/fd/1"},
                                                       {"stderr", "/proc/self/fd/2"}};
  for (const auto& [name, target] : links) {
    const auto at = text.find("\n" + std::string(name) + " l ");
    ASSERT_NE(at, std::string::npos) << name << text;
    EXPECT_NE(text.find(std::string(target) + "\n", at), std::string::npos) << name;
  }
  for (const char* device : {"null c 0666 0:0 1:3", "zero c 0666 0:0 1:5", "full c 0666 0:0 1:7",
                             "random c 0666 0:0 1:8", "urandom c 0666 0:0 1:9", "tty c 0666 0:0 5:0"})
    EXPECT_NE(text.find("\n" + std::string(device)), std::string::npos) << device << text;
  EXPECT_NE(text.find("\nptmx "), std::string::npos);
}

TEST_F(RuntimeSpec, OnlyThreeDescriptors) {
  CLAUSE("runtime-linux-7");
  const std::string text = output(default_config(), "probe fds");
  EXPECT_EQ(support::split(text, '\n').size(), 3U) << text;
}

}  // namespace
}  // namespace spec_tests
