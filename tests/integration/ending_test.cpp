// SPDX-License-Identifier: Apache-2.0
// How containers ended, and who is told.
#include "support/fixture.hpp"

namespace support {
namespace {

class Endings : public ContainerTest {
 protected:
  void SetUp() override { SKIP_UNLESS(runtime.is_davit(), "other runtimes forget it"); }
};

TEST_F(Endings, AKeptRunHasItsExitStatus) {
  Bundle bundle;
  bundle.sh("exit 7");
  bundle.write();
  const std::string id = new_id();
  EXPECT_EQ(runtime({"run", "--keep", "--bundle", bundle.path(), id}).status, 7);
  const Json state = runtime.state(id);
  EXPECT_EQ(state.get("status").str(), "stopped");
  EXPECT_EQ(state.get("exitCode").number(), 7);
  EXPECT_NE(state.get("finished").str(), "");
  EXPECT_EQ(state.get("oomKilled").dump(), "false");
  EXPECT_EQ(runtime({"wait", id}).out, "7\n");
  EXPECT_NE(runtime({"list", "--long"}).out.find("   7   "), std::string::npos)
      << runtime({"list", "--long"}).out;
  EXPECT_EQ(runtime({"list"}).out.find("EXIT"), std::string::npos)
      << "whoever parses the table gets that of runc";
}

TEST_F(Endings, ASignalIsNamed) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.write();
  const std::string id = new_id();
  Child child = runtime.start({"run", "--keep", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "running"; }));
  EXPECT_TRUE(runtime.state(id).get("exitCode").is_null());
  runtime({"kill", id, "KILL"});
  EXPECT_EQ(child.wait().status, 137);
  const Json state = runtime.state(id);
  EXPECT_EQ(state.get("exitCode").number(), 137);
  EXPECT_EQ(state.get("exitSignal").str(), "SIGKILL");
  EXPECT_NE(state.get("oomKilled").dump(), "true");
}

TEST_F(Endings, WaitWaitsAndIsHonest) {
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  const std::string id = start(bundle);
  Child waiting = runtime.start({"wait", id});
  runtime({"kill", id, "TERM"});
  runtime({"kill", id, "KILL"});
  const Outcome waited = waiting.wait();
  EXPECT_EQ(waited.out, "137\n") << waited.all();
  reap_orphans();  // we are its parent
  const Outcome late = runtime({"wait", id});
  EXPECT_EQ(late.status, 1);
  EXPECT_EQ(late.out, "");
  EXPECT_NE(late.err.find("not known"), std::string::npos) << late.err;
  EXPECT_TRUE(runtime.state(id).get("exitCode").is_null()) << "never a guess";
  EXPECT_NE(runtime({"list", "--long"}).out.find("unknown"), std::string::npos);
}

TEST_F(Endings, AStartThatFailedIsRemembered) {
  Bundle bundle;
  write_file(bundle.rootfs() + "/bin/script", "#!/no/such/interpreter\n", 0755);
  bundle.args({"/bin/script"});
  const std::string id = create(bundle);
  EXPECT_EQ(runtime({"start", id}).status, 1);
  const Json state = runtime.state(id);
  EXPECT_EQ(state.get("status").str(), "stopped");
  EXPECT_EQ(state.get("failedStep").str(), "execute") << state.dump();
  EXPECT_NE(state.get("error").str().find("/no/such/interpreter"), std::string::npos) << state.dump();
}

TEST_F(Endings, TheOomKillerIsNamedWithTheLimit) {
  SKIP_UNLESS(has_v1("memory") || has_v2("memory"), "no memory controller here");
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  bundle.config["linux"]["resources"] = Json::parse(R"({"memory": {"limit": 16777216, "swap": 16777216}})");
  bundle.args({"/bin/tail", "/dev/zero"});
  bundle.write();
  const std::string id = new_id();
  const Outcome outcome = runtime({"run", "--keep", "--bundle", bundle.path(), id});
  EXPECT_EQ(outcome.status, 137) << outcome.all();
  EXPECT_NE(outcome.err.find("the OOM killer ended it: it had reached mem"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("16777216"), std::string::npos) << outcome.err;
  EXPECT_EQ(runtime.state(id).get("oomKilled").dump(), "true");
}

}  // namespace
}  // namespace support
