// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>

#include "davit/criu/message.hpp"
#include "davit/criu/translation.hpp"
#include "davit/criu/worker.hpp"
#include "davit/spec/reader.hpp"

namespace davit::criu {
namespace {

std::string bytes(std::initializer_list<int> numbers) {
  std::string result;
  for (const int number : numbers) result.push_back(static_cast<char>(number));
  return result;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

spec::Config config_of(const std::string& more) {
  auto read = spec::read_config(
      R"({"ociVersion":"1.0.0","root":{"path":"rootfs"},"process":{"cwd":"/","args":["a"]},)" + more + "}",
      "config.json");
  EXPECT_TRUE(read.ok());
  return std::move(read.value);
}

TEST(CriuMessage, RequestsAreThoseOfTheProtocol) {
  EXPECT_EQ(encode({.type = Type::version}), bytes({0x08, 10}));
  EXPECT_EQ(encode({.type = Type::feature_check, .features = Features{.memory_tracking = true}}),
            bytes({0x08, 9, 0x2a, 2, 0x08, 1}));
  EXPECT_EQ(encode_answer(true), bytes({0x08, 6, 0x18, 1}));
  EXPECT_EQ(encode_answer(false), bytes({0x08, 6, 0x18, 0}));
}

// Each member under the number that CRIU knows it by (images/rpc.proto), which no other test sees.
TEST(CriuMessage, OptionsHaveTheirNumbers) {
  Options options;
  options.images_directory = 5;
  options.pid = 77;
  options.leave_running = true;
  options.root = "/r";
  options.external_mounts = {{"/a", "b"}};
  options.inherited = {{"pipe:[1]", 2}};
  options.cgroup_roots = {{"", "/c"}};
  options.external = {"net[1]:k"};
  options.join_namespaces = {{"ipc", "/i"}};
  options.freeze_cgroup = "/f";
  options.lsm_mount_context = "m";
  options.network_lock = NetworkLock::skip;
  options.cgroups_mode = CgroupsMode::full;
  const std::string text = encode({.type = Type::dump, .options = options});
  EXPECT_EQ(text.substr(0, 3), bytes({0x08, 1, 0x12}));
  EXPECT_TRUE(holds(text, bytes({0x08, 5, 0x10, 77, 0x18, 1}))) << "images_dir_fd, pid, leave_running";
  EXPECT_TRUE(holds(text, bytes({0x6a, 2}) + "/r")) << "root";
  EXPECT_TRUE(holds(text, bytes({0xba, 1, 7, 0x0a, 2}) + "/a" + bytes({0x12, 1}) + "b")) << "ext_mnt";
  EXPECT_TRUE(holds(text, bytes({0xca, 1, 6, 0x0a, 0, 0x12, 2}) + "/c")) << "cg_root";
  EXPECT_TRUE(holds(text, bytes({0xda, 1, 12, 0x0a, 8}) + "pipe:[1]" + bytes({0x10, 2}))) << "inherit_fd";
  EXPECT_TRUE(holds(text, bytes({0x90, 2, 4}))) << "manage_cgroups_mode";
  EXPECT_TRUE(holds(text, bytes({0xaa, 2, 8}) + "net[1]:k")) << "external";
  EXPECT_TRUE(holds(text, bytes({0xba, 2, 9, 0x0a, 3}) + "ipc" + bytes({0x12, 2}) + "/i")) << "join_ns";
  EXPECT_TRUE(holds(text, bytes({0xe2, 2, 2}) + "/f")) << "freeze_cgroup";
  EXPECT_TRUE(holds(text, bytes({0xfa, 3, 1}) + "m")) << "lsm_mount_context";
  EXPECT_TRUE(holds(text, bytes({0x80, 4, 3}))) << "network_lock";
}

TEST(CriuMessage, ResponsesAreRead) {
  const auto version = decode(bytes({0x08, 10, 0x10, 1, 0x52, 6, 0x08, 4, 0x10, 1, 0x20, 1}));
  ASSERT_TRUE(version.ok());
  EXPECT_TRUE(version->success);
  EXPECT_EQ(version->version, 40101u);
  const auto restored = decode(bytes({0x08, 2, 0x10, 1, 0x22, 2, 0x08, 99}));
  ASSERT_TRUE(restored.ok());
  EXPECT_EQ(restored->type, Type::restore);
  EXPECT_EQ(restored->pid, 99);
  const auto notification = decode(bytes({0x08, 6, 0x10, 1, 0x2a, 6, 0x0a, 2, 'o', 'k', 0x10, 7}));
  ASSERT_TRUE(notification.ok());
  EXPECT_EQ(notification->script, "ok");
  EXPECT_EQ(notification->pid, 7);
  const auto failure = decode(bytes({0x08, 1, 0x10, 0, 0x38, 2, 0x4a, 3, 'w', 'h', 'y'}));
  ASSERT_TRUE(failure.ok());
  EXPECT_FALSE(failure->success);
  EXPECT_EQ(failure->errno_value, 2);
  EXPECT_EQ(failure->error, "why");
}

TEST(CriuMessage, NonsenseIsAnError) {
  for (const std::string& text : {std::string(), std::string("hello"), bytes({0x08}), bytes({0x08, 1}),
                                  bytes({0x08, 1, 0x10, 1, 0x22, 0x7f}), std::string(4096, '\xff')})
    EXPECT_FALSE(decode(text).ok());
  // What a newer CRIU may add is none of our business.
  EXPECT_TRUE(decode(bytes({0x08, 1, 0x10, 1, 0xf8, 7, 1})).ok());
}

TEST(CriuLog, ErrorsAreQuotedWithoutWhereTheyAreInItsSource) {
  EXPECT_EQ(errors_of("(00.1) Warn  (a.c:1): no\n"
                      "(00.2)      7: Error (criu/files.c:12): Can't dump fd 3\n"
                      "(00.3) Error (criu/cr-dump.c:1): Dump files (pid: 7) failed with -1\n"
                      "(00.3) Error (criu/cr-dump.c:2): Dumping FAILED.\n"),
            "Can't dump fd 3; Dump files (pid: 7) failed with -1");
  EXPECT_EQ(errors_of("(00.1) all is well\n"), "");
  EXPECT_EQ(errors_of(""), "");
  EXPECT_EQ(errors_of("Error (x.c:1): \x1b[2J"), "?[2J");
  EXPECT_LE(errors_of("Error (x.c:1): " + std::string(5000, 'a')).size(), 200u);
}

TEST(CriuDescriptors, PipesAreInherited) {
  const std::string text = descriptors_json({"/dev/null", "pipe:[12]", "pipe:[12]"});
  EXPECT_EQ(text, R"(["/dev/null","pipe:[12]","pipe:[12]"])");
  const auto names = parse_descriptors(text);
  ASSERT_TRUE(names.ok());
  const auto inherited = inherited_descriptors(*names, 0);
  ASSERT_TRUE(inherited.ok());
  ASSERT_EQ(inherited->size(), 1u);
  EXPECT_EQ(inherited->front().key, "pipe:[12]");
  EXPECT_EQ(inherited->front().number, 1);
}

TEST(CriuDescriptors, SoArePreservedOnesIfRestoreHasThem) {
  const std::vector<std::string> names = {"", "", "pipe:[1]", "socket:[2]", "pipe:[1]", "/file"};
  EXPECT_EQ(inherited_descriptors(names, 0)->size(), 1u);
  const auto inherited = inherited_descriptors(names, 2);
  ASSERT_TRUE(inherited.ok());
  ASSERT_EQ(inherited->size(), 2u);
  EXPECT_EQ(inherited->back().key, "socket:[2]");
  EXPECT_EQ(inherited->back().number, 3);
  EXPECT_EQ(inherited_descriptors(names, 3).error().code, Code::unsupported);
  EXPECT_EQ(inherited_descriptors(names, 4).error().code, Code::invalid_argument);
  EXPECT_EQ(inherited_descriptors({"pipe:[1]"}, 1).error().code, Code::invalid_argument);
}

TEST(CriuDescriptors, AnImageMayHoldAnything) {
  for (const char* text : {"", "{}", "[1]", "[[]]", "null", "[\"a\",", R"(["a","b","c",4])"})
    EXPECT_FALSE(parse_descriptors(text).ok()) << text;
  EXPECT_TRUE(parse_descriptors("[]").ok());
}

TEST(CriuTranslation, ADumpIsToldWhatTheCommandLineSays) {
  Choices choices;
  choices.leave_running = choices.tcp_established = choices.link_remap = true;
  choices.parent_path = "../pre";
  choices.empty_namespaces = CLONE_NEWNET;
  DumpFacts facts;
  facts.images_directory = 4;
  facts.pid = 7;
  facts.freezer = "/sys/fs/cgroup/c";
  const Options options = *dump_options(choices, {}, facts);
  EXPECT_EQ(options.pid, 7);
  EXPECT_TRUE(options.leave_running && options.tcp_established && options.link_remap && options.track_memory);
  EXPECT_FALSE(options.shell_job || options.file_locks || options.restore_as_sibling);
  EXPECT_EQ(options.parent_images, "../pre");
  EXPECT_EQ(options.log_file, "dump.log");
  EXPECT_EQ(options.freeze_cgroup, "/sys/fs/cgroup/c");
  EXPECT_EQ(options.config_file, "/etc/criu/runc.conf");
}

// Where an image's layers lie on the host its author knows, and CRIU runs what its configuration names.
TEST(CriuTranslation, AConfigurationIsTheHostsAndNotAnImages) {
  for (const char* file : {"/etc/criu/mine.conf", ""})
    EXPECT_EQ(dump_options({}, {{"org.criu.config", file}}, {})->config_file, file);
  for (const char* file :
       {"/var/lib/layers/1/diff/etc/x.conf", "/etc/../tmp/x", "etc/x", "/etc", "/etcetera/x"}) {
    EXPECT_FALSE(dump_options({}, {{"org.criu.config", file}}, {}).ok()) << file;
    EXPECT_FALSE(restore_options({}, {{"org.criu.config", file}}, {}).ok()) << file;
  }
}

TEST(CriuTranslation, WhatAnOlderCriuWouldNotMindNeedsANewerOne) {
  Choices choices;
  EXPECT_EQ(oldest_for(choices), 31500u);
  choices.lsm_mount_context = "c";
  EXPECT_EQ(oldest_for(choices), 31600u);
  choices.network_lock = NetworkLock::nftables;
  EXPECT_EQ(oldest_for(choices), 31700u);
}

TEST(CriuTranslation, ARestoreBecomesAChildOfDavit) {
  Choices choices;
  choices.lsm_profile = "apparmor:p";
  choices.leave_running = true;
  const Options options = *restore_options(choices, {}, {.root = "/r"});
  EXPECT_TRUE(options.restore_as_sibling && options.evasive_devices);
  EXPECT_FALSE(options.leave_running);
  EXPECT_EQ(options.root, "/r");
  EXPECT_EQ(options.lsm_profile, "apparmor:p");
  EXPECT_EQ(options.log_file, "restore.log");
}

constexpr const char* kMounts = R"("mounts":[
  {"destination":"/proc","type":"proc","source":"proc"},
  {"destination":"/data/","type":"none","source":"vol","options":["rbind"]},
  {"destination":"/var/run/x","type":"bind","source":"/src/x"},
  {"destination":"/gone","type":"bind","source":"/src/gone"},
  {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup"}],
  "linux":{"namespaces":[{"type":"mount"}],"maskedPaths":["/proc/kcore","/proc/acpi","/proc/none"]})";

constexpr const char* kMountinfo =
    "1 0 0:1 / / rw - overlay overlay rw\n"
    "2 1 0:2 / /proc rw - proc proc rw\n"
    "3 1 0:3 /vol /data rw - ext4 /dev/a rw\n"
    "4 1 0:3 /src/x /run/x rw - ext4 /dev/a rw\n"
    "5 2 0:4 /null /proc/kcore ro - devtmpfs udev rw\n"
    "6 2 0:5 / /proc/acpi ro - tmpfs tmpfs ro\n"
    "7 1 0:6 /c /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    "8 1 0:7 / /odd\\040name rw master:1 - tmpfs tmpfs rw\n"
    "9 3 0:8 / /data/below rw - tmpfs tmpfs rw\n"
    "10 3 0:9 / /data/pids rw - proc proc rw\n"
    "11 1 0:3 /deep/er /added rw - ext4 /dev/a rw\n"
    "12 1 0:9 / /pids rw - proc proc rw\n"
    "13 1 0:10 / /hidden rw - tmpfs tmpfs rw\n"
    "14 1 0:3 /other /dev/null rw - ext4 /dev/a rw\n"
    "garbage\n";

constexpr const char* kHosts =
    "1 0 0:3 / / rw - ext4 /dev/a rw\n"
    "2 1 0:9 / /proc rw - proc proc rw\n"
    "3 1 0:10 / /covered rw - tmpfs tmpfs rw\n"
    "4 3 0:11 / /covered rw - tmpfs tmpfs rw\n"
    "5 1 0:8 / /vol/below rw - tmpfs tmpfs rw\n"
    "6 1 0:2 / /elsewhere rw - proc proc rw\n";

std::vector<std::string> words_of(const std::vector<ExternalMount>& mounts) {
  std::vector<std::string> words;
  for (const ExternalMount& mount : mounts) words.push_back(mount.key + "=" + mount.value);
  return words;
}

TEST(CriuMounts, WhatComesFromOutsideIsExternal) {
  const DumpedMounts mounts =
      dumped_mounts(config_of(kMounts), kMountinfo, kHosts, [](const std::string& path) {
        return path == "/var/run/x" ? std::optional<std::string>("/run/x") : std::nullopt;
      });
  EXPECT_EQ(words_of(mounts.external),
            (std::vector<std::string>{"/data=/data", "/run/x=/var/run/x", "/proc/kcore=/dev/null",
                                      "/data/below=/data/below", "/data/pids=/data/pids", "/added=/added",
                                      "/dev/null=/dev/null", "/sys/fs/cgroup/memory=/sys/fs/cgroup/memory"}));
  EXPECT_EQ(words_of(mounts.unforeseen),
            (std::vector<std::string>{"/data/below=/vol/below", "/data/pids=/proc", "/added=/deep/er",
                                      "/dev/null=/other"}));
}

TEST(CriuMounts, TheyComeBackFromWhereTheConfigSays) {
  const auto mounts = restored_mounts(
      config_of(kMounts), "/b", {{"memory", "/sys/fs/cgroup/memory/c"}},
      {{"/data/below", "/old/below"}, {"/added", "/deep/er"}, {"/gone", "/x"}, {"/database", "/y"}});
  EXPECT_EQ(words_of(mounts),
            (std::vector<std::string>{"/data=/b/vol", "/var/run/x=/src/x", "/gone=/src/gone",
                                      "/sys/fs/cgroup/memory=/sys/fs/cgroup/memory/c", "/dev/null=/dev/null",
                                      "/data/below=/b/vol/below", "/added=/deep/er", "/database=/y"}));
  EXPECT_EQ(words_of(parse_mounts(mounts_json({{"/a b", "/\"c"}})).value()),
            std::vector<std::string>{"/a b=/\"c"});
}

TEST(CriuNamespaces, BothEndsCallThemTheSame) {
  EXPECT_EQ(external_namespace(spec::NamespaceType::network, 42), "net[42]:extRootNetNS");
  EXPECT_EQ(namespace_key(spec::NamespaceType::pid), "extRootPidNS");
  const auto joined = joined_namespaces(config_of(
      R"("linux":{"namespaces":[{"type":"ipc","path":"/i"},{"type":"network","path":"/n"},{"type":"uts"}]})"));
  ASSERT_TRUE(joined.ok());
  ASSERT_EQ(joined->size(), 1u);
  EXPECT_EQ(joined->front().type, "ipc");
  EXPECT_EQ(joined->front().path, "/i");
  const auto refused =
      joined_namespaces(config_of(R"("linux":{"namespaces":[{"type":"cgroup","path":"/c"}]})"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::unsupported);
}

TEST(CriuCgroups, EachControllerHasARoot) {
  const auto roots = cgroup_roots("12:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c:d\nodd\n");
  std::vector<std::string> found;
  for (const CgroupRoot& root : roots) found.push_back(root.controller + "=" + root.path);
  EXPECT_EQ(found, (std::vector<std::string>{"cpu=/a", "cpuacct=/a", "name=systemd=/b", "=/c:d"}));
}

}  // namespace
}  // namespace davit::criu
