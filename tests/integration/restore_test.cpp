// SPDX-License-Identifier: Apache-2.0
// restore with a CRIU that is only played: what davit tells it, and what it makes around the container.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "integration/criu.hpp"

namespace support {
namespace {

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

/// CVE-2016-9962: what is in an image may trace, and so may who comes to others with CAP_SYS_PTRACE.
TEST_F(Criu, WhatIsRestoredMayTraceWhoComes) {
  make_images();
  const std::string other = start(sleeper());
  Bundle guest;
  bundle_.config["linux"]["cgroupsPath"] = cgroup_path("r" + other);
  for (Json& entry : bundle_.config["linux"]["namespaces"].items())
    if (entry["type"] == "pid") entry["path"] = "/proc/" + std::to_string(runtime.pid(other)) + "/ns/pid";
  for (const char* set : {"bounding", "effective", "permitted"})
    bundle_.config["process"]["capabilities"][set].push("CAP_SYS_PTRACE");
  const std::string id = new_id();
  const Outcome outcome = restore(id, {"--detach"}, play());
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  for (const std::string& marked : {id, other})
    EXPECT_TRUE(exists(state_dir_.path() + "/" + marked + "/tracers")) << marked;
  destroy(id);
  destroy(other);
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
