// SPDX-License-Identifier: Apache-2.0
// Plans and stages of containers, their sysctls and their devices.
#include "davit/features/namespaces.hpp"

#include <gtest/gtest.h>
#include <linux/sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "davit/features/devices.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/sysctl.hpp"
#include "davit/program/printer.hpp"
#include "davit/spec/reader.hpp"

namespace davit {
namespace {

using spec::NamespaceType;
using Lines = std::vector<std::string>;

Lines printed(features::Compilation& out) {
  Lines result;
  const program::Program program = out.builder.finish();
  program::for_each_operation(program.image, [&](const program::Operation& operation) {
    result.push_back(program::print_operation(program.image, operation));
  });
  return result;
}

Lines stage_of(const spec::Config& config, std::vector<features::HostRequest>* requests = nullptr) {
  const host::Facts facts;
  features::Compilation out(facts, {});
  EXPECT_TRUE(namespaces::compile_stage(out, config, namespaces::plan(config)).ok());
  if (requests != nullptr) *requests = out.requests;
  return printed(out);
}

spec::Config with(std::vector<spec::Namespace> namespaces) {
  spec::Config config;
  config.linux.namespaces = std::move(namespaces);
  return config;
}

TEST(NamespacesPlan, OrdinaryContainersAreClonedAtOnce) {
  const spec::Config config = with({{NamespaceType::mount, "", {}},
                                    {NamespaceType::pid, "", {}},
                                    {NamespaceType::network, "/run/netns/x", {}},
                                    {NamespaceType::cgroup, "", {}}});
  const namespaces::Plan plan = namespaces::plan(config);
  EXPECT_FALSE(plan.stage);
  EXPECT_EQ(plan.clone_flags, static_cast<std::uint32_t>(CLONE_NEWNS | CLONE_NEWPID));
  std::vector<features::HostRequest> requests;
  EXPECT_EQ(stage_of(config, &requests).size(), 1U);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].namespace_type, static_cast<std::uint32_t>(CLONE_NEWNET));
}

TEST(NamespacesPlan, AUserNamespaceIsMappedBeforeAnythingElseIsMade) {
  spec::Config config = with({{NamespaceType::mount, "", {}},
                              {NamespaceType::user, "", {}},
                              {NamespaceType::network, "/run/netns/x", {}},
                              {NamespaceType::time, "", {}}});
  config.linux.uid_mappings = config.linux.gid_mappings = {{0, 1000, 1, {}}};
  config.linux.time_offsets = spec::TimeOffsets{spec::TimeOffset{-5, 7, {}}, {}, {}};
  const namespaces::Plan plan = namespaces::plan(config);
  EXPECT_TRUE(plan.stage);
  EXPECT_TRUE(plan.map_ids);
  EXPECT_EQ(plan.clone_flags, 0U);
  EXPECT_EQ(plan.fork_flags, static_cast<std::uint32_t>(CLONE_NEWNS));
  Lines names;
  for (const std::string& line : stage_of(config)) names.push_back(line.substr(0, line.find(' ')));
  EXPECT_EQ(names, (Lines{"join_namespaces", "unshare", "tell_host", "await_host", "become_namespace_root",
                          "join_namespaces", "unshare", "set_time_offsets", "fork_init"}));
}

TEST(NamespacesPlan, WithoutAMappedRootSomebodyElseActsForIt) {
  spec::Config config = with({{NamespaceType::user, "", {}}});
  config.linux.uid_mappings = {{1000, 1000, 1, {}}, {500, 3000, 10, {}}};
  config.linux.gid_mappings = {{0, 1000, 1, {}}};
  const Lines lines = stage_of(config);
  EXPECT_NE(std::find(lines.begin(), lines.end(), "become_namespace_root uid=500"), lines.end());
}

TEST(NamespacesPlan, AJoinedPidNamespaceNeedsAFork) {
  const namespaces::Plan plan = namespaces::plan(with({{NamespaceType::pid, "/proc/1/ns/pid", {}}}));
  EXPECT_TRUE(plan.stage);
  EXPECT_FALSE(plan.map_ids);
}

TEST(NamespacesValidate, ReportsEverythingThatLacksItsNamespace) {
  spec::Config config;
  config.hostname = "a";
  config.domainname = "b";
  config.linux.uid_mappings = {{0, 0, 1, {}}};
  config.linux.time_offsets = spec::TimeOffsets{};
  EXPECT_EQ(namespaces::validate(config).size(), 4U);
  config = with({{NamespaceType::user, "", {}}});
  EXPECT_EQ(namespaces::validate(config).size(), 1U);
}

TEST(Sysctl, NormalisesBothForms) {
  EXPECT_EQ(sysctl::path_of("net.ipv4.conf.eth0/100.forwarding"), "net/ipv4/conf/eth0.100/forwarding");
  EXPECT_EQ(sysctl::path_of("net/ipv4/conf/eth0.100/forwarding"), "net/ipv4/conf/eth0.100/forwarding");
}

std::string objection(const spec::Config& config, const char* key, const char* value = "1") {
  spec::Config copy = config;
  copy.linux.sysctl = {{key, value, {}}};
  const auto errors = sysctl::validate(
      copy, [](const std::string& path, NamespaceType) { return Result<bool>(path == "/host"); });
  return errors.empty() ? "" : std::string(errors.front().message.view());
}

TEST(Sysctl, IsNotBlamedForANamespaceThatIsNotThere) {
  spec::Config config = with({{NamespaceType::network, "/run/netns/gone", {}}});
  config.linux.sysctl = {{"net.ipv4.ip_forward", "1", {}}, {"net.core.somaxconn", "1", {}}};
  const auto errors = sysctl::validate(config, sysctl::is_host_namespace);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].message.view().find("network namespace"), std::string::npos)
      << errors[0].message.view();
  EXPECT_NE(errors[0].message.view().find("/run/netns/gone"), std::string::npos) << errors[0].message.view();
  EXPECT_EQ(errors[0].errno_value, ENOENT);
  EXPECT_EQ(errors[0].message.view().find("sysctl"), std::string::npos);
}

TEST(Sysctl, IsConfinedToNamespacesOfTheContainer) {
  spec::Config config = with({{NamespaceType::network, "", {}}, {NamespaceType::ipc, "", {}}});
  EXPECT_EQ(objection(config, "net.ipv4.ip_forward"), "");
  EXPECT_EQ(objection(config, "kernel.shmmax"), "");
  EXPECT_EQ(objection(config, "fs/mqueue/msg_max"), "");
  EXPECT_NE(objection(config, "kernel.core_pattern"), "");
  EXPECT_NE(objection(config, "net/../kernel/core_pattern"), "");
  EXPECT_NE(objection(config, "net"), "");
  EXPECT_NE(objection(config, "kernel.domainname").find("uts"), std::string::npos);
  config.linux.namespaces[0].path = "/host";
  EXPECT_NE(objection(config, "net.ipv4.ip_forward"), "");
  config.linux.namespaces[0].path = "/run/netns/pod";
  EXPECT_EQ(objection(config, "net.ipv4.ip_forward"), "");
  config.linux.namespaces.push_back({NamespaceType::uts, "", {}});
  EXPECT_EQ(objection(config, "kernel.domainname"), "");
  EXPECT_NE(objection(config, "kernel.hostname").find("hostname"), std::string::npos);
  config.domainname = "other";
  EXPECT_NE(objection(config, "kernel.domainname"), "");
}

Lines devices_of(const spec::Config& config, bool privileged = true) {
  host::Facts facts;
  facts.privileged = privileged;
  features::Compilation out(facts, {});
  EXPECT_TRUE(devices::compile(out, config, true).ok());
  return printed(out);
}

TEST(Devices, WhatTheHostLacksIsMadeOutsideOfAUserNamespace) {
  spec::Config config;
  config.linux.namespaces.push_back({NamespaceType::user, "", {}});
  config.linux.uid_mappings.push_back({0, 1000, 10, {}});
  config.linux.devices.push_back({spec::DeviceType::character, "/dev/x", 1, 3, 0600, 2, 5, {}});
  for (const bool is_there : {true, false}) {
    host::Facts facts;
    facts.privileged = true;
    features::Compilation out(facts, {});
    bool (*const has)(const spec::Device&) =
        is_there ? +[](const spec::Device&) { return true; } : +[](const spec::Device&) { return false; };
    ASSERT_TRUE(devices::compile(out, config, false, has).ok());
    ASSERT_EQ(out.requests.size(), is_there ? 0U : 1U);
    if (is_there) continue;
    EXPECT_EQ(out.requests[0].device->uid, 1002U);
    EXPECT_EQ(out.requests[0].device->gid, 0U) << "not mapped";
  }
}

TEST(Devices, DefaultsAndLinks) {
  const Lines lines = devices_of({});
  ASSERT_EQ(lines.size(), 12U);
  EXPECT_TRUE(lines[0].starts_with("make_device path=/dev/null c 1:3 mode=0666")) << lines[0];
  EXPECT_TRUE(lines[11].starts_with("make_symlink path=/dev/ptmx content=pts/ptmx")) << lines[11];
}

TEST(Devices, TheConfigReplacesADefault) {
  spec::Config config;
  spec::Device device;
  device.path = "/dev//null";
  device.major = 1;
  device.minor = 3;
  device.file_mode = 0600;
  config.linux.devices = {device};
  const Lines lines = devices_of(config);
  ASSERT_EQ(lines.size(), 12U);
  EXPECT_TRUE(lines[5].starts_with("make_device path=/dev/null c 1:3 mode=0600")) << lines[5];
}

TEST(Devices, AreBoundWhereMknodIsNotAllowed) {
  const spec::Config config = with({{NamespaceType::user, "", {}}});
  EXPECT_NE(devices_of(config)[0].find("bind"), std::string::npos);
  EXPECT_NE(devices_of({}, false)[0].find("bind"), std::string::npos);
  EXPECT_EQ(devices_of({})[0].find(" bind"), std::string::npos);
}

TEST(Devices, ABoundDevIsLeftAlone) {
  spec::Config config;
  spec::Mount mount;
  mount.destination = "/dev/";
  mount.options = {"rbind"};
  config.mounts = {mount};
  EXPECT_TRUE(devices_of(config).empty());
}

TEST(Devices, SoIsTheDevOfTheHost) {
  spec::Config config;
  config.root.path = "//";
  EXPECT_TRUE(devices_of(config).empty()) << "its /dev/ptmx would be replaced";
  spec::Mount mount;
  mount.destination = "/dev";
  mount.type = "devtmpfs";
  config.root.path = "rootfs";
  config.mounts = {mount};
  EXPECT_TRUE(devices_of(config).empty()) << "there is only one devtmpfs";
  config.mounts[0].type = "tmpfs";
  EXPECT_FALSE(devices_of(config).empty());
  config.mounts[0].options = {"rbind"};
  mount.options = {"remount", "ro"};
  config.mounts.push_back(mount);
  EXPECT_TRUE(devices_of(config).empty()) << "it stays what it is";
}

TEST(Captured, EveryConfigOfAnEngineCompiles) {
  for (const char* name :
       {"buildah-rootless-podman-build", "cri-container", "cri-pod-sandbox", "ctr-limits-seccomp-apparmor",
        "ctr-systemd-privileged", "ctr-tty", "docker", "docker-privileged", "podman-hooks",
        "podman-root-limits", "podman-root-userns", "podman-rootless-keepid"}) {
    SCOPED_TRACE(name);
    std::ifstream file(std::string(DAVIT_TESTS_DIR) + "/golden/captured/" + name + ".json");
    ASSERT_TRUE(file.good());
    std::stringstream text;
    text << file.rdbuf();
    auto read = spec::read_config(text.str(), "config.json");
    ASSERT_TRUE(read.ok());
    const spec::Config& config = read.value;
    EXPECT_TRUE(namespaces::validate(config).empty());
    EXPECT_TRUE(rootfs::validate(config).empty());
    EXPECT_TRUE(sysctl::validate(config, [](const std::string&, NamespaceType) {
                  return Result<bool>(false);
                }).empty());
    host::Facts facts;
    facts.cgroup = {host::CgroupMode::v2, {{{}, "/sys/fs/cgroup", "/", ""}}};
    features::Compilation out(facts, {});
    ASSERT_TRUE(namespaces::compile_stage(out, config, namespaces::plan(config)).ok());
    const rootfs::SourceQueries queries{
        [](const std::string&) { return true; },
        [](const std::string&) -> Result<std::string> { return std::string(); },
        [](const std::string&) { return true; }};
    auto sealing = rootfs::compile_tree(out, config, {}, queries);
    ASSERT_TRUE(sealing.ok()) << sealing.error().message.c_str();
    ASSERT_TRUE(devices::compile(out, config, true).ok());
    ASSERT_TRUE(sysctl::compile(out, config).ok());
    EXPECT_TRUE(rootfs::compile_seal(out, config, *sealing).ok());
    EXPECT_GE(printed(out).size(), config.mounts.size());
  }
}

TEST(SubordinateIds, WhatIsNotListedIsAnsweredWithWhatIs) {
  EXPECT_EQ(namespaces::unlisted_advice("/etc/subuid", {0, 100000, 65536, {}}, "uidMappings"),
            "/etc/subuid grants this user 100000-165535, and the own id is free: keep to these in "
            "linux.uidMappings, or add a line there");
  EXPECT_NE(namespaces::unlisted_advice("/etc/subgid", {}, "gidMappings").find("has no line for this user"),
            std::string::npos);
}

TEST(Namespaces, SubordinateIdsAreThoseOfTheUserByNameOrNumber) {
  const std::string text = "other:1:2\nalice:100000:65536\n1000:200000:7\nbroken:x:1\nroot:5";
  EXPECT_EQ(namespaces::subordinate_range(text, "alice", 4).host_id, 100000U);
  EXPECT_EQ(namespaces::subordinate_range(text, "alice", 4).size, 65536U);
  EXPECT_EQ(namespaces::subordinate_range(text, "bob", 1000).host_id, 200000U);
  EXPECT_EQ(namespaces::subordinate_range(text, "nobody", 5).size, 0U);
  EXPECT_EQ(namespaces::subordinate_range(text, "broken", 6).size, 0U);
  EXPECT_EQ(namespaces::subordinate_range(text, "", 7).size, 0U) << "a user without a name";
}

}  // namespace
}  // namespace davit
