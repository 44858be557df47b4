// SPDX-License-Identifier: Apache-2.0
// The life of a container, from create to delete, and what is not allowed in which state.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "support/fixture.hpp"

namespace support {
namespace {

class Lifecycle : public ContainerTest {
 protected:
  Bundle sleeper() {
    Bundle bundle;
    bundle.args({"/bin/sleep", "1000"});
    return bundle;
  }
};

TEST_F(Lifecycle, GoesFromCreatedThroughRunningToStopped) {
  Bundle bundle;
  bundle.sh("trap 'exit 7' TERM; echo started; while :; do sleep 0.05; done");
  bundle.config["annotations"]["org.example.key"] = "a value";
  bundle.write();
  const std::string id = new_id();
  const Child child = runtime.start({"create", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "created"; }));
  EXPECT_EQ(child.out(), "") << "the program must not run before start";

  const Json state = runtime.state(id);
  EXPECT_EQ(state.get("id").str(), id);
  EXPECT_EQ(state.get("bundle").str(), bundle.path());
  EXPECT_NE(state.get("ociVersion").str(), "");
  EXPECT_EQ(state.get("annotations").get("org.example.key").str(), "a value");
  const auto pid = static_cast<pid_t>(state.get("pid").number());
  EXPECT_TRUE(alive(pid));

  EXPECT_TRUE(runtime({"start", id}).ok());
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_TRUE(eventually([&] { return child.out() == "started\n"; })) << child.out();
  EXPECT_TRUE(runtime({"kill", id, "TERM"}).ok());
  EXPECT_EQ(wait_orphan(pid), 7);
  EXPECT_EQ(runtime.status(id), "stopped");
  EXPECT_TRUE(runtime({"delete", id}).ok());
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Lifecycle, StoppedIsSeenBeforeTheZombieIsReaped) {
  Bundle bundle;
  const std::string id = start(bundle);
  // The harness reaps only when told to, so the init stays a zombie here.
  EXPECT_TRUE(eventually([&] {
    const Outcome outcome = runtime({"state", id});
    return outcome.ok() && Json::parse(outcome.out).get("status").str() == "stopped";
  }));
  EXPECT_TRUE(runtime({"delete", id}).ok());
}

TEST_F(Lifecycle, StateHasThePropertiesThatEnginesRead) {
  SKIP_FOR("crun", "prints the rootfs as it stands in the config");
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  const Json state = runtime.state(id);
  for (const char* key : {"ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner"}) {
    EXPECT_TRUE(state.has(key)) << key;
  }
  EXPECT_EQ(state.get("rootfs").str(), bundle.rootfs());
  // RFC 3339: 2026-01-02T03:04:05.678Z
  const std::string created = state.get("created").str();
  ASSERT_GE(created.size(), 20U);
  EXPECT_EQ(created[4], '-');
  EXPECT_EQ(created[10], 'T');
  EXPECT_EQ(created.back(), 'Z');
}

TEST_F(Lifecycle, StartOnlyWhenCreated) {
  Bundle bundle = sleeper();
  const std::string id = start(bundle);
  const Outcome again = runtime({"start", id});
  EXPECT_NE(again.status, 0);
  if (runtime.is_davit() || runtime.name() == "runc") {
    EXPECT_NE(again.err.find("cannot start an already running container"), std::string::npos) << again.err;
  }
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_TRUE(runtime({"kill", id, "KILL"}).ok());
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  const Outcome dead = runtime({"start", id});
  EXPECT_NE(dead.status, 0);
  if (runtime.is_davit() || runtime.name() == "runc") {
    EXPECT_NE(dead.err.find("cannot start a container that has stopped"), std::string::npos) << dead.err;
  }
  EXPECT_EQ(runtime.status(id), "stopped");
}

TEST_F(Lifecycle, KillNeedsAProcess) {
  Bundle bundle;
  const std::string id = start(bundle);
  EXPECT_TRUE(eventually([&] { return runtime.status(id) == "stopped"; }));
  const Outcome outcome = runtime({"kill", id, "TERM"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(runtime({"kill", id, "0"}).status, 0);
  if (runtime.is_davit() || runtime.name() == "runc") {
    EXPECT_NE(outcome.err.find("container not running"), std::string::npos) << outcome.err;
  }
}

TEST_F(Lifecycle, KillReachesACreatedContainer) {
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  const pid_t pid = runtime.pid(id);
  EXPECT_TRUE(runtime({"kill", id, "0"}).ok()) << "that only asks";
  EXPECT_TRUE(runtime({"kill", id, "KILL"}).ok());
  EXPECT_EQ(wait_orphan(pid), 128 + SIGKILL);
}

TEST_F(Lifecycle, KillKnowsNamesAndNumbers) {
  Bundle bundle;
  bundle.args({"/bin/probe", "signals", "5"});
  bundle.write();
  const std::string id = new_id();
  const Child child = runtime.start({"create", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "created"; }));
  ASSERT_TRUE(runtime({"start", id}).ok());
  ASSERT_TRUE(eventually([&] { return child.out() == "ready\n"; }));
  std::string expected = "ready\n";
  const std::pair<const char*, int> signals[] = {
      {"SIGHUP", 1}, {"USR1", 10}, {"USR2", 12}, {"15", 15}, {"SIGWINCH", 28}};
  for (const auto& [name, number] : signals) {
    const Outcome outcome = runtime({"kill", id, name});
    EXPECT_TRUE(outcome.ok()) << name << outcome.all();
    expected += "signal " + std::to_string(number) + "\n";
    EXPECT_TRUE(eventually([&] { return child.out() == expected; })) << name << ": " << child.out();
  }
}

TEST_F(Lifecycle, KillKnowsRealTimeSignals) {
  SKIP_FOR("runc", "knows no real-time signal names");
  Bundle bundle;
  bundle.args({"/bin/probe", "signals", "2"});
  bundle.write();
  const std::string id = new_id();
  const Child child = runtime.start({"create", "--bundle", bundle.path(), id});
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "created"; }));
  ASSERT_TRUE(runtime({"start", id}).ok());
  ASSERT_TRUE(eventually([&] { return child.out() == "ready\n"; }));
  EXPECT_TRUE(runtime({"kill", id, "SIGRTMIN+3"}).ok());
  EXPECT_TRUE(eventually([&] { return child.out() == "ready\nsignal 37\n"; })) << child.out();
  EXPECT_TRUE(runtime({"kill", id, "37"}).ok());
  EXPECT_TRUE(eventually([&] { return child.out() == "ready\nsignal 37\nsignal 37\n"; })) << child.out();
}

TEST_F(Lifecycle, KillRefusesWhatIsNoSignal) {
  SKIP_FOR("crun", "1.8.1 sends signal 0 for what it does not know");
  Bundle bundle = sleeper();
  const std::string id = start(bundle);
  for (const char* signal : {"NOSUCH", "-1", "999", "", "9x"}) {
    const Outcome outcome = runtime({"kill", id, signal});
    if (runtime.is_davit() || (std::string(signal) == "NOSUCH")) {
      EXPECT_NE(outcome.status, 0) << signal;
    }
  }
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(Lifecycle, KillWithoutSignalIsTerm) {
  Bundle bundle;
  bundle.sh("trap 'exit 9' TERM; while :; do sleep 0.05; done");
  const std::string id = start(bundle);
  const pid_t pid = runtime.pid(id);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(runtime({"kill", id}).ok());
  EXPECT_EQ(wait_orphan(pid), 9);
}

TEST_F(Lifecycle, DeleteOnlyWhenStopped) {
  Bundle bundle = sleeper();
  const std::string id = start(bundle);
  const Outcome outcome = runtime({"delete", id});
  EXPECT_NE(outcome.status, 0);
  if (runtime.is_davit() || runtime.name() == "runc") {
    EXPECT_NE(outcome.err.find("that is not stopped: running"), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_TRUE(runtime({"delete", "--force", id}).ok());
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Lifecycle, DeleteOfCreatedKillsIt) {
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  const pid_t pid = runtime.pid(id);
  EXPECT_TRUE(runtime({"delete", id}).ok());
  EXPECT_TRUE(eventually([&] { return !alive(pid); }));
}

TEST_F(Lifecycle, DeleteForceOfNothingSucceeds) {
  SKIP_FOR("crun", "before 1.9 calls it an error");
  EXPECT_TRUE(runtime({"delete", "--force", "no-such-container"}).ok());
  EXPECT_NE(runtime({"delete", "no-such-container"}).status, 0);
}

TEST_F(Lifecycle, WhatDoesNotExistSaysSo) {
  for (const auto& args : std::vector<std::vector<std::string>>{{"state", "nope"},
                                                                {"start", "nope"},
                                                                {"kill", "nope", "KILL"},
                                                                {"delete", "nope"},
                                                                {"exec", "nope", "true"},
                                                                {"pause", "nope"},
                                                                {"resume", "nope"},
                                                                {"ps", "nope"},
                                                                {"update", "--pids-limit", "5", "nope"}}) {
    const Outcome outcome = runtime(args);
    EXPECT_NE(outcome.status, 0) << args[0];
    EXPECT_EQ(outcome.out, "") << args[0];
    if (!is_runtime(runtime, "crun")) {
      EXPECT_NE(outcome.err.find("container does not exist"), std::string::npos)
          << args[0] << ": " << outcome.err;
    }
    if (runtime.is_davit()) {
      const auto lines = split(trim(outcome.err), '\n');
      EXPECT_EQ(lines.size(), 2U) << outcome.err;
      EXPECT_EQ(lines.back().rfind("hint: `davit list`", 0), 0U) << outcome.err;
    }
  }
}

TEST_F(Lifecycle, AnIdIsTakenOnce) {
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  const Outcome again = runtime({"create", "--bundle", bundle.path(), id});
  EXPECT_NE(again.status, 0);
  if (runtime.is_davit()) {
    EXPECT_NE(again.err.find("container with given ID already exists"), std::string::npos) << again.err;
  }
  EXPECT_EQ(runtime.status(id), "created");
}

TEST_F(Lifecycle, IdsAreNames) {
  SKIP_FOR("crun", "before 1.28 takes almost any name");
  Bundle bundle;
  bundle.write();
  const std::vector<std::string> bad = {"", ".", "..", "../x", "a/b", "a b", "a\nb", "a*", "\xc3\xa4", "a:b"};
  for (const auto& id : bad) {
    if (!runtime.is_davit() && id == ".") continue;
    const Outcome outcome = runtime({"create", "--bundle", bundle.path(), id});
    EXPECT_NE(outcome.status, 0) << "id: " << id;
    if (runtime.is_davit() && !id.empty()) {
      EXPECT_NE(outcome.err.find("invalid container ID format"), std::string::npos)
          << id << ": " << outcome.err;
    }
  }
  if (runtime.is_davit()) {
    EXPECT_NE(runtime({"create", "--bundle", bundle.path(), std::string(300, 'a')}).status, 0);
  }
  const std::string good = new_id() + "_+.-X";
  const Outcome outcome = runtime({"run", "--bundle", bundle.path(), good});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
}

TEST_F(Lifecycle, TwoCommandsAtOnceDoNotBreakEachOther) {
  SKIP_FOR("runc,crun", "take no lock: of two starts at once one can hang");
  Bundle bundle = sleeper();
  bundle.write();
  const std::string id = new_id();
  std::vector<Child> creates;
  for (int i = 0; i < 4; ++i) creates.push_back(runtime.start({"create", "--bundle", bundle.path(), id}));
  int created = 0;
  for (auto& child : creates) created += child.wait().ok() ? 1 : 0;
  EXPECT_EQ(created, 1);
  ASSERT_EQ(runtime.status(id), "created");
  std::vector<Child> starts;
  for (int i = 0; i < 4; ++i) starts.push_back(runtime.start({"start", id}));
  int started = 0;
  for (auto& child : starts) started += child.wait().ok() ? 1 : 0;
  EXPECT_EQ(started, 1);
  EXPECT_EQ(runtime.status(id), "running");
  std::vector<Child> deletes;
  for (int i = 0; i < 4; ++i) deletes.push_back(runtime.start({"delete", "--force", id}));
  int deleted = 0;
  for (auto& child : deletes) deleted += child.wait().ok() ? 1 : 0;
  EXPECT_GE(deleted, 1);
  if (runtime.is_davit()) {
    EXPECT_EQ(deleted, 4);
  }
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Lifecycle, ListShowsWhatThereIs) {
  const Outcome none = runtime({"list", "--format", "json"});
  EXPECT_TRUE(none.ok()) << none.all();
  Bundle bundle = sleeper();
  const std::string first = create(bundle);
  const std::string second = start(bundle);
  const Json list = Json::parse(runtime({"list", "--format", "json"}).out);
  ASSERT_EQ(list.size(), 2U) << list.dump();
  for (const auto& entry : list.items()) {
    EXPECT_EQ(entry.get("bundle").str(), bundle.path());
    EXPECT_EQ(entry.get("status").str(), entry.get("id").str() == first ? "created" : "running");
    EXPECT_TRUE(entry.has("owner"));
  }
  const std::string table = runtime({"list"}).out;
  for (const char* column : {"PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}) {
    EXPECT_NE(table.find(column), std::string::npos) << table;
  }
  EXPECT_NE(table.find(second), std::string::npos) << table;
  auto quiet = split(runtime({"list", "--quiet"}).out, '\n');
  std::sort(quiet.begin(), quiet.end());
  EXPECT_EQ(quiet, (std::vector<std::string>{first, second}));
}

TEST_F(Lifecycle, ListSkipsABrokenEntry) {
  SKIP_FOR("crun,runc", "gives up or stays silent");
  Bundle bundle = sleeper();
  const std::string id = create(bundle);
  make_dirs(runtime.root() + "/broken");
  const Outcome outcome = runtime({"list", "--quiet"});
  EXPECT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(outcome.line(), id);
  remove_tree(runtime.root() + "/broken");
}

TEST_F(Lifecycle, PsListsProcesses) {
  Bundle bundle;
  bundle.sh("sleep 1000 & sleep 1000; true");
  const std::string id = start(bundle);
  const pid_t init = runtime.pid(id);
  Json pids;
  EXPECT_TRUE(eventually([&] {
    const Outcome outcome = runtime({"ps", "--format", "json", id});
    pids = outcome.ok() ? Json::parse(outcome.out) : Json::array();
    return pids.size() == 3;
  })) << pids.dump();
  bool found = false;
  for (const auto& pid : pids.items()) found = found || pid.number() == init;
  EXPECT_TRUE(found) << pids.dump();
  const Outcome table = runtime({"ps", id});
  EXPECT_TRUE(table.ok()) << table.all();
  EXPECT_NE(table.out.find(std::to_string(init)), std::string::npos) << table.out;
}

TEST_F(Lifecycle, PauseAndResume) {
  Bundle bundle;
  bundle.sh("i=0; while :; do i=$((i+1)); echo $i >/tmp/count; sleep 0.01; done");
  const std::string id = start(bundle);
  const std::string count = bundle.rootfs() + "/tmp/count";
  ASSERT_TRUE(eventually([&] { return exists(count); }));
  ASSERT_TRUE(runtime({"pause", id}).ok());
  EXPECT_EQ(runtime.status(id), "paused");
  const std::string before = read_file(count);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(read_file(count), before);
  const Outcome exec_ = runtime({"exec", id, "true"});
  EXPECT_NE(exec_.status, 0);
  ASSERT_TRUE(runtime({"resume", id}).ok());
  EXPECT_EQ(runtime.status(id), "running");
  EXPECT_TRUE(eventually([&] { return read_file(count) != before; }));
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(runtime({"resume", id}).status, 0) << "it is not paused";
  }
}

TEST_F(Lifecycle, APausedContainerCanBeDeletedByForce) {
  Bundle bundle = sleeper();
  const std::string id = start(bundle);
  ASSERT_TRUE(runtime({"pause", id}).ok());
  EXPECT_TRUE(runtime({"delete", "--force", id}).ok());
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Lifecycle, SpecWritesAConfigThatRuns) {
  Bundle bundle;
  const Outcome outcome = runtime({"spec", "--bundle", bundle.path()});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  const std::string file = bundle.path() + "/config.json";
  Json config = Json::parse(read_file(file));
  EXPECT_EQ(config["process"]["terminal"], Json(true));
  config["process"]["terminal"] = false;
  config["process"]["args"] = Json(std::vector<std::string>{"echo", "from spec"});
  bundle.config = config;
  const Outcome ran = run_bundle(bundle);
  EXPECT_EQ(ran.out, "from spec\n") << ran.all();
  EXPECT_NE(runtime({"spec", "--bundle", bundle.path()}).status, 0)
      << "an existing file must not be overwritten";
}

TEST_F(Lifecycle, FeaturesIsTheOciDocument) {
  SKIP_FOR("crun", "before 1.9 has no features");
  const Outcome outcome = run({runtime.path(), "features"}, {.only_env = true});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  const Json features = Json::parse(outcome.out);
  EXPECT_NE(features.get("ociVersionMin").str(), "");
  EXPECT_NE(features.get("ociVersionMax").str(), "");
  EXPECT_TRUE(features.get("hooks").contains("createContainer"));
  EXPECT_TRUE(features.get("mountOptions").contains("rbind"));
  const Json& linux_ = features.get("linux");
  EXPECT_TRUE(linux_.get("namespaces").contains("mount"));
  EXPECT_TRUE(linux_.get("capabilities").contains("CAP_SYS_ADMIN"));
  EXPECT_TRUE(linux_.get("seccomp").get("actions").contains("SCMP_ACT_ERRNO"));
}

TEST_F(Lifecycle, VersionIsWhatEnginesParse) {
  const auto lines = split(run({runtime.path(), "--version"}).out, '\n');
  ASSERT_GE(lines.size(), 2U);
  EXPECT_EQ(lines[0].rfind(runtime.name() + " version ", 0), 0U) << lines[0];
  if (!runtime.is_davit()) return;
  bool commit = false;
  bool spec = false;
  for (const auto& line : lines) {
    commit = commit || line.rfind("commit: ", 0) == 0;
    spec = spec || line.rfind("spec: ", 0) == 0;
  }
  EXPECT_TRUE(commit && spec);
}

TEST_F(Lifecycle, ALongStateDirectoryIsNoObstacle) {
  TempDir place("long");
  const std::string root = place / std::string(120, 'x') + "/" + std::string(120, 'y');
  Runtime far(runtime.path(), root);
  Bundle bundle = sleeper();
  bundle.write();
  const std::string id = new_id();
  const Outcome created = far({"create", "--bundle", bundle.path(), id});
  EXPECT_TRUE(created.ok()) << created.all();
  const Outcome started = far({"start", id});
  EXPECT_TRUE(started.ok()) << started.all();
  EXPECT_TRUE(far({"delete", "--force", id}).ok());
}

}  // namespace
}  // namespace support
