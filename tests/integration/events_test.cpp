// SPDX-License-Identifier: Apache-2.0
// What a container uses, and lack of memory, as events and as a table.
#include <signal.h>

#include "support/fixture.hpp"

namespace support {
namespace {

#define NEEDS_EVENTS() SKIP_FOR("crun", "has no events")

class Events : public ContainerTest {
 protected:
  std::string start_with(const Json& config, const std::vector<std::string>& args) {
    bundle_.config = config;
    bundle_.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
    bundle_.args(args);
    return start(bundle_);
  }

 private:
  Bundle bundle_;
};

TEST_F(Events, ShowStatisticsOnce) {
  NEEDS_EVENTS();
  const std::string id = start_with(default_config(), {"/bin/sleep", "1000"});
  const Outcome outcome = runtime({"events", "--stats", id});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  const Json event = Json::parse(outcome.out);
  EXPECT_EQ(event.get("type").str(), "stats");
  EXPECT_EQ(event.get("id").str(), id);
  const Json& data = event.get("data");
  for (const char* member : {"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb"})
    EXPECT_TRUE(data.get(member).is_object()) << member << " of " << outcome.out;
  if (has_v1("pids") || has_v2("pids")) {
    EXPECT_EQ(data.get("pids").get("current").number(), 1) << outcome.out;
  }
}

TEST_F(Events, FollowAContainerToItsEnd) {
  NEEDS_EVENTS();
  const std::string id = start_with(default_config(), {"/bin/sleep", "1000"});
  Child events = runtime.start({"events", "--interval", "100ms", id});
  ASSERT_TRUE(eventually([&] { return events.out().find("\"stats\"") != std::string::npos; }))
      << events.err();
  ASSERT_TRUE(runtime({"kill", id, "KILL"}).ok());
  const Outcome outcome = events.wait();
  EXPECT_TRUE(outcome.ok()) << outcome.all();
}

TEST_F(Events, TellOfLackOfMemory) {
  NEEDS_EVENTS();
  SKIP_UNLESS(has_v1("memory") || has_v2("memory"), "this host has no memory controller");
  Json config = default_config();
  config["linux"]["resources"]["memory"]["limit"] = 20 << 20;
  const std::string id = start_with(
      config,
      {"/bin/sh", "-c", "while ! [ -e /tmp/go ]; do sleep 0.1; done; probe memory 200; exec sleep 1000"});
  Child events = runtime.start({"events", "--interval", "100ms", id});
  // The first report comes when the watch is set.
  ASSERT_TRUE(eventually([&] { return events.out().find("\"stats\"") != std::string::npos; }))
      << events.err();
  ASSERT_TRUE(exec(id, "touch /tmp/go").ok());
  EXPECT_TRUE(eventually(
      [&] { return events.out().find("{\"type\":\"oom\",\"id\":\"" + id + "\"}") != std::string::npos; },
      30000))
      << events.out() << events.err();
  ASSERT_TRUE(runtime({"kill", id, "KILL"}).ok());
  EXPECT_TRUE(events.wait().ok());
}

TEST_F(Events, RefuseWhatIsNotThere) {
  NEEDS_EVENTS();
  const std::string id = start_with(default_config(), {"/bin/true"});
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  const Outcome stopped = runtime({"events", "--stats", id});
  EXPECT_EQ(stopped.status, 1);
  EXPECT_NE(stopped.err.find("not running"), std::string::npos) << stopped.all();
  const Outcome absent = runtime({"events", "--stats", "nobody"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_NE(absent.err.find("does not exist"), std::string::npos) << absent.all();
  const Outcome wrong = runtime({"events", "--interval", "0s", id});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.err.find("interval must be greater than 0"), std::string::npos) << wrong.all();
}

TEST_F(Events, StatsIsATableOrJson) {
  SKIP_FOR("runc crun", "has no stats");
  const std::string id = start_with(default_config(), {"/bin/sleep", "1000"});
  const Outcome table = runtime({"stats", "--interval", "100ms"});
  ASSERT_TRUE(table.ok()) << table.all();
  EXPECT_TRUE(table.out.starts_with("ID ")) << table.out;
  EXPECT_NE(table.out.find("\n" + id + " "), std::string::npos) << table.out;
  const Outcome json = runtime({"stats", "--json", id});
  ASSERT_TRUE(json.ok()) << json.all();
  EXPECT_EQ(Json::parse(json.out).get("id").str(), id);
  const Outcome absent = runtime({"stats", "nobody"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_NE(absent.err.find("nobody: container does not exist"), std::string::npos) << absent.all();
}

}  // namespace
}  // namespace support
