// SPDX-License-Identifier: Apache-2.0
// Whole documents: what engines send, the samples of the specification, and what davit writes itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "davit/json/document.hpp"
#include "davit/spec/defaults.hpp"
#include "davit/spec/features.hpp"
#include "davit/spec/names.hpp"
#include "davit/spec/reader.hpp"
#include "davit/spec/state.hpp"
#include "spec/sections.hpp"

namespace davit::spec {
namespace {

const std::filesystem::path kTests = DAVIT_TESTS_DIR;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  EXPECT_FALSE(files.empty()) << folder;
  return files;
}

std::string complaints(const std::vector<Error>& errors) {
  std::string lines;
  for (const Error& error : errors) lines += std::string(describe(error).view()) + "\n";
  return lines;
}

TEST(SpecDocuments, AcceptsWhatEnginesSend) {
  for (const auto& file : files_in(kTests / "golden/captured")) {
    const auto read = read_config(slurp(file), file.filename().string());
    EXPECT_EQ(complaints(read.errors), "") << file;
    EXPECT_EQ(complaints(read.warnings), "") << file;
    EXPECT_TRUE(read.value.process.has_value()) << file;
  }
}

TEST(SpecDocuments, UnderstandsAPodmanConfig) {
  const auto read = read_config(slurp(kTests / "golden/captured/podman-root-limits.json"), "config.json");
  ASSERT_TRUE(read.ok());
  const Config& config = read.value;
  EXPECT_EQ(config.process->user.umask, 18u);
  EXPECT_EQ(config.process->rlimits.at(0).type, "RLIMIT_NOFILE");
  EXPECT_EQ(config.annotations.at("io.container.manager"), "libpod");
  EXPECT_EQ(config.linux.seccomp->default_action, SeccompAction::error);
  EXPECT_EQ(config.linux.seccomp->default_errno_ret, 38u);
  EXPECT_GT(config.linux.seccomp->syscalls.at(1).names.size(), 300u);
  ASSERT_NE(config.linux.find_namespace(NamespaceType::network), nullptr);
  EXPECT_EQ(config.linux.find_namespace(NamespaceType::network)->path, "");
  EXPECT_EQ(config.linux.find_namespace(NamespaceType::user), nullptr);
}

TEST(SpecDocuments, AcceptsTheSamplesOfTheSpecification) {
  for (const auto& file : files_in(kTests / "golden/spec/good"))
    EXPECT_EQ(complaints(read_config(slurp(file), "config.json").errors), "") << file;
}

TEST(SpecDocuments, RefusesTheBadSamplesOfTheSpecification) {
  for (const auto& file : files_in(kTests / "golden/spec/bad")) {
    const auto read = read_config(slurp(file), "config.json");
    ASSERT_EQ(read.errors.size(), 1u) << file;
    EXPECT_NE(read.errors[0].where.line, 0u) << file;
  }
}

TEST(SpecDocuments, ReadsEveryKeyIntoItsField) {
  const auto read = read_config(slurp(kTests / "golden/spec/every-key.json"), "every-key.json");
  ASSERT_EQ(complaints(read.errors), "");
  EXPECT_EQ(complaints(read.warnings), "");
  const Config& config = read.value;
  EXPECT_TRUE(config.root.readonly);
  EXPECT_EQ(config.domainname, "example.test");
  const Process& process = *config.process;
  EXPECT_EQ(process.console_size->width, 80);
  EXPECT_EQ(process.user.additional_gids, (std::vector<std::uint32_t>{5, 6}));
  EXPECT_EQ(process.capabilities->permitted, std::vector<std::string>{"CAP_CHOWN"});
  EXPECT_EQ(process.rlimits[0].hard, UINT64_MAX);
  EXPECT_EQ(process.rlimits[0].soft, 1024u);
  EXPECT_EQ(process.oom_score_adj, -500);
  EXPECT_EQ(process.scheduler->policy, SchedulerPolicy::deadline);
  EXPECT_EQ(process.scheduler->deadline, 200000u);
  EXPECT_EQ(process.io_priority->priority_class, IoPriorityClass::idle);
  EXPECT_EQ(process.exec_cpu_affinity.final, "2,3");
  EXPECT_EQ(config.mounts[0].gid_mappings[0].host_id, 1000u);
  EXPECT_EQ(config.hooks.prestart[0].args[1], "prestart");
  EXPECT_EQ(config.hooks.poststop[0].timeout, 3u);
  const Linux& linux = config.linux;
  EXPECT_EQ(linux.namespaces.size(), kNamespaceTypes);
  EXPECT_EQ(linux.time_offsets->monotonic->secs, -5);
  EXPECT_EQ(linux.devices[0].minor, 229u);
  EXPECT_EQ(linux.devices[0].file_mode, 0666u);
  EXPECT_EQ(linux.devices[1].type, DeviceType::fifo);
  EXPECT_EQ(linux.net_devices[0].name, "eth%d");
  EXPECT_EQ(linux.resources.memory.swap, -1);
  EXPECT_TRUE(linux.resources.memory.check_before_update);
  EXPECT_EQ(linux.resources.cpu.burst, 1000u);
  EXPECT_EQ(linux.resources.pids.limit, 0);
  EXPECT_EQ(linux.resources.block_io.throttle_write_iops[0].rate, 4u);
  EXPECT_EQ(linux.resources.block_io.throttle_write_bps[0].rate, 2u);
  EXPECT_EQ(linux.resources.hugepage_limits[0].limit, 0u);
  EXPECT_EQ(linux.resources.network.class_id, 1048577u);
  EXPECT_EQ(linux.resources.rdma[0].hca_objects, 10000u);
  EXPECT_EQ(linux.resources.unified[0].file, "memory.high");
  EXPECT_EQ(linux.intel_rdt->schemata[0], "L2:0=1");
  EXPECT_EQ(linux.memory_policy->flags[0], MemoryPolicyFlag::static_nodes);
  EXPECT_EQ(linux.sysctl[0].value, "1");
  EXPECT_EQ(linux.seccomp->syscalls[0].args[0].op, SeccompOperator::masked_equal);
  EXPECT_EQ(linux.seccomp->syscalls[0].args[0].value, UINT64_MAX);
  EXPECT_EQ(linux.rootfs_propagation, RootfsPropagation::rslave);
  EXPECT_EQ(linux.personality->domain, PersonalityDomain::linux32);
}

TEST(SpecDocuments, WritesADefaultThatItReads) {
  const Config config = default_config();
  EXPECT_EQ(config.process->args, std::vector<std::string>{"sh"});
  EXPECT_TRUE(config.process->no_new_privileges);
  EXPECT_TRUE(config.root.readonly);
  EXPECT_EQ(config.mounts.size(), 7u);
  EXPECT_EQ(config.linux.find_namespace(NamespaceType::user), nullptr);
  ASSERT_EQ(config.linux.resources.devices.size(), 1u);
  EXPECT_FALSE(config.linux.resources.devices[0].allow);

  EXPECT_NE(config.linux.find_namespace(NamespaceType::cgroup), nullptr);
  const auto on_v1 = read_config(default_config_json(false), "config.json");
  EXPECT_EQ(on_v1.value.linux.find_namespace(NamespaceType::cgroup), nullptr);

  const auto rootless = read_config(rootless_config_json(1000, 100, true), "config.json");
  EXPECT_EQ(complaints(rootless.errors) + complaints(rootless.warnings), "");
  EXPECT_EQ(rootless.value.linux.uid_mappings.at(0).host_id, 1000u);
  EXPECT_EQ(rootless.value.linux.gid_mappings.at(0).host_id, 100u);
  EXPECT_NE(rootless.value.linux.find_namespace(NamespaceType::user), nullptr);
  EXPECT_EQ(rootless.value.linux.find_namespace(NamespaceType::network), nullptr);
  for (const Mount& mount : rootless.value.mounts)
    EXPECT_EQ(std::count(mount.options.begin(), mount.options.end(), "gid=5"), 0) << "gid 5 is not mapped";
}

TEST(SpecDocuments, WritesTheState) {
  State state;
  state.id = "web";
  state.pid = 42;
  state.status = Status::running;
  state.bundle = "/b\"";
  EXPECT_EQ(state_json(state, JsonStyle::compact),
            R"({"ociVersion":"1.3.0","id":"web","pid":42,"status":"running","bundle":"/b\""})");
  EXPECT_EQ(states_json({}), "null");
  EXPECT_EQ(container_process_state_json(state, {"seccompFd"}, 42, "m"),
            R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":42,"metadata":"m","state":)" +
                state_json(state, JsonStyle::compact) + "}");
  state.rootfs = "/b/rootfs";
  state.created = "2026-01-02T03:04:05.000000006Z";
  state.annotations = {{"a", "1"}};
  state.owner = "root";
  EXPECT_EQ(
      states_json({state}),
      R"([{"ociVersion":"1.3.0","id":"web","pid":42,"status":"running","bundle":"/b\"","rootfs":"/b/rootfs",)"
      R"("created":"2026-01-02T03:04:05.000000006Z","annotations":{"a":"1"},"owner":"root"}])");
}

TEST(SpecDocuments, FeaturesTellUnknownFromNone) {
  Features features;
  features.oci_version_min = "1.0.0";
  features.oci_version_max = "1.3.0";
  features.hooks = std::vector<std::string>{};
  features.linux.cgroup.v1 = false;
  features.linux.idmap = true;
  EXPECT_EQ(features_json(features), R"({
  "ociVersionMin": "1.0.0",
  "ociVersionMax": "1.3.0",
  "hooks": [],
  "linux": {
    "cgroup": {
      "v1": false
    },
    "mountExtensions": {
      "idmap": {
        "enabled": true
      }
    }
  }
}
)");
  const std::string known = features_json(reader_features());
  const auto parsed = json::Document::parse(known, "features");
  ASSERT_NE(parsed.document, nullptr);
  const json::Value linux = parsed.document->root().find("linux");
  EXPECT_EQ(linux.find("namespaces").size(), 8u);
  EXPECT_EQ(linux.find("seccomp").find("archs").size(), 23u);
  EXPECT_EQ(linux.find("memoryPolicy").find("modes").size(), 7u);
}

TEST(SpecDocuments, NamesEnumerators) {
  EXPECT_EQ(name_of(NamespaceType::network), "network");
  EXPECT_EQ(name_of(SeccompAction::error), "SCMP_ACT_ERRNO");
  EXPECT_EQ(name_of(RootfsPropagation::rslave), "rslave");
}

}  // namespace
}  // namespace davit::spec
