// SPDX-License-Identifier: Apache-2.0
// checkpoint and restore with a CRIU that is only played (support/fake_criu): what davit tells it, and what
// becomes of the container when it does not do as it should. The real one is in vm/.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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
  EXPECT_TRUE(says(log(), "inherit pipe:[1] open 1\ninherit pipe:[2] open 2")) << log();
  EXPECT_TRUE(says(log(), "prestart " + pid + "\ncreateRuntime " + pid +
                              "\nnotify setup-namespaces ok\n"
                              "notify post-restore ok\npoststart " +
                              pid))
      << log();
  destroy(id);
  EXPECT_TRUE(says(log(), "poststop 0")) << log();
}

TEST_F(Criu, PreservedDescriptorsAreHandedOn) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]), writing(ends[1]);
  const auto with_pipe = [&](Options options) {
    options.fds = {{writing.get(), 3}};
    return options;
  };
  const std::string id = start(sleeper(), {"--preserve-fds", "1"}, with_pipe({}));
  const std::string name = read_link("/proc/self/fd/" + std::to_string(writing.get()));
  ASSERT_TRUE(checkpoint(id, {}, play()).ok());
  EXPECT_TRUE(says(read_file(images() + "/descriptors.json"), "\"" + name + "\"]"));
  const std::string restored = "r" + id;
  const Outcome outcome = restore(restored, {"-d", "--preserve-fds", "1"}, with_pipe(play()));
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_TRUE(says(log(), "inherit " + name + " open 3\n")) << log();
  destroy(restored);
  EXPECT_TRUE(says(restore(restored, {"-d", "--preserve-fds", "2"}, with_pipe(play())).err, "preserved-fd"));
  make_images(R"(["/dev/null","pipe:[1]","pipe:[2]"])");
  EXPECT_TRUE(says(restore(restored, {"-d", "--preserve-fds", "1"}, with_pipe(play())).err,
                   "was given 0 such descriptors"));
  make_images(R"(["","","","/some/file"])");
  EXPECT_TRUE(says(restore(restored, {"-d", "--preserve-fds", "1"}, with_pipe(play())).err,
                   "descriptor 3 of the checkpoint was /some/file"));
  EXPECT_TRUE(runtime.state(restored).is_null());
}

TEST_F(Criu, NetworkDevicesMoveAgain) {
  const std::string device = "dvt" + std::to_string(::getpid() % 100000) + "r";
  SKIP_UNLESS(run({"ip", "link", "add", device, "type", "veth", "peer", "name", device + "p"}).ok(),
              "no veth pair can be made here");
  make_images();
  bundle_.config["linux"]["netDevices"][device] = Json::object({{"name", "inside0"}});
  add_hook(sleeper(), "createRuntime", "false");
  const std::string id = new_id();
  const Outcome failed = restore(id, {"-d"}, play());
  EXPECT_FALSE(failed.ok());
  EXPECT_TRUE(exists("/sys/class/net/" + device)) << failed.all();
  bundle_.config["hooks"] = Json::object();
  const Outcome outcome = restore(id, {"-d"}, play());
  EXPECT_FALSE(exists("/sys/class/net/" + device)) << outcome.all();
  const std::string pid = outcome.ok() ? std::to_string(runtime.pid(id)) : "self";
  EXPECT_TRUE(says(read_file("/proc/" + pid + "/net/dev"), "inside0:")) << outcome.all();
  EXPECT_TRUE(run({"ip", "link", "delete", device + "p"}).ok());
  destroy(id);
}

TEST_F(Criu, APidfdIsHandedOver) {
  make_images();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", (place / "pidfd").c_str());
  const Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  const std::string id = new_id();
  sleeper();
  const Outcome outcome = restore(id, {"-d", "--pidfd-socket", place / "pidfd"}, play());
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  const Fd connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  char name[16] = {};
  EXPECT_EQ(recv(connection.get(), name, sizeof name - 1, 0), 5);
  EXPECT_STREQ(name, "pidfd");
  destroy(id);
  const Outcome failed = restore(id, {"-d", "--pidfd-socket", "/no/such/place"}, play());
  EXPECT_FALSE(failed.ok());
  EXPECT_TRUE(runtime.state(id).is_null()) << failed.all();
}

TEST_F(Criu, IntelRdtIsRefusedWhereThereIsNone) {
  SKIP_UNLESS(!exists("/sys/fs/resctrl/schemata"), "this machine has it");
  make_images();
  sleeper().config["linux"]["intelRdt"]["closID"] = "/";
  const Outcome outcome = restore(new_id(), {"-d"}, play());
  EXPECT_TRUE(says(outcome.err, "no resctrl filesystem is mounted")) << outcome.all();
  EXPECT_FALSE(says(log(), "request 2")) << log();
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

TEST_F(Criu, ALogOfAnEarlierTryIsNeitherQuotedNorFollowed) {
  make_images();
  sleeper();
  const std::string stale = "(00.1) Error (criu/old.c:1): of another day\n";
  write_file(images() + "/restore.log", stale);
  const Outcome dead = restore(new_id(), {"--detach"}, play("death"));
  EXPECT_EQ(dead.status, 1);
  EXPECT_FALSE(says(dead.err, "of another day")) << dead.all();
  write_file(place / "secret", stale);
  ASSERT_EQ(::symlink((place / "secret").c_str(), (images() + "/restore.log").c_str()), 0);
  const Outcome failed = restore(new_id(), {"--detach"}, play("failure"));
  EXPECT_TRUE(says(failed.err, "it is only played")) << failed.all();
  EXPECT_EQ(read_file(place / "secret"), stale);
}

TEST_F(Criu, AnImageMayBeAnything) {
  sleeper();
  const std::string id = new_id();
  EXPECT_TRUE(says(restore(id, {"-d"}, play()).err, "--image-path"));
  ::mkdir(images().c_str(), 0700);
  EXPECT_TRUE(says(restore(id, {"-d"}, play()).err, "holds no checkpoint"));
  for (const char* text : {"", "{}", "[7]", R"(["a","b","c",["d"]])"}) {
    make_images(text);
    const Outcome outcome = restore(id, {"-d"}, play());
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(says(outcome.err, "descriptors.json")) << outcome.all();
  }
  make_images();
  for (const char* text : {"", "[]", R"({"/a":7})", R"({"a":"/b"})", R"({"/a":"b"})"}) {
    write_file(images() + "/mounts.json", text);
    EXPECT_TRUE(says(restore(id, {"-d"}, play()).err, "mounts.json")) << text;
  }
  ::unlink((images() + "/mounts.json").c_str());
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

TEST_F(Criu, NoSymlinkLeadsToAMountOfTheImage) {
  make_images();
  ::mkdir((place / "volume").c_str(), 0755);
  ASSERT_EQ(::symlink("/", (place / "volume/inner").c_str()), 0);
  write_file(images() + "/mounts.json", R"({"/volume/inner":"/elsewhere"})");
  bundle_.config["mounts"].push(mount_entry("/volume", "bind", place / "volume", {"rbind"}));
  sleeper();
  const Outcome outcome = restore(new_id(), {"--detach"}, play());
  EXPECT_TRUE(says(outcome.err, "a symlink leads to")) << outcome.all();
  EXPECT_FALSE(says(log(), "mount /volume/inner")) << log();
}

TEST_F(Criu, SourcesInTheRootfsAreFollowedInTheRootfs) {
  make_images();
  ::mkdir((place / "host").c_str(), 0755);
  ::mkdir((bundle_.rootfs() + "/real").c_str(), 0755);
  ASSERT_EQ(::symlink("/real", (bundle_.rootfs() + "/inside").c_str()), 0);
  ASSERT_EQ(::symlink((place / "host").c_str(), (bundle_.rootfs() + "/outside").c_str()), 0);
  bundle_.config["mounts"].push(mount_entry("/volume", "bind", "rootfs/inside", {"rbind"}));
  bundle_.config["mounts"].push(mount_entry("/volume/inner", "tmpfs", "tmpfs"));
  sleeper();
  const std::string id = new_id();
  ASSERT_TRUE(restore(id, {"--detach"}, play()).ok());
  EXPECT_TRUE(says(log(), "mount /volume " + bundle_.rootfs() + "/real\n")) << log();
  EXPECT_TRUE(exists(bundle_.rootfs() + "/real/inner"));
  bundle_.config["mounts"].push(mount_entry("/hostile", "bind", "rootfs/outside", {"rbind"}));
  bundle_.config["mounts"].push(mount_entry("/hostile/inner", "tmpfs", "tmpfs"));
  const Outcome outcome = restore(new_id(), {"--detach"}, play());
  EXPECT_FALSE(outcome.ok());
  EXPECT_FALSE(exists(place / "host/inner")) << "a link of the container led outside";
  EXPECT_FALSE(says(log(), "mount /hostile")) << log();
}

}  // namespace
}  // namespace support
