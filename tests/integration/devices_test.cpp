// SPDX-License-Identifier: Apache-2.0
// Devices: the default ones, configured ones, and what the cgroup lets through.
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

class Devices : public ContainerTest {
 protected:
  std::string devices(const Json& config, const std::string& dir = "/dev") {
    return "\n" + output(config, "probe devices " + dir) + "\n";
  }
};

TEST_F(Devices, TheDefaultOnes) {
  const std::string text = devices(default_config());
  for (const char* line : {"null c 0666 0:0 1:3", "zero c 0666 0:0 1:5", "full c 0666 0:0 1:7",
                           "random c 0666 0:0 1:8", "urandom c 0666 0:0 1:9", "tty c 0666 0:0 5:0"})
    EXPECT_NE(text.find("\n" + std::string(line)), std::string::npos) << line << text;
  for (const char* link : {"/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"}) {
    EXPECT_NE(text.find(std::string(link) + "\n"), std::string::npos) << link << text;
  }
  EXPECT_NE(text.find("\nptmx l"), std::string::npos) << text;
  EXPECT_NE(text.find("pts/ptmx\n"), std::string::npos) << text;
}

TEST_F(Devices, ConfiguredOnes) {
  Json config = default_config();
  config["linux"]["devices"] = Json::parse(R"([
      {"path": "/dev/my-null", "type": "c", "major": 1, "minor": 3, "fileMode": 384, "uid": 5, "gid": 6},
      {"path": "/dev/my-loop", "type": "b", "major": 7, "minor": 0, "fileMode": 432},
      {"path": "/dev/my-pipe", "type": "p", "fileMode": 420},
      {"path": "/dev/deep/er/zero", "type": "c", "major": 1, "minor": 5},
      {"path": "/elsewhere", "type": "u", "major": 1, "minor": 7}])");
  const std::string text = devices(config) + devices(config, "/dev/deep/er") + devices(config, "/");
  for (const char* line : {"my-null c 0600 5:6 1:3", "my-loop b 0660 0:0 7:0", "my-pipe p 0644 0:0",
                           "\nzero c ", "elsewhere c "})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST_F(Devices, AFileInTheWayIsAnError) {
  SKIP_FOR("runc,crun", "these versions leave the file as it is");
  Bundle bundle;
  write_file(bundle.rootfs() + "/node", "a file");
  bundle.config["linux"]["devices"] =
      Json::parse(R"([{"path": "/node", "type": "c", "major": 1, "minor": 3}])");
  refused(bundle);
  EXPECT_EQ(read_file(bundle.rootfs() + "/node"), "a file");
}

TEST_F(Devices, AFileOfTheImageIsNoDefaultDevice) {
  SKIP_FOR("runc,crun", "these versions leave the file as it is");
  const std::string before = fingerprint("/dev/null");
  Bundle bundle(minimal_config());
  make_dirs(bundle.rootfs() + "/dev");
  write_file(bundle.rootfs() + "/dev/null", "a file");
  bundle.sh(
      "echo x >/dev/null; stat -c %t:%T /dev/null; chmod 0 /dev/null || chown 5 /dev/null || echo safe");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "1:3\nsafe\n") << outcome.all();
  EXPECT_EQ(read_file(bundle.rootfs() + "/dev/null"), "a file");
  EXPECT_EQ(fingerprint("/dev/null"), before);
  bundle.config["mounts"] = Json::array();
  remove_namespace(bundle.config, "mount");
  const std::string error = refused(bundle);
  EXPECT_NE(error.find("/dev/null"), std::string::npos) << "nothing of the host is covered: " << error;
}

TEST_F(Devices, UserNamespacesGetTheHostsNodes) {
  Json config = default_config();
  add_user_namespace(config);
  EXPECT_EQ(
      output(config, "echo x >/dev/null; head -c 4 /dev/zero | wc -c; stat -c %t:%T /dev/null /dev/urandom"),
      "4\n1:3\n1:9");
}

// Nobody in there can make one.
TEST_F(Devices, UserNamespacesGetWhatTheHostLacks) {
  SKIP_FOR("runc,crun", "they bind the host's, and fail");
  Json config = default_config();
  add_user_namespace(config);
  config["linux"]["devices"] = Json::parse(R"([
      {"path": "/dev/nothing", "type": "c", "major": 1, "minor": 3, "fileMode": 432, "uid": 7, "gid": 8},
      {"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 5}])");
  EXPECT_EQ(output(config,
                   "stat -c '%t:%T %a %u:%g' /dev/nothing /dev/kmsg; echo x >/dev/nothing && echo written; "
                   "head -c 4 /dev/kmsg | wc -c; chmod 0 /dev/kmsg 2>/dev/null || echo sealed; "
                   "grep ' /dev/nothing ' /proc/self/mountinfo | cut -d' ' -f6 | cut -d, -f1-3"),
            "1:3 660 7:8\n1:5 666 0:0\nwritten\n4\nsealed\nro,nosuid,noexec");
  EXPECT_FALSE(exists("/dev/nothing"));
}

TEST_F(Devices, TheCgroupLetsThroughWhatIsAllowed) {
  Json config = minimal_config();
  config["mounts"].push(mount_entry("/dev", "tmpfs", "tmpfs", {"mode=755"}));
  config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  config["linux"]["resources"]["devices"] = Json::parse(R"([{"allow": false, "access": "rwm"}])");
  const std::string script =
      "probe call mknod-null; probe call mknod-kmsg; probe call open-kmsg; "
      "head -c 1 /dev/urandom | wc -c; echo x >/dev/null && echo written";
  const std::string text = output(config, script);
  EXPECT_NE(text.find("open-kmsg EPERM"), std::string::npos) << text;
  EXPECT_NE(text.find("written"), std::string::npos) << "the default devices stay usable: " << text;
  config["linux"]["resources"]["devices"].push(
      Json::parse(R"({"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"})"));
  EXPECT_NE(output(config, script).find("open-kmsg ok"), std::string::npos);
  config["linux"]["resources"]["devices"].push(
      Json::parse(R"({"allow": false, "type": "c", "major": 1, "minor": 11, "access": "r"})"));
  if (!is_runtime(runtime, "crun")) {
    EXPECT_NE(output(config, script).find("open-kmsg EPERM"), std::string::npos) << "later rules win";
  }
}

TEST_F(Devices, TheSameOnCgroupV2) {
  if (const auto why = missing(View::v2); !why.empty()) GTEST_SKIP() << why;
  SKIP_FOR("crun", "1.8.1 needs a higher RLIMIT_MEMLOCK for its program than this machine may give");
  runtime.view = View::v2;
  Json config = minimal_config();
  config["mounts"].push(mount_entry("/dev", "tmpfs", "tmpfs", {"mode=755"}));
  config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  config["linux"]["resources"]["devices"] = Json::parse(R"([{"allow": false, "access": "rwm"}])");
  const std::string script = "probe call mknod-kmsg; probe call open-kmsg; echo x >/dev/null && echo written";
  const std::string text = output(config, script);
  EXPECT_NE(text.find("open-kmsg EPERM"), std::string::npos) << text;
  EXPECT_NE(text.find("written"), std::string::npos) << text;
  config["linux"]["resources"]["devices"].push(
      Json::parse(R"({"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"})"));
  EXPECT_NE(output(config, script).find("open-kmsg ok"), std::string::npos);
}

TEST_F(Devices, TheHostsNullIsNotGivenAway) {
  SKIP_FOR("crun", "1.8.1 does just that");
  struct stat before {};
  ASSERT_EQ(stat("/dev/null", &before), 0);
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  Bundle bundle;
  bundle.config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000})");
  run_bundle(bundle, {}, {.fds = {{null.get(), 0}, {null.get(), 1}}});
  struct stat after {};
  ASSERT_EQ(stat("/dev/null", &after), 0);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_mode, before.st_mode);
}

/// An empty ext4 filesystem on a loop device, which goes with it.
class LoopDevice {
 public:
  explicit LoopDevice(const std::string& image) {
    if (!run({"mkfs.ext4", "-q", image, "1M"}).ok()) return;
    const Fd control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const Fd file(open(image.c_str(), O_RDWR | O_CLOEXEC));
    const int number = control.valid() ? ioctl(control.get(), LOOP_CTL_GET_FREE) : -1;
    if (number < 0) return;
    const std::string path = "/dev/loop" + std::to_string(number);
    device_ = Fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
    loop_config config{};
    config.fd = static_cast<__u32>(file.get());
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (ioctl(device_.get(), LOOP_CONFIGURE, &config) == 0) path_ = path;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Fd device_;
  std::string path_;
};

// The rules are those of the container, for which the runtime mounts it.
TEST_F(Devices, AFilesystemOfADeviceThatIsOutOfReachIsMounted) {
  SKIP_FOR("crun", "its rules are in force before it mounts");
  TempDir directory;
  const LoopDevice loop(directory / "image");
  SKIP_UNLESS(!loop.path().empty(), "no loop device can be had, or no mkfs.ext4");
  for (const View view : {View::host, View::v1, View::v2}) {
    if (!missing(view).empty()) continue;
    runtime.view = view;
    Json config = default_config();
    config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
    config["linux"]["resources"]["devices"] = Json::parse(R"([{"allow": false, "access": "rwm"}])");
    // So many before it that whoever does not wait for them is done.
    for (int i = 0; i < 100; ++i)
      config["mounts"].push(mount_entry("/many/" + std::to_string(i), "tmpfs", "tmpfs", {}));
    config["mounts"].push(mount_entry("/volume", "ext4", loop.path(), {}));
    EXPECT_EQ(output(config, "test -d /volume/lost+found && echo mounted"), "mounted");
  }
}

TEST_F(Devices, DevOfTheHostIsLeftAlone) {
  TempDir dev;
  write_file(dev / "null", "");
  const std::string before = fingerprint("/dev/null") + fingerprint("/dev/ptmx");
  Json config = default_config();
  *find_mount(config, "/dev") = mount_entry("/dev", "bind", "/dev", {"rbind", "ro"});
  for (const char* destination : {"/dev/pts", "/dev/shm", "/dev/mqueue"}) {
    auto& mounts = config["mounts"].items();
    for (auto at = mounts.begin(); at != mounts.end(); ++at)
      if (at->get("destination").str() == destination) {
        mounts.erase(at);
        break;
      }
  }
  output(config, "test -c /dev/null");
  EXPECT_EQ(fingerprint("/dev/null") + fingerprint("/dev/ptmx"), before);
}

}  // namespace
}  // namespace support
