// SPDX-License-Identifier: Apache-2.0
// checkpoint with a CRIU that is only played: what davit tells it, and what becomes of the container when it
// does not do as it should. The real one is in vm/.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "integration/criu.hpp"

namespace support {
namespace {

TEST_F(Criu, ACheckpointEndsInDelete) {
  add_hook(sleeper(), "poststop");
  const std::string id = start(bundle_);
  const Outcome outcome = checkpoint(id, {}, play());
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_TRUE(runtime.state(id).is_null());
  EXPECT_TRUE(exists(images() + "/descriptors.json"));
  EXPECT_TRUE(says(log(), "request 10\nrequest 1\nroot " + bundle_.rootfs())) << log();
  EXPECT_TRUE(says(log(), "notify post-dump ok\npoststop 0")) << log();
}

TEST_F(Criu, ItMayBeLeftRunning) {
  const std::string id = start(sleeper());
  ASSERT_TRUE(checkpoint(id, {"--leave-running", "--parent-path", "../before"}, play()).ok());
  EXPECT_TRUE(says(log(), "parent ../before leave-running 1")) << log();
  expect_running(id);
  ASSERT_TRUE(checkpoint(id, {"--pre-dump"}, play()).ok());
  EXPECT_TRUE(says(log(), "request 9\nrequest 4\n")) << log();
  expect_running(id);
}

TEST_F(Criu, BindsAndMaskedFilesAreExternal) {
  bundle_.config["mounts"].push(mount_entry("/volume", "bind", place.path(), {"rbind"}));
  bundle_.config["linux"]["maskedPaths"] = Json(std::vector<std::string>{"/proc/uptime", "/proc/none"});
  const std::string id = start(sleeper());
  ASSERT_TRUE(checkpoint(id, {}, play()).ok());
  EXPECT_TRUE(says(log(), "mount /volume /volume\n")) << log();
  EXPECT_TRUE(says(log(), "mount /proc/uptime /dev/null\n")) << log();
  EXPECT_FALSE(says(log(), "mount /proc/none")) << log();
}

TEST_F(Criu, SoAreMountsThatNoConfigTellsOf) {
  const std::string source = place / "source";
  ::mkdir(source.c_str(), 0755);
  ASSERT_EQ(::mount("dvt", source.c_str(), "tmpfs", 0, nullptr), 0);
  ::mkdir((source + "/below").c_str(), 0755);
  ASSERT_EQ(::mount("dvt", (source + "/below").c_str(), "tmpfs", 0, nullptr), 0);
  bundle_.config["mounts"].push(mount_entry("/volume", "bind", source, {"rbind"}));
  const std::string id = start(sleeper());
  write_file(place / "mounts", R"({"mounts":[{"destination":"/added","source":")" + source +
                                   R"(/below","options":["bind"]},{"destination":"/own","type":"tmpfs"}]})");
  const Outcome added = runtime({"mounts", "add", id, place / "mounts"});
  const Outcome outcome = checkpoint(id, {"--leave-running"}, play());
  const std::string told = log();
  write_file(place / "log", "");
  bundle_.config["mounts"] = default_config()["mounts"];
  bundle_.config["mounts"].push(mount_entry("/volume", "bind", place / "elsewhere", {"rbind"}));
  ::mkdir((place / "elsewhere").c_str(), 0755);
  const Outcome restored = restore("r" + id, {"--detach"}, play());
  EXPECT_EQ(::umount2(source.c_str(), MNT_DETACH), 0);
  ASSERT_TRUE(added.ok()) << added.all();
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_TRUE(says(told, "mount /volume/below /volume/below\n")) << told;
  EXPECT_TRUE(says(told, "mount /added /added\n")) << told;
  EXPECT_FALSE(says(told, "mount /own")) << told;
  EXPECT_FALSE(says(told, "mount /proc ") || says(told, "mount /sys ")) << told;
  ASSERT_TRUE(restored.ok()) << restored.all();
  EXPECT_TRUE(says(log(), "mount /volume/below " + (place / "elsewhere") + "/below\n")) << log();
  EXPECT_TRUE(says(log(), "mount /added " + source + "/below\n")) << log();
  destroy("r" + id);
}

TEST_F(Criu, StdioIsThatOfTheBeginning) {
  bundle_.sh("exec </dev/null >/dev/null 2>/dev/null; exec sleep 1000");
  const std::string id = new_id();
  bundle_.write();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]), writing(ends[1]);
  Options options;
  options.fds = {{writing.get(), 1}, {writing.get(), 2}};
  Child child = runtime.start({"run", "--bundle", bundle_.path(), id}, options);
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "running"; }));
  const std::string process = "/proc/" + std::to_string(runtime.pid(id)) + "/fd/";
  ASSERT_TRUE(eventually([&] { return read_link(process + "2") == "/dev/null"; }));
  ASSERT_TRUE(checkpoint(id, {"--leave-running"}, play()).ok());
  const Json names = Json::parse(read_file(images() + "/descriptors.json"));
  const std::string pipe = read_link("/proc/self/fd/" + std::to_string(writing.get()));
  for (const std::size_t number : {1U, 2U}) EXPECT_EQ(names.items()[number].str(), pipe);
  ::kill(runtime.pid(id), SIGKILL);
  child.wait();
}

TEST_F(Criu, AFailedCheckpointLeavesItRunning) {
  const std::string id = start(sleeper());
  for (const auto& [mode, words] : std::vector<std::pair<std::string, std::string>>{
           {"failure", "criu cannot checkpoint it: it is only played"},
           {"death", "ended without an answer"},
           {"nonsense", "not its protocol"}}) {
    const Outcome outcome = checkpoint(id, {}, play(mode));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(says(outcome.err, words) && says(outcome.err, "the container still runs")) << outcome.all();
    EXPECT_FALSE(exists(images() + "/descriptors.json") || exists(images() + "/mounts.json")) << mode;
    expect_running(id);
  }
}

TEST_F(Criu, AConfigurationThatAnImageCouldHaveIsRefused) {
  Bundle& bundle = sleeper();
  bundle.config["annotations"]["org.criu.config"] = bundle.rootfs() + "/criu.conf";
  const std::string id = start(bundle);
  const Outcome outcome = checkpoint(id, {}, play());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(says(outcome.err, "org.criu.config") && says(outcome.err, "the container still runs"))
      << outcome.all();
  EXPECT_FALSE(says(log(), "request 1\n")) << "CRIU has not heard of it";
  EXPECT_FALSE(exists(images() + "/mounts.json"));
  expect_running(id);
}

TEST_F(Criu, ASignalEndsTheWait) {
  const std::string id = start(sleeper());
  Child child = runtime.start({"checkpoint", "--image-path", images(), id}, play("silence"));
  ASSERT_TRUE(eventually([&] { return says(log(), "request 1\n"); }));
  child.kill(SIGTERM);
  const Outcome outcome = child.wait();
  EXPECT_NE(outcome.status, 0);
  EXPECT_TRUE(says(outcome.err, "interrupted")) << outcome.all();
  expect_running(id);
}

TEST_F(Criu, WhatHasEndedMeanwhileIsNotTakenForDumped) {
  const std::string id = start(sleeper());
  const Outcome outcome = checkpoint(id, {}, play("late"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(says(outcome.err, "the container has ended: its init has ended while it was being dumped"))
      << outcome.all();
  EXPECT_TRUE(says(log(), "notify pre-dump refused")) << log();
  EXPECT_EQ(runtime.status(id), "stopped");
}

TEST_F(Criu, WhichIsMissingOrTooOld) {
  const std::string id = start(sleeper());
  Options nothing = play();
  nothing.env[0] = "PATH=/nonexistent";
  EXPECT_TRUE(says(checkpoint(id, {}, nothing).err, "no criu in $PATH"));
  Options old = play();
  old.env.emplace_back("FAKE_CRIU_VERSION=2");
  EXPECT_TRUE(says(checkpoint(id, {}, old).err, "criu is too old: version 2"));
  EXPECT_TRUE(says(restore("x" + id, {}, old).err, "--image-path"));
  EXPECT_FALSE(exists(images()));
  expect_running(id);
}

TEST_F(Criu, OnlyWhatRunsIsCheckpointed) {
  const std::string id = create(sleeper());
  const Outcome outcome = checkpoint(id, {}, play());
  EXPECT_TRUE(says(outcome.err, "cannot checkpoint a created container")) << outcome.all();
  EXPECT_TRUE(
      says(runtime({"checkpoint", "--image-path", images(), "none" + id}, play()).err, "does not exist"));
  EXPECT_FALSE(exists(images()));
}

}  // namespace
}  // namespace support
