// SPDX-License-Identifier: Apache-2.0
// Propagation: what mounts of the host and of the container get to see of each other.
#include <sys/mount.h>

#include "support/fixture.hpp"

namespace support {
namespace {

using MountPropagation = ContainerTest;

/// Made by one call for the whole tree or by one for each mount: a bind is what the config says; the root's
/// recursive propagation comes last, and over all.
TEST_F(MountPropagation, OfBindsWhateverTheRootIs) {
  SKIP_FOR("crun", "1.8.1 makes them private whatever they are to be");
  TempDir source;
  ASSERT_EQ(mount("tmpfs", source.path().c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(mount(nullptr, source.path().c_str(), nullptr, MS_SHARED, nullptr), 0);
  struct Case {
    const char* root;
    const char* option;
    bool is_slave;
  };
  const Case cases[] = {
      {"", "rbind", true},          {"", "rprivate", false},         {"", "rslave", true},
      {"rprivate", "rbind", false}, {"rprivate", "rprivate", false}, {"rprivate", "rslave", false},
      {"rslave", "rbind", true},    {"rslave", "rprivate", false},   {"rslave", "rslave", true}};
  for (const Case& one : cases) {
    Json config = default_config();
    if (*one.root != '\0') config["linux"]["rootfsPropagation"] = one.root;
    config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", one.option}));
    const std::string line = line_of(output(config, "cat /proc/self/mountinfo"), "/mnt");
    EXPECT_NE(line, "") << one.root << " " << one.option;
    EXPECT_EQ(line.find("shared:"), std::string::npos) << one.root << " " << one.option << ": " << line;
    EXPECT_EQ(line.find("master:") != std::string::npos, one.is_slave)
        << one.root << " " << one.option << ": " << line;
  }
  umount2(source.path().c_str(), MNT_DETACH);
}

TEST_F(MountPropagation, OfTheRoot) {
  SKIP_FOR("runc", "1.1.5 sets it on the parent of the rootfs only");
  const std::pair<const char*, const char*> cases[] = {
      {"shared", "shared:"}, {"private", ""}, {"unbindable", "unbindable"}};
  for (const auto& [value, expected] : cases) {
    Json config = default_config();
    config["linux"]["rootfsPropagation"] = value;
    const std::string line = line_of(output(config, "cat /proc/self/mountinfo"), "/");
    if (*expected != '\0') {
      EXPECT_NE(line.find(expected), std::string::npos) << value << ": " << line;
    } else {
      EXPECT_EQ(line.find("shared:"), std::string::npos) << line;
    }
  }
}

TEST_F(MountPropagation, AMountOnTheHostReachesASlave) {
  Bundle bundle;
  TempDir source;
  ASSERT_EQ(mount("tmpfs", source.path().c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(mount(nullptr, source.path().c_str(), nullptr, MS_SHARED, nullptr), 0);
  make_dirs(source / "late");
  bundle.config["linux"]["rootfsPropagation"] = "rslave";
  bundle.config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", "rslave"}));
  bundle.sh("while :; do sleep 1; done");
  const std::string id = start(bundle);
  ASSERT_EQ(mount("tmpfs", (source / "late").c_str(), "tmpfs", 0, nullptr), 0);
  write_file(source / "late/file", "late");
  EXPECT_EQ(exec(id, "cat /mnt/late/file").out, "late");
  umount2((source / "late").c_str(), MNT_DETACH);
  destroy(id);
  umount2(source.path().c_str(), MNT_DETACH);
}

/// Whatever the binds are to be: the host never sees what is mounted on them for the container.
TEST_F(MountPropagation, AMountOnASharedSourceStaysInTheContainer) {
  TempDir source;
  ASSERT_EQ(mount("tmpfs", source.path().c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(mount(nullptr, source.path().c_str(), nullptr, MS_SHARED, nullptr), 0);
  make_dirs(source / "late");
  const std::vector<std::string> first[] = {{"rbind"}, {"rbind", "rprivate"}, {"rbind", "rslave"}};
  for (const auto& options : first) {
    for (const char* others : {"rprivate", "rslave"}) {
      Bundle bundle;
      bundle.config["mounts"].push(mount_entry("/mnt", "bind", source.path(), options));
      bundle.config["mounts"].push(mount_entry("/mnt/late", "tmpfs", "tmpfs", {}));
      bundle.config["mounts"].push(mount_entry("/other", "bind", source.path(), {"bind", others}));
      bundle.sh("while :; do sleep 1; done");
      const std::string id = start(bundle);
      EXPECT_EQ(exec(id, "touch /mnt/late/inside && ls /other/late").out, "") << options.back() << others;
      EXPECT_FALSE(exists(source / "late/inside")) << options.back() << others;
      EXPECT_EQ(umount2((source / "late").c_str(), MNT_DETACH), -1) << "the host got the mount";
      destroy(id);
    }
  }
  umount2(source.path().c_str(), MNT_DETACH);
}

TEST_F(MountPropagation, WhatHooksMountOnTheHostDoesNotComeIntoPrivateBinds) {
  TempDir source;
  ASSERT_EQ(mount("tmpfs", source.path().c_str(), "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(mount(nullptr, source.path().c_str(), nullptr, MS_SHARED, nullptr), 0);
  make_dirs(source / "late");
  for (const char* hook : {"prestart", "createRuntime"}) {
    Json config = default_config();
    config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", "rprivate"}));
    config["hooks"][hook].push(
        Json::object({{"path", "/bin/busybox"},  // a small machine has no mount(8)
                      {"args", Json::array({"busybox", "mount", "-t", "tmpfs", "t", source / "late"})}}));
    EXPECT_EQ(output(config, "grep -c ' /mnt' /proc/self/mountinfo"), "1") << hook;
    EXPECT_EQ(umount2((source / "late").c_str(), MNT_DETACH), 0) << hook;
  }
  umount2(source.path().c_str(), MNT_DETACH);
}

TEST_F(MountPropagation, PrivateBelowSharedIsPrivate) {
  TempDir source;
  make_dirs(source / "below");
  make_dirs(source / "new");
  Json config = default_config();
  config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", "rshared"}));
  config["mounts"].push(mount_entry("/mnt/below", "bind", source.path(), {"rbind", "rprivate"}));
  config["mounts"].push(mount_entry("/mnt/new", "tmpfs", "tmpfs", {"private"}));
  const std::string text = output(config, "cat /proc/self/mountinfo");
  EXPECT_NE(line_of(text, "/mnt").find("shared:"), std::string::npos) << text;
  for (const char* destination : {"/mnt/below", "/mnt/new"}) {
    EXPECT_NE(line_of(text, destination), "") << text;
    EXPECT_EQ(line_of(text, destination).find("shared:"), std::string::npos) << text;
  }
}

TEST_F(MountPropagation, TheHostsRootIsBoundWithoutTheContainers) {
  TempDir marked;
  write_file(marked / "file", "of the host");
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/host", "bind", "/", {"rbind", "rprivate"}));
  bundle.sh("cat /host" + (marked / "file") + "; grep -c ' /host/proc ' /proc/self/mountinfo");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "of the host1\n") << outcome.all();
}

}  // namespace
}  // namespace support
