// SPDX-License-Identifier: Apache-2.0
// What mounts[], root and masks become; nothing here touches a file system.
#include <linux/mount.h>

#include "rootfs_support.hpp"

#include "features/rootfs/options.hpp"
#include "features/rootfs/paths.hpp"

namespace davit::rootfs {
namespace {

TEST_F(RootfsCompile, ProcMustBeOrdinaryAndItsReadonlyIsOfTheMountOnly) {
  add("/proc", "proc", "proc", {"nosuid", "noexec", "nodev", "ro"});
  EXPECT_EQ(lines(), Lines{"mount_filesystem type=proc source=proc target=/proc ordinary "
                           "set=ro,nosuid,nodev,noexec"});
}

TEST_F(RootfsCompile, UnknownWordsGoToTheFilesystem) {
  add("/x", "ext4", "/dev/sda1", {"ro", "sync", "data=journal", "noload", "size=1,mode=2"});
  EXPECT_EQ(lines(),
            Lines{"mount_filesystem type=ext4 source=/dev/sda1 target=/x set=ro sync ro data=journal "
                  "noload size=1 mode=2"});
}

TEST_F(RootfsCompile, OverlayLayersAreNotSplitAtEscapedCommas) {
  add("/x", "overlay", "overlay", {"lowerdir=/a\\,b:/c"});
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_NE(lines()[0].find("/a"), std::string::npos);
  EXPECT_EQ(lines()[0].find(" b"), std::string::npos);
}

TEST_F(RootfsCompile, AReadonlyTmpfsStaysWritableUntilTheEnd) {
  add("/run", "tmpfs", "tmpfs", {"ro", "mode=755"});
  add("/run/x", "tmpfs", "tmpfs", {});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].find("set="), std::string::npos) << all[0];
  EXPECT_EQ(all[2], "remount target=/ must-exist set=ro");
}

TEST_F(RootfsCompile, LaterWordsWin) {
  add("/x", "tmpfs", "t", {"ro", "rw", "noexec", "exec", "nosuid", "sync", "async"});
  EXPECT_EQ(lines(), Lines{"mount_filesystem type=tmpfs source=t target=/x set=nosuid"});
}

TEST_F(RootfsCompile, RecursiveReadonlyIsRecursive) {
  add("/x", "bind", "/src", {"rbind", "rro", "rprivate"});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_NE(all[0].find("recursive-set=ro"), std::string::npos) << all[0];
}

TEST_F(RootfsCompile, WhatIsForbiddenForTheTreeHoldsForItsTop) {
  for (const bool before : {true, false}) {
    config.mounts.clear();
    add("/x", "bind", "/src", before ? Lines{"rbind", "rro", "rw"} : Lines{"rbind", "rw", "rro"});
    EXPECT_EQ(lines()[0].find(" clear="), std::string::npos) << lines()[0];
    config.mounts.clear();
    add("/x", "ext4", "/dev/sda1", before ? Lines{"rro", "rw"} : Lines{"rw", "rro"});
    EXPECT_NE(lines()[0].find(" set=ro"), std::string::npos) << lines()[0];
  }
}

TEST_F(RootfsCompile, WhatIsListedTwiceIsHiddenOnce) {
  for (const char* path : {"/proc/keys", "/proc//keys/", "/proc/kcore"}) {
    config.linux.masked_paths.push_back({path, {}});
    config.linux.readonly_paths.push_back({path, {}});
  }
  features::Compilation out = fresh();
  ASSERT_TRUE(compile_masks(out, config).ok());
  EXPECT_EQ(printed(out).size(), 4U);
}

TEST_F(RootfsCompile, NothingFakeInProc) {
  add("/proc/sys", "tmpfs", "t", {});
  EXPECT_TRUE(lines()[0].find("inside /proc") != std::string::npos);
  config.mounts[0].type = "proc";
  config.mounts[0].options = {"bind"};
  EXPECT_TRUE(lines()[0].find("inside /proc") != std::string::npos) << "a bind is what its source is";
  config.mounts[0].type = "tmpfs";
  config.mounts[0].destination = "/proc/../proc";
  EXPECT_TRUE(lines()[0].starts_with("error:"));
  config.mounts[0] = {};
  config.mounts.clear();
  add("/proc", "bind", "/proc", {"rbind"});
  add("/proc/cpuinfo", "bind", "/x.file", {"bind"});
  add("/proc", "proc", "/proc", {"rbind"});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 3U);
  for (const std::string& line : all) EXPECT_NE(line.find(" in-proc"), std::string::npos) << line;
  EXPECT_NE(all[0].find(" for-proc"), std::string::npos) << "what is mounted is looked at, too: " << all[0];
  EXPECT_EQ(all[1].find(" for-proc"), std::string::npos) << all[1];
  EXPECT_NE(all[2].find(" for-proc"), std::string::npos) << all[2];
}

TEST_F(RootfsCompile, UnmappedTtyGroupIsLeftOut) {
  add("/dev/pts", "devpts", "devpts", {"newinstance", "gid=5"});
  EXPECT_NE(lines()[0].find("gid=5"), std::string::npos);
  add_user_namespace();
  config.linux.gid_mappings[0].size = 5;
  EXPECT_EQ(lines()[0].find("gid=5"), std::string::npos);
  EXPECT_EQ(warnings, 1U);
}

TEST_F(RootfsCompile, InAJoinedUserNamespaceTheKernelKnowsWhetherTheTtyGroupIsMapped) {
  add("/dev/pts", "devpts", "devpts", {"newinstance", "gid=5"});
  config.linux.namespaces.push_back({NamespaceType::user, "/proc/7/ns/user", {}});
  EXPECT_NE(lines()[0].find(" gid=5?"), std::string::npos) << lines()[0];
}

TEST_F(RootfsCompile, SysfsFallsBackInUserNamespaces) {
  add("/sys", "sysfs", "sysfs", {"ro"});
  EXPECT_EQ(lines()[0].find("fallback"), std::string::npos);
  add_user_namespace();
  EXPECT_NE(lines()[0].find("sysfs-fallback"), std::string::npos);
}

TEST_F(RootfsCompile, LabelsNeedSelinux) {
  config.linux.mount_label = "system_u:object_r:c_t:s0:c1,c2";
  add("/x", "tmpfs", "t", {});
  EXPECT_TRUE(lines()[0].starts_with("error: a mount label"));
  facts.selinux = true;
  EXPECT_NE(lines()[0].find("context=system_u:object_r:c_t:s0:c1,c2"), std::string::npos);
}

TEST_F(RootfsCompile, CgroupV2IsMountedOrBound) {
  facts.cgroup = {host::CgroupMode::v2, {{{}, "/sys/fs/cgroup", "/", ""}}};
  add("/sys/fs/cgroup", "cgroup", "cgroup", {"ro"});
  Lines all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].starts_with("open_tree")) << "a new mount would change the options of the host's";
  EXPECT_NE(all[1].find("recursive-set=ro"), std::string::npos) << all[1];
  add_user_namespace();
  all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_NE(all[1].find("recursive-propagation=private"), std::string::npos) << all[1];
  config.linux.namespaces.push_back({NamespaceType::cgroup, "", {}});
  EXPECT_TRUE(lines()[0].starts_with("mount_filesystem type=cgroup2"));
  config.linux.namespaces.back().path = "/own";
  EXPECT_TRUE(lines()[0].starts_with("open_tree"));
}

TEST_F(RootfsCompile, CgroupV1IsATmpfsOfHierarchies) {
  facts.cgroup = {host::CgroupMode::hybrid,
                  {{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/", ""},
                   {{"name=systemd"}, "/sys/fs/cgroup/systemd", "/", ""},
                   {{}, "/sys/fs/cgroup/unified", "/", ""}}};
  cgroups = {"/sys/fs/cgroup/cpu,cpuacct/c", "/sys/fs/cgroup/systemd/c", "/sys/fs/cgroup/unified/c"};
  add("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid"});
  Lines all = lines();
  ASSERT_EQ(all.size(), 10U);  // tmpfs, three binds of two operations, two symlinks, read-only
  EXPECT_NE(all[1].find("/sys/fs/cgroup/cpu,cpuacct/c"), std::string::npos);
  EXPECT_TRUE(all[3].starts_with("make_symlink path=/sys/fs/cgroup/cpu ")) << all[3];
  EXPECT_EQ(all[9], "seal_root set=ro,nosuid recursive");
  config.linux.namespaces.push_back({NamespaceType::cgroup, "", {}});
  all = lines();
  ASSERT_EQ(all.size(), 7U);
  EXPECT_NE(all[1].find("type=cgroup source=cgroup"), std::string::npos);
  EXPECT_NE(all[1].find(" cpu cpuacct"), std::string::npos) << all[1];
  EXPECT_NE(all[4].find("none name=systemd"), std::string::npos) << all[4];
  EXPECT_NE(all[5].find("type=cgroup2"), std::string::npos) << all[5];
}

TEST_F(RootfsCompile, WithoutACgroupOfItsOwnAContainerSeesOurs) {
  facts.cgroup = {host::CgroupMode::v1, {{{"cpu"}, "/sys/fs/cgroup/cpu", "/", "/user"}}};
  cgroups = {"/sys/fs/cgroup/cpu/missing"};
  add("/sys/fs/cgroup", "cgroup", "cgroup", {"ro"});
  EXPECT_NE(lines()[1].find("/sys/fs/cgroup/cpu/user"), std::string::npos) << lines()[1];
  facts.cgroup.hierarchies[0].own_path = "/of/the/host/missing";
  EXPECT_EQ(lines()[1].find("missing"), std::string::npos) << lines()[1];
}

TEST_F(RootfsCompile, TheUnifiedHierarchyOfAHybridHostIsBoundToo) {
  facts.cgroup = {host::CgroupMode::hybrid,
                  {{{"cpu"}, "/sys/fs/cgroup/cpu", "/", ""}, {{}, "/sys/fs/cgroup/unified", "/", ""}}};
  add("/cgroup", "cgroup2", "cgroup", {"ro"});
  Lines all = lines();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_NE(all[0].find("/sys/fs/cgroup/unified"), std::string::npos) << all[0];
  facts.cgroup.hierarchies.pop_back();
  EXPECT_TRUE(lines()[0].starts_with("mount_filesystem type=cgroup2")) << "there is nothing to bind";
}

TEST_F(RootfsCompile, AMountOnTheRootReplacesIt) {
  add("/", "tmpfs", "t", {});
  features::Compilation out = fresh();
  ASSERT_TRUE(compile_tree(out, config, {}, fake_queries()).ok());
  EXPECT_NE(out.root, program::Slot{0}) << "the first slot is that of the root in the bundle";
}

TEST_F(RootfsCompile, RemountOfABindChangesAttributesOnly) {
  add("/x", "none", "", {"remount", "bind", "ro"});
  EXPECT_EQ(lines(), Lines{"remount target=/x must-exist set=ro"});
  config.mounts[0].options.push_back("size=5");
  EXPECT_TRUE(lines()[0].starts_with("error: remount"));
}

TEST_F(RootfsCompile, RemountHandsParametersToTheFilesystem) {
  add("/x", "tmpfs", "tmpfs", {"remount", "ro", "size=5"});
  EXPECT_TRUE(lines()[0].starts_with("remount target=/x must-exist set=ro")) << lines()[0];
  EXPECT_TRUE(lines()[0].ends_with("size=5")) << lines()[0];
}

TEST_F(RootfsCompile, AMountNeedsATypeOrBind) {
  add("/x", "none", "y", {"ro"});
  EXPECT_TRUE(lines()[0].starts_with("error: the mount on /x has neither"));
  config.mounts[0].type = "ext4";
  config.mounts[0].options = {"tmpcopyup"};
  EXPECT_TRUE(lines()[0].starts_with("error: tmpcopyup"));
}

TEST_F(RootfsCompile, RootIsIsolatedFirstAndSealedLast) {
  config.root.readonly = true;
  config.linux.rootfs_propagation = spec::RootfsPropagation::rshared;
  config.linux.masked_paths = {{"/proc/kcore", {}}};
  config.linux.readonly_paths = {{"/proc/sys", {}}};
  features::Compilation out = fresh();
  auto sealing = compile_tree(out, config, {}, fake_queries());
  ASSERT_TRUE(sealing.ok());
  ASSERT_TRUE(compile_masks(out, config).ok());
  ASSERT_TRUE(compile_pivot(out, config).ok());
  ASSERT_TRUE(compile_seal(out, config, *sealing).ok());
  ASSERT_EQ(out.requests.size(), 1U);
  EXPECT_EQ(out.requests[0].path, "/bundle/rootfs");
  EXPECT_TRUE(out.requests[0].recursive);
  const Lines all = printed(out);
  ASSERT_EQ(all.size(), 6U);
  EXPECT_NE(all[0].find("slave"), std::string::npos) << all[0];
  EXPECT_NE(all[1].find("private"), std::string::npos) << all[1];
  EXPECT_TRUE(all[2].starts_with("protect_path")) << all[2];
  EXPECT_TRUE(all[3].starts_with("mask_path")) << all[3];
  EXPECT_TRUE(all[4].starts_with("pivot_root")) << all[4];
  EXPECT_TRUE(all[5].starts_with("seal_root")) << all[5];
}

TEST_F(RootfsCompile, TheRootAsAListedPathIsTheRoot) {
  config.linux.readonly_paths = {{"//.", {}}};
  features::Compilation out = fresh();
  ASSERT_TRUE(compile_masks(out, config).ok());
  ASSERT_TRUE(compile_seal(out, config, {}).ok());
  const Lines all = printed(out);
  ASSERT_EQ(all.size(), 1U) << "a mount on the root would be below it";
  EXPECT_EQ(all[0], "seal_root set=ro");
  config.linux.masked_paths = {{"/", {}}};
  features::Compilation again = fresh();
  EXPECT_FALSE(compile_masks(again, config).ok());
}

TEST_F(RootfsCompile, WithoutAMountNamespaceNothingIsMounted) {
  config.linux.namespaces.clear();
  config.root.readonly = true;
  config.linux.masked_paths = {{"/proc/kcore", {}}};
  add("/x", "tmpfs", "t", {});
  EXPECT_EQ(validate(config).size(), 3U);
}

TEST(RootfsPaths, AreCleanedAsText) {
  EXPECT_EQ(clean_path("/a/../b"), "/b");
  EXPECT_EQ(clean_path("../../x//y/."), "/x/y");
  EXPECT_EQ(clean_path("/.."), "/");
  EXPECT_EQ(clean_path(""), "/");
  EXPECT_EQ(base_name("/sys/fs/cgroup/cpu,cpuacct"), "cpu,cpuacct");
  EXPECT_TRUE(is_below("/proc/sys", "/proc"));
  EXPECT_FALSE(is_below("/process", "/proc"));
}

TEST(RootfsOptions, HaveEveryWordOfTheSpec) {
  const std::vector<std::string> words = mount_options();
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
  for (const char* word : {"async",       "atime",        "bind",          "defaults",
                           "dev",         "diratime",     "dirsync",       "exec",
                           "iversion",    "lazytime",     "loud",          "noatime",
                           "nodev",       "nodiratime",   "noexec",        "noiversion",
                           "nolazytime",  "norelatime",   "nostrictatime", "nosuid",
                           "private",     "rbind",        "relatime",      "remount",
                           "ro",          "rprivate",     "rshared",       "rslave",
                           "runbindable", "rw",           "shared",        "silent",
                           "slave",       "strictatime",  "suid",          "sync",
                           "unbindable",  "nosymfollow",  "symfollow",     "ratime",
                           "rdev",        "rdiratime",    "rexec",         "rnoatime",
                           "rnodiratime", "rnoexec",      "rnorelatime",   "rnostrictatime",
                           "rnosuid",     "rnosymfollow", "rrelatime",     "rro",
                           "rrw",         "rstrictatime", "rsuid",         "rsymfollow",
                           "rnodev",      "idmap",        "ridmap",        "mand",
                           "nomand",      "tmpcopyup",    "acl",           "noacl"})
    EXPECT_TRUE(std::binary_search(words.begin(), words.end(), word)) << word;
}

TEST(RootfsOptions, AnAccessTimeModeReplacesTheWholeField) {
  spec::Mount mount;
  mount.options = {"noatime", "strictatime", "nodiratime"};
  const auto options = read_options(mount);
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->attributes.set,
            static_cast<std::uint64_t>(MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODIRATIME));
  EXPECT_EQ(options->attributes.clear, static_cast<std::uint64_t>(MOUNT_ATTR__ATIME));
}

}  // namespace
}  // namespace davit::rootfs
