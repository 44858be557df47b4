// SPDX-License-Identifier: Apache-2.0
// Who opens the sources of bind mounts, as what they come, and what propagation becomes.
#include "rootfs_support.hpp"

namespace davit::rootfs {
namespace {

using RootfsSources = RootfsCompile;

TEST_F(RootfsSources, BindsAreSlavesUnlessTold) {
  add("/a", "bind", "/src", {"rbind", "ro"});
  EXPECT_EQ(lines(), Lines{"mount_tree tree=#1 target=/a set=ro "
                           "replaced-clear=nosuid,nodev,noexec,nosymfollow"});
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0], "set_propagation flags=rec,slave") << "and so is all that is opened after it";
  EXPECT_EQ(sources[2], "open_tree host-path=/src recursive into=#1");
}

TEST_F(RootfsSources, BindsFromTheHostAreMadeSlaves) {
  add_user_namespace();
  add("/a", "bind", "/src", {"rbind", "ro"});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_NE(all[0].find("set=ro"), std::string::npos) << all[0];
  EXPECT_NE(all[0].find("propagation=slave"), std::string::npos) << all[0];
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].recursive);
  EXPECT_EQ(requests[1].path, "/src");
}

// Each costs davit and init a descriptor, and a caller's hard limit may be lower than their number.
TEST_F(RootfsSources, WhereDescriptorsAreFewDavitOpensOneWhenItIsMounted) {
  add_user_namespace();
  add("/a", "bind", "/src", {"bind"});
  add("/b", "bind", "/src", {"bind"});
  facts.descriptors = 42;
  EXPECT_EQ(lines().size(), 2U) << "two more than the usual ones are no many";
  facts.descriptors = 41;
  const Lines all = lines();
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[3], "tell_host source about=#2");
  EXPECT_EQ(all[4], "await_host source into=#2");
  EXPECT_TRUE(all[5].starts_with("mount_tree tree=#2 target=/b ")) << all[5];
  for (const features::HostRequest& request : requests) EXPECT_TRUE(request.is_late) << request.path;
  config.linux.rootfs_propagation = spec::RootfsPropagation::rshared;
  EXPECT_EQ(lines().size(), 3U) << "davit would see what init has mounted";
}

TEST_F(RootfsSources, WhereAllIsPrivateTheTreeIsMadeThatAtOnce) {
  add("/a", "bind", "/src", {"rbind", "rprivate"});
  add("/b", "bind", "/src", {"bind", "private"});
  add("/c", "tmpfs", "c", {"private"});
  Lines all = all_lines();
  ASSERT_EQ(all.size(), 9U);
  for (std::size_t index = 1; index < 8; ++index)
    EXPECT_EQ(all[index].find("private"), std::string::npos) << all[index];
  EXPECT_EQ(all[8], "seal_root propagation=private recursive-propagation");
  // One that is not decides for all: each is made what it is to be.
  add("/d", "bind", "/src", {"bind"});
  all = all_lines();
  ASSERT_EQ(all.size(), 10U);
  EXPECT_NE(all[2].find("attach_root tree=#0 recursive-propagation=private"), std::string::npos) << all[2];
  EXPECT_NE(all[4].find("recursive-propagation=private"), std::string::npos) << all[4];
  EXPECT_EQ(all[9].find("private"), std::string::npos) << all[9];
}

TEST_F(RootfsSources, WhereHooksRunMeanwhileTheTreeIsPrivateBeforeThem) {
  add("/a", "bind", "/src", {"rbind", "rprivate"});
  for (auto hooks : {&spec::Hooks::prestart, &spec::Hooks::create_runtime, &spec::Hooks::create_container}) {
    config.hooks = {};
    (config.hooks.*hooks).emplace_back();
    features::Compilation out = fresh();
    ASSERT_TRUE(compile_tree(out, config, cgroups, fake_queries()).ok());
    EXPECT_EQ(printed(out).back(), "seal_root propagation=private recursive-propagation");
  }
}

TEST_F(RootfsSources, WhatIsMountedBelowSomethingSharedIsMadeWhatItIsToBeAfterwards) {
  add("/a", "bind", "/src", {"rbind", "rshared"});
  add("/a/b", "bind", "/src", {"rbind", "rprivate"});
  add("/a/c", "tmpfs", "c", {"private"});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0], "mount_tree tree=#1 target=/a recursive-propagation=shared");
  EXPECT_EQ(all[1], "mount_tree tree=#2 target=/a/b recursive-propagation=private");
  EXPECT_EQ(all[2], "remount target=/a/b must-exist recursive-propagation=private");
  EXPECT_EQ(all[4], "remount target=/a/c must-exist propagation=private");
}

TEST_F(RootfsSources, SharingABindStartsBelowTheHostUnlessTheRootIsShared) {
  add("/a", "none", "/src", {"rbind", "rshared"});
  Lines all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(sources[0], "set_propagation flags=rec,slave");
  EXPECT_NE(all[0].find("shared"), std::string::npos) << all[0];
  config.linux.rootfs_propagation = spec::RootfsPropagation::rshared;
  all = lines();
  ASSERT_EQ(all.size(), 2U);  // the second one is the root's own propagation
  EXPECT_EQ(all[0].find("slave"), std::string::npos) << all[0];
  EXPECT_NE(all[1].find("seal_root"), std::string::npos) << all[1];
}

TEST_F(RootfsSources, RelativeBindSourcesCountFromTheBundle) {
  add("rel/../x", "", "data.file", {"bind"});
  const Lines all = lines();
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[2], "open_tree host-path=/bundle/data.file into=#1");
  EXPECT_NE(all[0].find("target=/x"), std::string::npos) << all[0];
}

TEST_F(RootfsSources, WithoutPrivilegeInitOpensTheSources) {
  facts.privileged = false;
  add("/x", "bind", "/src", {"bind", "rw", "rprivate"});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_TRUE(sources[2].starts_with("open_tree")) << sources[2];
  EXPECT_TRUE(requests.empty());
}

TEST_F(RootfsSources, IdmapNeedsMappings) {
  add("/x", "bind", "/src", {"bind", "idmap"});
  EXPECT_TRUE(lines()[0].starts_with("error: option idmap needs"));
  add_user_namespace();
  ASSERT_EQ(lines().size(), 1U);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].idmap.wanted);
  EXPECT_EQ(requests[1].idmap.uid_mappings[0].host_id, 100000U);
}

TEST_F(RootfsSources, IdmapInTheOptionItself) {
  add("/x", "bind", "/src", {"rbind", "ridmap=uids=0-7-2#5-@;gids=0-7-2"});
  EXPECT_TRUE(lines()[0].starts_with("error: malformed"));
  config.mounts[0].options[1] = "ridmap=uids=0-7-2#5-9-1;gids=@0-3-2";
  add_user_namespace();
  lines();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].idmap.recursive);
  ASSERT_EQ(requests[1].idmap.uid_mappings.size(), 2U);
  EXPECT_EQ(requests[1].idmap.uid_mappings[1].host_id, 9U);
  EXPECT_EQ(requests[1].idmap.gid_mappings[0].host_id, 100003U);
}

TEST_F(RootfsSources, AnIdmappedTreeComesFromTheHostAndIsNoSlaveYet) {
  add("/x", "bind", "/src", {"bind", "rprivate"});
  config.mounts[0].uid_mappings = {{0, 1, 1, {}}};
  config.mounts[0].gid_mappings = {{0, 1, 1, {}}};
  const Lines all = lines();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests[0].idmap.wanted);
  EXPECT_NE(all[0].find("propagation=private"), std::string::npos) << all[0];
}

TEST_F(RootfsSources, HalfAMappingIsRefused) {
  add("/x", "bind", "/src", {"bind"});
  config.mounts[0].uid_mappings = {{0, 1, 1, {}}};
  EXPECT_TRUE(lines()[0].starts_with("error: uidMappings and gidMappings"));
}

TEST_F(RootfsSources, CopySymlink) {
  add("/x", "bind", "/link", {"bind", "copy-symlink"});
  EXPECT_TRUE(lines()[0].starts_with("make_symlink path=/x content=/usr/there")) << lines()[0];
  EXPECT_EQ(sources.size(), 2U) << "there is nothing to open";
  config.mounts[0].source = "/file";
  lines();
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_NE(sources[2].find(" no-follow"), std::string::npos)
      << "it may be a symlink by then: " << sources[2];
}

TEST_F(RootfsSources, ASymlinkItselfIsBound) {
  add("/x", "bind", "/link", {"bind", "src-nofollow"});
  EXPECT_EQ(lines().size(), 1U);
  EXPECT_EQ(sources[2], "open_tree host-path=/link no-follow into=#1");
  add_user_namespace();
  lines();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].no_follow);
}

TEST_F(RootfsSources, OneThatLiesInTheRootIsOpenedThereInItsTurn) {
  add("/a", "tmpfs", "t", {});
  add("/b", "bind", "rootfs/../rootfs/a/sub", {"bind"});
  add("/c", "bind", "/bundle/rootfs", {"rbind"});
  add("/d", "bind", "/bundle/rootfs2", {"bind"});
  for (const bool has_user : {false, true}) {
    if (has_user) add_user_namespace();
    const Lines all = all_lines();
    const auto place = [&](const std::string& part) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const std::string& line) {
        return line.find(part) != std::string::npos;
      });
      return found - all.begin();
    };
    EXPECT_LT(place("mount_filesystem type=tmpfs"), place("open_tree path=/a/sub below=#0"));
    EXPECT_LT(place(" target=/b"), place("open_tree path=/ recursive below=#0"));
    EXPECT_NE(place("open_tree path=/ "), static_cast<std::ptrdiff_t>(all.size()));
  }
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].path, "/bundle/rootfs2");
}

TEST_F(RootfsSources, WhatWouldHoldTheRootIsOpenedBeforeItIsAttached) {
  add("/a", "bind", "/", {"rbind"});
  add("/b", "bind", "/bundle", {"rbind"});
  add("/c", "bind", "/bundle", {"bind"});
  const Lines all = all_lines();
  ASSERT_EQ(all.size(), 9U);
  EXPECT_EQ(all[2], "open_tree host-path=/ recursive into=#1");
  EXPECT_EQ(all[3], "open_tree host-path=/bundle recursive into=#2");
  EXPECT_TRUE(all[4].starts_with("attach_root"));
}

TEST_F(RootfsSources, FlagsAreExactlyThoseAskedForUnlessThereAreNone) {
  const auto of = [&](Lines options) {
    config.mounts.clear();
    add("/a", "bind", "/src", std::move(options));
    const std::string line = lines()[0];
    return line.substr(std::string("mount_tree tree=#1 target=/a").size());
  };
  EXPECT_EQ(of({"rbind"}), "");
  EXPECT_EQ(of({"rbind", "rslave", "defaults"}), "");
  EXPECT_EQ(of({"rbind", "rw"}), " clear=ro replaced-clear=nosuid,nodev,noexec,nosymfollow");
  EXPECT_EQ(of({"bind", "noexec", "ro"}), " set=ro,noexec replaced-clear=nosuid,nodev,nosymfollow");
  EXPECT_EQ(of({"bind", "exec"}), " clear=noexec replaced-clear=ro,nosuid,nodev,nosymfollow");
  EXPECT_EQ(of({"rbind", "rnosuid", "rw"}),
            " clear=ro recursive-set=nosuid replaced-clear=nodev,noexec,nosymfollow");
}

/// As if the whole mount namespace had been made that before the first mount.
TEST_F(RootfsSources, APrivateRootIsWhereTheMountsStartFrom) {
  config.linux.rootfs_propagation = spec::RootfsPropagation::rprivate;
  add("/a", "bind", "/src", {"rbind", "rslave"});
  add("/b", "bind", "/src", {"rbind", "rshared"});
  const Lines all = lines();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0], "mount_tree tree=#1 target=/a recursive-propagation=private");
  EXPECT_EQ(all[1], "remount target=/a must-exist recursive-propagation=slave");
  EXPECT_EQ(all[3], "remount target=/b must-exist recursive-propagation=shared");
  EXPECT_EQ(all[4], "seal_root propagation=private") << "and not what the mounts are by now";
}

TEST_F(RootfsSources, AJoinedMountNamespaceIsNotTurnedOver) {
  config.linux.namespaces[0].path = "/proc/1/ns/mnt";
  features::Compilation out = fresh();
  ASSERT_TRUE(compile_tree(out, config, {}, fake_queries()).ok());
  ASSERT_TRUE(compile_pivot(out, config).ok());
  const Lines all = printed(out);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[1].starts_with("enter_root")) << all[1];
}

}  // namespace
}  // namespace davit::rootfs
