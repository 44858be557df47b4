// SPDX-License-Identifier: Apache-2.0
// Mounts: every option, every kind of source, every odd destination.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "support/fixture.hpp"

namespace support {
namespace {

class Mounts : public ContainerTest {
 protected:
  /// Runs with one more mount and gives its line.
  std::string mounted(const Json& entry) {
    Json config = default_config();
    config["mounts"].push(entry);
    std::string destination = entry.get("destination").str();
    return line_of(output(config, "cat /proc/self/mountinfo"), destination);
  }
};

struct OptionCase {
  const char* option;
  const char* expected;  ///< in the mount options
  const char* not_expected;
};

TEST_F(Mounts, OptionsOfATmpfs) {
  const OptionCase cases[] = {
      {"ro", "ro", "rw"},
      {"rw", "rw", "ro"},
      {"nosuid", "nosuid", ""},
      {"nodev", "nodev", ""},
      {"noexec", "noexec", ""},
      {"noatime", "noatime", "relatime"},
      {"nodiratime", "nodiratime", ""},
      {"relatime", "relatime", "noatime"},
      {"strictatime", "", "relatime"},
      {"suid", "", "nosuid"},
      {"dev", "", "nodev"},
      {"exec", "", "noexec"},
      {"atime", "", "noatime"},
      {"diratime", "", "nodiratime"},
      {"defaults", "rw", ""},
      {"async", "", "sync"},
      {"sync", "sync", ""},
      {"norelatime", "", "noatime"},
      {"nostrictatime", "relatime", ""},
  };
  for (const auto& one : cases) {
    // 1.1.5 hands the word on to the file system.
    if (is_runtime(runtime, "runc") && std::string(one.option) == "defaults") continue;
    const std::string line = mounted(mount_entry("/mnt", "tmpfs", "tmpfs", {one.option}));
    const auto fields = split(line, ' ');
    ASSERT_GE(fields.size(), 10U) << one.option;
    // "sync" is an option of the file system, the last field; the others belong to the mount.
    const auto has = [&](const std::string& wanted) {
      for (const std::string& field : {fields[5], fields.back()})
        for (const auto& option : split(field, ','))
          if (option == wanted) return true;
      return false;
    };
    if (*one.expected != '\0') {
      EXPECT_TRUE(has(one.expected)) << one.option << ": " << line;
    }
    if (*one.not_expected != '\0' && std::string(one.not_expected) != "rw") {
      EXPECT_FALSE(has(one.not_expected)) << one.option << ": " << line;
    }
  }
}

TEST_F(Mounts, FilesystemSpecificOptionsReachTheFilesystem) {
  const std::string line =
      mounted(mount_entry("/mnt", "tmpfs", "tmpfs", {"size=4096k", "mode=711", "nosuid"}));
  EXPECT_NE(line.find("size=4096k"), std::string::npos) << line;
  EXPECT_NE(line.find("mode=711"), std::string::npos) << line;
  EXPECT_NE(line.find("nosuid"), std::string::npos) << line;
}

TEST_F(Mounts, NosymfollowAndLazytime) {
  SKIP_FOR("runc,crun", "these versions lack the options");
  EXPECT_NE(mounted(mount_entry("/mnt", "tmpfs", "tmpfs", {"nosymfollow"})).find("nosymfollow"),
            std::string::npos);
  for (const char* option : {"lazytime", "nolazytime", "iversion", "noiversion", "silent", "loud", "dirsync",
                             "mand", "nomand", "symfollow"}) {
    Json config = default_config();
    config["mounts"].push(mount_entry("/mnt", "tmpfs", "tmpfs", {option}));
    if (std::string(option) == "mand") continue;  // gone from the kernel
    output(config, "true");
  }
}

TEST_F(Mounts, BindOfADirectory) {
  TempDir source;
  write_file(source / "file", "from outside");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt/dir", "bind", source.path(), {"bind"}));
  EXPECT_EQ(output(config, "cat /mnt/dir/file; echo written >/mnt/dir/new"), "from outside");
  EXPECT_EQ(read_file(source / "new"), "written\n");
  find_mount(config, "/mnt/dir")->operator[]("options") = Json(std::vector<std::string>{"bind", "ro"});
  EXPECT_EQ(output(config, "touch /mnt/dir/x 2>/dev/null || echo refused"), "refused");
}

TEST_F(Mounts, BindOfAFileMakesItsTarget) {
  TempDir source;
  write_file(source / "file", "content");
  Json config = default_config();
  config["mounts"].push(mount_entry("/some/where/file", "bind", source / "file", {"rbind", "ro"}));
  Bundle bundle(config);
  bundle.sh("cat /some/where/file; test -f /some/where/file");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "content") << outcome.all();
  EXPECT_TRUE(exists(bundle.rootfs() + "/some/where/file"));
}

TEST_F(Mounts, ARelativeSourceIsRelativeToTheBundle) {
  Bundle bundle;
  make_dirs(bundle.path() + "/data");
  write_file(bundle.path() + "/data/file", "mine");
  bundle.config["mounts"].push(mount_entry("/mnt", "bind", "data", {"bind"}));
  bundle.sh("cat /mnt/file");
  EXPECT_EQ(run_bundle(bundle).out, "mine");
}

TEST_F(Mounts, ARelativeDestinationIsRelativeToTheRoot) {
  Json config = default_config();
  config["mounts"].push(mount_entry("mnt/relative", "tmpfs", "tmpfs", {"size=1m"}));
  const std::string text = output(config, "cat /proc/self/mountinfo");
  EXPECT_NE(line_of(text, "/mnt/relative"), "") << text;
}

TEST_F(Mounts, BindWithoutTypeIsEnough) {
  TempDir source;
  write_file(source / "file", "content");
  Json config = default_config();
  config["mounts"].push(Json::object({{"destination", "/mnt"},
                                      {"source", source.path()},
                                      {"options", Json(std::vector<std::string>{"bind"})}}));
  EXPECT_EQ(output(config, "cat /mnt/file"), "content");
}

TEST_F(Mounts, RecursiveOrNot) {
  TempDir source;
  make_dirs(source / "below");
  ASSERT_EQ(mount("tmpfs", (source / "below").c_str(), "tmpfs", 0, nullptr), 0);
  write_file(source / "below/file", "inner");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind"}));
  EXPECT_EQ(output(config, "cat /mnt/below/file"), "inner");
  find_mount(config, "/mnt")->operator[]("options") = Json(std::vector<std::string>{"bind"});
  EXPECT_EQ(output(config, "test -e /mnt/below/file || echo none"), "none");
  if (runtime.is_davit() || runtime.name() == "crun") {
    find_mount(config, "/mnt")->operator[]("options") = Json(std::vector<std::string>{"rbind", "rro"});
    EXPECT_EQ(output(config, "touch /mnt/below/x 2>/dev/null || echo refused"), "refused");
    find_mount(config, "/mnt")->operator[]("options") = Json(std::vector<std::string>{"rbind", "ro"});
    EXPECT_EQ(output(config, "touch /mnt/below/x 2>/dev/null && echo written"), "written");
  }
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_F(Mounts, RecursiveAttributes) {
  SKIP_FOR("runc", "1.1.5 shows only some of them");
  TempDir source;
  make_dirs(source / "below");
  ASSERT_EQ(mount("tmpfs", (source / "below").c_str(), "tmpfs", 0, nullptr), 0);
  const std::pair<const char*, const char*> cases[] = {{"rnosuid", "nosuid"},         {"rnodev", "nodev"},
                                                       {"rnoexec", "noexec"},         {"rnoatime", "noatime"},
                                                       {"rnodiratime", "nodiratime"}, {"rro", "ro"}};
  for (const auto& [option, expected] : cases) {
    Json config = default_config();
    config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", option}));
    const std::string line = line_of(output(config, "cat /proc/self/mountinfo"), "/mnt/below");
    const auto fields = split(line, ' ');
    ASSERT_GT(fields.size(), 6U) << option;
    const auto options = split(fields[5], ',');
    EXPECT_NE(std::find(options.begin(), options.end(), expected), options.end()) << option << ": " << line;
  }
  umount2((source / "below").c_str(), MNT_DETACH);
}

TEST_F(Mounts, AMissingSourceIsNamed) {
  SKIP_FOR("runc,crun", "the words are of davit");
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/mnt", "bind", "/no/such/source", {"bind"}));
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("find /no/such/source on the host: No such file or directory"),
            std::string::npos)
      << outcome.all();
  EXPECT_NE(outcome.err.find("/mounts/"), std::string::npos) << outcome.all();
  EXPECT_NE(outcome.err.find("hint: create it, or correct the path"), std::string::npos) << outcome.all();
}

TEST_F(Mounts, TmpcopyupCopies) {
  Bundle bundle;
  make_dirs(bundle.rootfs() + "/data/sub");
  write_file(bundle.rootfs() + "/data/file", "original", 0640);
  write_file(bundle.rootfs() + "/data/sub/deep", "deep");
  make_symlink("file", bundle.rootfs() + "/data/link");
  bundle.config["mounts"].push(mount_entry("/data", "tmpfs", "tmpfs", {"tmpcopyup"}));
  bundle.sh(
      "cat /data/file /data/sub/deep; readlink /data/link; stat -c %a /data/file; echo x >/data/file; "
      "grep ' /data ' /proc/self/mountinfo | grep -c tmpfs");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "originaldeepfile\n640\n1\n") << outcome.all();
  EXPECT_EQ(read_file(bundle.rootfs() + "/data/file"), "original");
}

TEST_F(Mounts, InTheOrderOfTheList) {
  TempDir first;
  TempDir second;
  write_file(first / "file", "first");
  write_file(second / "file", "second");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "bind", first.path(), {"bind"}));
  config["mounts"].push(mount_entry("/mnt", "bind", second.path(), {"bind"}));
  EXPECT_EQ(output(config, "cat /mnt/file"), "second");
}

TEST_F(Mounts, ASourceInTheRootfsIsNoSymlinkToTheKernel) {
  SKIP_FOR("runc,crun", "follow it on the host");
  Bundle bundle;
  make_symlink("/proc/sys", bundle.rootfs() + "/link");
  make_symlink("/etc", bundle.rootfs() + "/harmless");
  bundle.config["mounts"].push(mount_entry("/mnt", "bind", bundle.rootfs() + "/harmless", {"bind", "rw"}));
  bundle.sh("true");
  EXPECT_TRUE(run_bundle(bundle).ok());
  bundle.config["mounts"].push(mount_entry("/mnt", "bind", bundle.rootfs() + "/link", {"bind", "rw"}));
  const Outcome outcome = run_bundle(bundle);
  EXPECT_FALSE(outcome.ok());
  EXPECT_NE(outcome.err.find("a symlink leads to an interface of the kernel"), std::string::npos)
      << outcome.all();
}

TEST_F(Mounts, ASymlinkInTheRootfsStaysInTheRootfs) {
  TempDir canary;
  TempDir source;
  write_file(source / "file", "content");
  Bundle bundle;
  make_symlink(canary.path(), bundle.rootfs() + "/link");
  const std::string before = fingerprint(canary.path());
  bundle.config["mounts"].push(mount_entry("/link/target", "bind", source.path(), {"bind"}));
  bundle.sh("cat /link/target/file");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "content") << outcome.all();
  EXPECT_EQ(fingerprint(canary.path()), before);
}

TEST_F(Mounts, ReadonlyRoot) {
  Json config = default_config();
  config["root"]["readonly"] = true;
  EXPECT_EQ(output(config, "touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo writable"),
            "refused\nwritable");
}

TEST_F(Mounts, MaskedAndReadonlyPaths) {
  Bundle bundle;
  make_dirs(bundle.rootfs() + "/secret/dir");
  write_file(bundle.rootfs() + "/secret/dir/file", "hidden");
  write_file(bundle.rootfs() + "/secret/file", "hidden");
  make_dirs(bundle.rootfs() + "/fixed");
  bundle.config["linux"]["maskedPaths"] =
      Json(std::vector<std::string>{"/secret/dir", "/secret/file", "/does/not/exist", "/proc/kallsyms"});
  bundle.config["linux"]["readonlyPaths"] =
      Json(std::vector<std::string>{"/fixed", "/proc/sys", "/does/not/exist", "/etc/passwd"});
  bundle.sh(
      "ls /secret/dir | wc -l; cat /secret/file | wc -c; touch /fixed/x 2>/dev/null || echo fixed; "
      "echo x 2>/dev/null >/proc/sys/kernel/hostname || echo sys; echo x 2>/dev/null >>/etc/passwd || echo "
      "file; "
      "stat -c %t:%T /proc/kallsyms; touch /secret/dir/x 2>/dev/null || echo dir");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "0\n0\nfixed\nsys\nfile\n1:3\ndir\n") << outcome.all();
}

TEST_F(Mounts, AnUnknownFilesystemIsAnError) {
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "nosuchfs", "none"));
  EXPECT_NE(refused(config).find("/mnt"), std::string::npos);
}

TEST_F(Mounts, AMissingSourceIsAnError) {
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "bind", "/no/such/source", {"bind"}));
  EXPECT_NE(refused(config).find("/no/such/source"), std::string::npos);
}

TEST_F(Mounts, ADirectoryOnAFileIsAnError) {
  TempDir source;
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/etc/passwd", "bind", source.path(), {"bind"}));
  const std::string error = refused(bundle);
  EXPECT_NE(error.find("not a directory") == std::string::npos ? error.find("Not a directory") : 0,
            std::string::npos)
      << error;
}

TEST_F(Mounts, IdmappedMount) {
  SKIP_FOR("runc,crun", "1.1.5 lacks it, 1.8.1 wants another spelling");
  TempDir source;
  write_file(source / "file", "owned by 5");
  ASSERT_EQ(chown((source / "file").c_str(), 5, 6), 0);
  Json config = default_config();
  Json entry = mount_entry("/mnt", "bind", source.path(), {"bind", "idmap"});
  entry["uidMappings"] = Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 100}])");
  entry["gidMappings"] = Json::parse(R"([{"containerID": 0, "hostID": 2000, "size": 100}])");
  config["mounts"].push(entry);
  // On disk 5 is what the mapping calls containerID 5, and shows as hostID 1005.
  EXPECT_EQ(output(config, "stat -c %u:%g /mnt/file"), "1005:2006");
}

TEST_F(Mounts, AFilesystemThatCannotBeIdmappedIsNamed) {
  SKIP_FOR("runc,crun", "1.1.5 lacks it, 1.8.1 wants another spelling");
  Json config = default_config();
  Json entry = mount_entry("/mnt", "bind", "/proc/sys/vm", {"bind", "idmap"});
  entry["uidMappings"] = entry["gidMappings"] =
      Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 100}])");
  config["mounts"].push(entry);
  const std::string error = refused(config);
  EXPECT_NE(error.find("/proc/sys/vm"), std::string::npos) << error;
  EXPECT_NE(error.find("cannot be idmapped"), std::string::npos) << error;
}

TEST_F(Mounts, ManyMounts) {
  TempDir source;
  Json config = default_config();
  for (int i = 0; i < 150; ++i)
    config["mounts"].push(mount_entry("/mnt/" + std::to_string(i), "bind", source.path(), {"bind", "ro"}));
  EXPECT_EQ(output(config, "grep -c ' /mnt/' /proc/self/mountinfo"), "150");
}

TEST_F(Mounts, MoreThanTheUsualDescriptors) {
  SKIP_FOR("runc,crun", "nothing to learn from them");
  Bundle bundle;
  bundle.config["process"]["rlimits"] = Json::array();
  for (int i = 0; i < 500; ++i)
    bundle.config["mounts"].push(mount_entry("/mnt/" + std::to_string(i), "bind", "/dev/null", {"bind"}));
  Options options;
  options.in_child = [] {
    const rlimit limit = {256, 2048};
    setrlimit(RLIMIT_NOFILE, &limit);
  };
  bundle.sh("grep -c ' /mnt/' /proc/mounts; ulimit -Sn; ulimit -Hn");
  const Outcome plain = run_bundle(bundle, {}, options);
  EXPECT_EQ(plain.out, "500\n256\n2048\n") << plain.err;
  // As a user the limits are set before the last privileges go, and init still has something to open then.
  bundle.config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000})");
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "RLIMIT_NOFILE", "soft": 16, "hard": 16}])");
  const Outcome limited = run_bundle(bundle, {}, options);
  EXPECT_EQ(limited.out, "500\n16\n16\n") << limited.err;
}

TEST_F(Mounts, SysfsAndCgroup) {
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"}));
  const std::string text =
      output(config,
             "ls /sys/fs/cgroup; grep -c ' /sys/fs/cgroup' /proc/self/mountinfo; "
             "mkdir /sys/fs/cgroup/x /sys/fs/cgroup/pids/x 2>/dev/null && echo writable; true");
  if (has_v1("pids")) {
    EXPECT_NE(text.find("pids"), std::string::npos) << text;
    EXPECT_NE(text.find("memory"), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("writable"), std::string::npos) << text;
}

/// Any flag at all replaces those of the source, as mount(2) does it.
TEST_F(Mounts, ABindHasTheFlagsThatItsOptionsNameOrThoseOfItsSource) {
  SKIP_FOR("crun", "clears them without any option as well");
  TempDir source;
  ASSERT_EQ(mount("tmpfs", source.path().c_str(), "tmpfs", MS_NOEXEC | MS_NODEV, nullptr), 0);
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"bind"}, "rw,nodev,noexec,relatime"},
      {{"bind", "rw"}, "rw,relatime"},
      {{"rbind", "ro"}, "ro,relatime"},
      {{"bind", "exec"}, "rw,relatime"},
      {{"rbind", "nosuid"}, "rw,nosuid,relatime"},
      {{"bind", "noexec"}, "rw,noexec,relatime"}};
  for (const auto& [options, expected] : cases) {
    const auto fields = split(mounted(mount_entry("/mnt", "bind", source.path(), options)), ' ');
    ASSERT_GE(fields.size(), 6U);
    EXPECT_EQ(fields[5], expected) << options.back();
  }
  umount2(source.path().c_str(), MNT_DETACH);
}

TEST_F(Mounts, AreListedInTheOrderOfTheConfig) {
  TempDir source;
  Json config = default_config();
  const std::vector<std::string> places = {"/one", "/two", "/three", "/four"};
  for (std::size_t index = 0; index < places.size(); ++index)
    config["mounts"].push(index % 2 == 0 ? mount_entry(places[index], "tmpfs", "tmpfs", {})
                                         : mount_entry(places[index], "bind", source.path(), {"bind"}));
  const std::string text = output(config, "cut -d' ' -f5 /proc/self/mountinfo");
  std::size_t at = 0;
  for (const std::string& place : places) {
    const std::size_t found = text.find("\n" + place + "\n");
    ASSERT_NE(found, std::string::npos) << text;
    EXPECT_GE(found, at) << text;
    at = found;
  }
}

TEST_F(Mounts, WhatIsMaskedTwiceIsCoveredOnce) {
  SKIP_FOR("runc", "covers it twice");
  Json config = default_config();
  config["linux"]["maskedPaths"] = Json(std::vector<std::string>{"/proc/keys", "/proc/keys", "/proc/fs"});
  EXPECT_EQ(output(config, "grep -c /proc/keys /proc/self/mountinfo"), "1");
}

TEST_F(Mounts, ASourceBelowTheRootIsWhatIsMountedThereByThen) {
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/first", "tmpfs", "tmpfs", {}));
  bundle.config["mounts"].push(mount_entry("/second", "bind", bundle.rootfs() + "/first", {"bind"}));
  bundle.sh("echo written >/first/file; cat /second/file");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "written\n") << outcome.all();
}

}  // namespace
}  // namespace support
