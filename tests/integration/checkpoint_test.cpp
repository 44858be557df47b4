// SPDX-License-Identifier: Apache-2.0
// checkpoint and restore with a CRIU that is only played (support/fake_criu): what davit tells it, and what
// becomes of the container when it does not do as it should. The real one is in vm/.
#include <signal.h>
#include <sys/stat.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class Criu : public ContainerTest {
 protected:
  void SetUp() override {
    SKIP_UNLESS(runtime.is_davit(), "it is davit's conversation with CRIU that is played");
  }
  Options play(const std::string& mode = "success") {
    Options options;
    options.env = {"PATH=" DAVIT_FAKE_CRIU ":/usr/bin:/bin", "FAKE_CRIU=" + mode,
                   "FAKE_CRIU_LOG=" + (place / "log")};
    return options;
  }
  std::string log() { return read_file(place / "log"); }
  std::string images() { return place / "images"; }
  /// A hook that notes the word and the pid of the state.
  void add_hook(Bundle& bundle, const std::string& kind, const std::string& script = "true") {
    const std::string pid = "$(sed -n 's/.*\"pid\":\\([0-9]*\\).*/\\1/p')";
    const std::string note = "echo " + kind + " " + pid + " >>" + (place / "log") + "; " + script;
    bundle.config["hooks"][kind].push(
        Json::object({{"path", "/bin/sh"}, {"args", Json(std::vector<std::string>{"sh", "-c", note})}}));
  }
  Bundle& sleeper() {
    bundle_.args({"/bin/sleep", "1000"});
    return bundle_;
  }
  Outcome checkpoint(const std::string& id, std::vector<std::string> flags, const Options& options) {
    std::vector<std::string> argv = {"checkpoint", "--image-path", images()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.push_back(id);
    return runtime(argv, options);
  }
  Outcome restore(const std::string& id, std::vector<std::string> flags, const Options& options) {
    bundle_.write();
    std::vector<std::string> argv = {"restore", "--image-path", images(), "--bundle", bundle_.path()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.push_back(id);
    return runtime(argv, options);
  }
  void make_images(std::string_view descriptors = R"(["/dev/null","pipe:[1]","pipe:[2]"])") {
    ::mkdir(images().c_str(), 0700);
    write_file(images() + "/descriptors.json", descriptors);
  }
  void expect_running(const std::string& id) { EXPECT_EQ(runtime.status(id), "running"); }
  static bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  TempDir place;
  Bundle bundle_;
};

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

TEST_F(Criu, AFailedCheckpointLeavesItRunning) {
  const std::string id = start(sleeper());
  for (const auto& [mode, words] : std::vector<std::pair<std::string, std::string>>{
           {"failure", "criu cannot checkpoint it: it is only played"},
           {"death", "ended without an answer"},
           {"nonsense", "not its protocol"}}) {
    const Outcome outcome = checkpoint(id, {}, play(mode));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(says(outcome.err, words) && says(outcome.err, "the container still runs")) << outcome.all();
    EXPECT_FALSE(exists(images() + "/descriptors.json")) << mode;
    expect_running(id);
  }
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

TEST_F(Criu, ARestoredContainerIsOneLikeOthers) {
  make_images();
  for (const char* kind : {"prestart", "createRuntime", "poststart", "poststop"}) add_hook(sleeper(), kind);
  const std::string id = new_id();
  bundle_.config["linux"]["cgroupsPath"] = cgroup_path(id);
  const Outcome outcome = restore(id, {"--detach", "--pid-file", place / "pid"}, play());
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  expect_running(id);
  const std::string pid = std::to_string(runtime.pid(id));
  EXPECT_EQ(read_file(place / "pid"), pid);
  EXPECT_TRUE(says(read_file("/proc/" + pid + "/cgroup"), cgroup_path(id)));
  EXPECT_TRUE(says(log(), "sibling 1")) << log();
  EXPECT_TRUE(says(log(), "inherit pipe:[1] open\ninherit pipe:[2] open")) << log();
  EXPECT_TRUE(says(log(), "prestart " + pid + "\ncreateRuntime " + pid +
                              "\nnotify setup-namespaces ok\n"
                              "notify post-restore ok\npoststart " +
                              pid))
      << log();
  destroy(id);
  EXPECT_TRUE(says(log(), "poststop 0")) << log();
}

TEST_F(Criu, InTheForegroundItIsServedToItsEnd) {
  make_images();
  sleeper();
  const std::string id = new_id();
  bundle_.write();
  Child child = runtime.start({"restore", "--image-path", images(), "--bundle", bundle_.path(), id}, play());
  ASSERT_TRUE(eventually([&] { return runtime.status(id) == "running"; })) << child.err();
  ::kill(runtime.pid(id), SIGKILL);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.status, 128 + SIGKILL) << outcome.all();
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Criu, AFailedRestoreLeavesNothing) {
  make_images();
  const HostSnapshot before = HostSnapshot::take(state_dir_.path());
  sleeper();
  const std::string id = new_id();
  bundle_.config["linux"]["cgroupsPath"] = cgroup_path(id);
  for (const auto& [mode, words] : std::vector<std::pair<std::string, std::string>>{
           {"failure", "criu cannot restore it: it is only played"},
           {"death", "ended without an answer"},
           {"nonsense", "not its protocol"}}) {
    const Outcome outcome = restore(id, {"--detach"}, play(mode));
    EXPECT_TRUE(says(outcome.err, words)) << outcome.all();
    expect_nothing_of(outcome, id, before);
  }
  const Json plain = bundle_.config;
  for (const char* kind : {"createRuntime", "poststart"}) {
    bundle_.config = plain;
    add_hook(bundle_, kind, "exit 3");
    const Outcome outcome = restore(id, {"--detach"}, play());
    EXPECT_TRUE(says(outcome.err, "error running " + std::string(kind) + " hook #0")) << outcome.all();
    expect_nothing_of(outcome, id, before);
  }
}

TEST_F(Criu, AnImageMayBeAnything) {
  sleeper();
  const std::string id = new_id();
  EXPECT_TRUE(says(restore(id, {"-d"}, play()).err, "--image-path"));
  ::mkdir(images().c_str(), 0700);
  EXPECT_TRUE(says(restore(id, {"-d"}, play()).err, "holds no checkpoint"));
  for (const char* text : {"", "{}", "[7]", R"(["a","b","c","d"])"}) {
    make_images(text);
    const Outcome outcome = restore(id, {"-d"}, play());
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(says(outcome.err, "descriptors.json")) << outcome.all();
  }
  ::unlink((images() + "/descriptors.json").c_str());
  ASSERT_EQ(::mkfifo((images() + "/descriptors.json").c_str(), 0600), 0);
  EXPECT_EQ(restore(id, {"-d"}, play()).status, 1);
  EXPECT_TRUE(runtime.state(id).is_null());
}

TEST_F(Criu, MountPointsAreMadeBelowTheRootfs) {
  make_images();
  ::mkdir((place / "volume").c_str(), 0755);
  write_file(place / "file", "");
  write_file(place / "outside", "");
  ASSERT_EQ(::symlink(place.path().c_str(), (bundle_.rootfs() + "/link").c_str()), 0);
  bundle_.config["mounts"].push(mount_entry("/new/volume", "bind", place / "volume", {"bind"}));
  bundle_.config["mounts"].push(mount_entry("/new/volume/inner", "bind", place / "file", {"bind"}));
  bundle_.config["mounts"].push(mount_entry("/dev/below/tmpfs", "bind", place / "volume", {"bind"}));
  bundle_.config["mounts"].push(mount_entry("/link/hostile", "bind", place / "volume", {"bind"}));
  sleeper();
  const std::string id = new_id();
  const Outcome outcome = restore(id, {"--detach"}, play());
  EXPECT_TRUE(exists(bundle_.rootfs() + "/new/volume")) << outcome.all();
  EXPECT_TRUE(exists(place / "volume/inner"));
  EXPECT_FALSE(exists(bundle_.rootfs() + "/dev/below"));
  EXPECT_FALSE(exists(place / "hostile")) << "a link of the image led outside";
}

}  // namespace
}  // namespace support
