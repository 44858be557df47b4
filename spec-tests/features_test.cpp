// SPDX-License-Identifier: Apache-2.0
// features.md and features-linux.md: what a runtime says of itself must be true.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "clause.hpp"
#include "support/view.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::mount_entry;

class FeaturesSpec : public SpecTest {
 protected:
  FeaturesSpec() : features(claims().features()), linux_(features.get("linux")) {}
  /// Null, or of that kind: every property may be left out.
  static void optional(const Json& value, Json::Kind kind, const std::string& name) {
    EXPECT_TRUE(value.is_null() || value.kind() == kind) << name << ": " << value.dump();
  }
  static void optional_strings(const Json& value, const std::string& name) {
    optional(value, Json::Kind::array, name);
    for (const auto& item : value.items()) {
      EXPECT_TRUE(item.is_string()) << name << ": " << item.dump();
    }
  }
  const Json& features;
  const Json& linux_;
};

#define NEEDS_FEATURES \
  SKIP_IF_(features.is_null() ? std::string("this runtime has no `features`") : std::string())

TEST_F(FeaturesSpec, Versions) {
  CLAUSE("features-14", "features-15", "features-17", "features-18");
  NEEDS_FEATURES;
  for (const char* key : {"ociVersionMin", "ociVersionMax"}) {
    ASSERT_TRUE(features.get(key).is_string()) << key;
    Json config = default_config();
    config["ociVersion"] = features.get(key).str();
    EXPECT_EQ(output(config, "echo fine"), "fine") << key;
  }
  CLAUSE("features-19");
  EXPECT_LE(features.get("ociVersionMin").str(), features.get("ociVersionMax").str());
}

TEST_F(FeaturesSpec, HoldsNothingElse) {
  CLAUSE("features-3", "features-20");
  NEEDS_FEATURES;
  for (const auto& [name, value] : features.members()) {
    bool known = false;
    for (const char* property : {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux",
                                 "annotations", "potentiallyUnsafeConfigAnnotations"})
      known = known || name == property;
    EXPECT_TRUE(known) << name;
  }
}

TEST_F(FeaturesSpec, DoesNotDependOnTheMachine) {
  CLAUSE("features-7");
  NEEDS_FEATURES;
  const Outcome as_user = runtime.as_user(1000, {"features"});
  EXPECT_TRUE(as_user.ok()) << as_user.all();
  EXPECT_EQ(Json::try_parse(as_user.out).value_or(Json()).dump(), features.dump());
  if (support::missing(support::View::v2).empty()) {
    runtime.view = support::View::v2;
    EXPECT_EQ(Json::try_parse(runtime({"features"}).out).value_or(Json()).dump(), features.dump());
  }
}

TEST_F(FeaturesSpec, AnEmptyValueIsNotNull) {
  CLAUSE("features-9", "features-10");
  NEEDS_FEATURES;
  Json config = default_config();
  if (linux_.get("seccomp").get("enabled").kind() == Json::Kind::boolean &&
      !linux_.get("seccomp").get("enabled").is_true()) {
    config["linux"]["seccomp"]["defaultAction"] = "SCMP_ACT_ALLOW";
    refused(config);
  }
  // A list that is there but empty says that the runtime knows none.
  for (const char* list : {"hooks", "mountOptions"}) {
    EXPECT_TRUE(!features.has(list) || features.get(list).is_null() || features.get(list).size() > 0) << list;
  }
}

TEST_F(FeaturesSpec, Hooks) {
  CLAUSE("features-31", "features-32");
  NEEDS_FEATURES;
  optional_strings(features.get("hooks"), "hooks");
  Json config = default_config();
  for (const auto& name : features.get("hooks").items())
    config["hooks"][name.str()] = Json::parse(R"([{"path": "/bin/true"}])");
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

/// A mount with that option on a directory of its own.
Json mount_with(const std::string& option, const std::string& source) {
  const std::string place = "/mnt/" + option;
  const bool of_binds = option[0] == 'r' || option.find("idmap") != std::string::npos ||
                        option.find("nofollow") != std::string::npos || option == "copy-symlink" ||
                        option == "bind";
  const bool of_tmpfs = option == "ro" || option == "rw" || option == "relatime";
  if (!of_binds || of_tmpfs) return mount_entry(place, "tmpfs", "tmpfs", {option});
  Json entry = mount_entry(place, "bind", source, {"rbind", option});
  if (option.find("idmap") == std::string::npos) return entry;
  for (const char* key : {"uidMappings", "gidMappings"})
    entry[key] = Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 10}])");
  return entry;
}

TEST_F(FeaturesSpec, MountOptions) {
  CLAUSE("features-48", "features-49");
  NEEDS_FEATURES;
  const Json& options = features.get("mountOptions");
  optional_strings(options, "mountOptions");
  TempDir source;
  Json together = default_config();
  std::vector<std::string> names;
  for (const auto& option : options.items()) {
    if (option.str() == "remount") continue;  // Mounts.Remount
    names.push_back(option.str());
    together["mounts"].push(mount_with(option.str(), source.path()));
  }
  if (!try_script(together, "true").ok())
    for (const auto& name : names) {
      Json config = default_config();
      config["mounts"].push(mount_with(name, source.path()));
      const Outcome outcome = try_script(config, "true");
      EXPECT_TRUE(outcome.ok()) << name << ": " << outcome.all();
    }
  CLAUSE("features-50");
  for (const char* filesystem_specific : {"size=1m", "mode=755", "gid=5", "newinstance"}) {
    EXPECT_FALSE(options.contains(filesystem_specific)) << filesystem_specific;
  }
}

TEST_F(FeaturesSpec, Namespaces) {
  CLAUSE("features-124", "features-linux-7", "features-linux-8");
  NEEDS_FEATURES;
  optional(linux_, Json::Kind::object, "linux");
  optional_strings(linux_.get("namespaces"), "namespaces");
  for (const auto& type : linux_.get("namespaces").items()) {
    Json config = default_config();
    support::remove_namespace(config, type.str());
    if (type.str() == "user")
      support::add_user_namespace(config);
    else
      config["linux"]["namespaces"].push(Json::object({{"type", type}}));
    EXPECT_EQ(output(config, "echo fine"), "fine") << type.str();
  }
}

TEST_F(FeaturesSpec, Capabilities) {
  CLAUSE("features-linux-26", "features-linux-27");
  NEEDS_FEATURES;
  const Json& names = linux_.get("capabilities");
  optional_strings(names, "capabilities");
  // What we lack ourselves cannot be given to a container.
  const Json all = support::all_capabilities();
  const Json& ours = all.get("bounding");
  Json given = Json::array();
  for (const auto& name : names.items())
    if (ours.contains(name.str())) given.push(name);
  Json config = default_config();
  for (const char* set : {"bounding", "effective", "permitted"})
    config["process"]["capabilities"][set] = given;
  std::string bits;
  for (const auto& line : support::split(report(config), '\n'))
    if (line.rfind("CapBnd ", 0) == 0) bits = line.substr(7);
  EXPECT_EQ(static_cast<std::size_t>(__builtin_popcountll(std::stoull("0" + bits, nullptr, 16))),
            given.size());
}

TEST_F(FeaturesSpec, Cgroup) {
  CLAUSE("features-linux-79", "features-linux-82", "features-linux-83");
  NEEDS_FEATURES;
  const Json& cgroup = linux_.get("cgroup");
  optional(cgroup, Json::Kind::object, "cgroup");
  for (const char* key : {"v1", "v2"}) {
    optional(cgroup.get(key), Json::Kind::boolean, key);
    const auto view = key == std::string("v1") ? support::View::v1 : support::View::v2;
    if (!cgroup.get(key).is_true() || !support::missing(view).empty()) continue;
    runtime.view = view;
    Json config = default_config();
    config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
    EXPECT_EQ(output(config, "echo fine"), "fine") << key;
  }
  CLAUSE("features-linux-84", "features-linux-85", "features-linux-86");
  for (const char* key : {"systemd", "systemdUser", "rdma"})
    optional(cgroup.get(key), Json::Kind::boolean, key);
}

class FeaturesOfSeccomp : public FeaturesSpec {
 protected:
  FeaturesOfSeccomp() : seccomp(linux_.get("seccomp")) {}
  static Json filter() {
    Json config = default_config();
    config["linux"]["seccomp"] = Json::object({{"defaultAction", "SCMP_ACT_ALLOW"}});
    return config;
  }
  const Json& seccomp;
};

TEST_F(FeaturesOfSeccomp, Actions) {
  CLAUSE("features-linux-102", "features-linux-105", "features-linux-106", "features-linux-107");
  NEEDS_FEATURES;
  optional(seccomp.get("enabled"), Json::Kind::boolean, "enabled");
  optional_strings(seccomp.get("actions"), "actions");
  for (const auto& action : seccomp.get("actions").items()) {
    if (action.str() == "SCMP_ACT_NOTIFY") continue;  // needs an agent
    Json config = filter();
    config["linux"]["seccomp"]["syscalls"].push(
        Json::object({{"names", Json(std::vector<std::string>{"kexec_load"})}, {"action", action}}));
    EXPECT_EQ(output(config, "echo fine"), "fine") << action.str();
  }
}

TEST_F(FeaturesOfSeccomp, Operators) {
  CLAUSE("features-linux-108", "features-linux-109");
  NEEDS_FEATURES;
  optional_strings(seccomp.get("operators"), "operators");
  Json config = filter();
  for (const auto& op : seccomp.get("operators").items()) {
    Json rule = Json::parse(R"({"names": ["kexec_load"], "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 0, "value": 1, "valueTwo": 1}]})");
    rule["args"][0]["op"] = op;
    config["linux"]["seccomp"]["syscalls"].push(rule);
  }
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(FeaturesOfSeccomp, Architectures) {
  CLAUSE("features-linux-110", "features-linux-111");
  NEEDS_FEATURES;
  const Json& archs = seccomp.get("archs");
  optional_strings(archs, "archs");
  // Architectures of another byte order cannot be in one filter with ours.
  for (const auto& arch : archs.items()) {
    Json config = filter();
    config["linux"]["seccomp"]["architectures"].push(arch);
    const Outcome outcome = try_script(config, "echo fine");
    const bool big = outcome.err.find("endian") != std::string::npos;
    EXPECT_TRUE(outcome.ok() || big || arch.str().find("X86") == std::string::npos)
        << arch.str() << ": " << outcome.all();
  }
}

TEST_F(FeaturesOfSeccomp, Flags) {
  CLAUSE("features-linux-112", "features-linux-113");
  NEEDS_FEATURES;
  optional_strings(seccomp.get("knownFlags"), "knownFlags");
  optional_strings(seccomp.get("supportedFlags"), "supportedFlags");
  for (const auto& flag : seccomp.get("supportedFlags").items()) {
    EXPECT_TRUE(seccomp.get("knownFlags").contains(flag.str()))
        << flag.str() << " is supported, so it is known";
  }
  CLAUSE("features-linux-114", "features-linux-116");
  Json config = filter();
  config["linux"]["seccomp"]["syscalls"].push(
      Json::parse(R"({"names": ["sync"], "action": "SCMP_ACT_ERRNO"})"));
  for (const auto& flag : seccomp.get("supportedFlags").items()) {
    // Makes sense with a listener only.
    if (flag.str() == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") continue;
    config["linux"]["seccomp"]["flags"].push(flag);
  }
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(FeaturesSpec, SecurityModules) {
  CLAUSE("features-linux-170", "features-linux-173", "features-linux-185", "features-linux-188");
  NEEDS_FEATURES;
  for (const char* module : {"apparmor", "selinux"}) {
    optional(linux_.get(module), Json::Kind::object, module);
    optional(linux_.get(module).get("enabled"), Json::Kind::boolean, module);
  }
}

/// MPOL_WEIGHTED_INTERLEAVE is younger than the others (Linux 6.9).
bool weighs_nodes() {
  constexpr int kWeightedInterleave = 6;
  constexpr unsigned long kFirstNode = 1;
  if (syscall(SYS_set_mempolicy, kWeightedInterleave, &kFirstNode, 64UL) != 0) return false;
  syscall(SYS_set_mempolicy, 0, nullptr, 0UL);
  return true;
}

TEST_F(FeaturesSpec, MemoryPolicy) {
  CLAUSE("features-linux-200", "features-linux-202", "features-linux-203");
  NEEDS_FEATURES;
  const Json& policy = linux_.get("memoryPolicy");
  optional_strings(policy.get("modes"), "modes");
  optional_strings(policy.get("flags"), "flags");
  SKIP_IF_(policy.is_null() ? std::string("`features` says nothing of memoryPolicy") : std::string());
  SKIP_UNLESS(support::exists("/sys/devices/system/node/node0"), "this kernel knows no memory nodes");
  for (const auto& mode : policy.get("modes").items()) {
    if (mode.str() == "MPOL_WEIGHTED_INTERLEAVE" && !weighs_nodes()) continue;
    Json config = default_config();
    config["linux"]["memoryPolicy"] = Json::object({{"mode", mode}});
    if (mode.str() != "MPOL_DEFAULT" && mode.str() != "MPOL_LOCAL")
      config["linux"]["memoryPolicy"]["nodes"] = "0";
    EXPECT_EQ(output(config, "echo fine"), "fine") << mode.str();
  }
  CLAUSE("features-linux-205", "features-linux-206");
  for (const auto& flag : policy.get("flags").items()) {
    Json config = default_config();
    config["linux"]["memoryPolicy"] = Json::parse(R"({"mode": "MPOL_BIND", "nodes": "0"})");
    config["linux"]["memoryPolicy"]["flags"].push(flag);
    EXPECT_EQ(output(config, "echo fine"), "fine") << flag.str();
  }
}

TEST_F(FeaturesSpec, IntelRdt) {
  CLAUSE("features-linux-231", "features-linux-234", "features-linux-235", "features-linux-237");
  NEEDS_FEATURES;
  optional(linux_.get("intelRdt"), Json::Kind::object, "intelRdt");
  for (const char* key : {"enabled", "schemata", "monitoring"})
    optional(linux_.get("intelRdt").get(key), Json::Kind::boolean, key);
}

TEST_F(FeaturesSpec, IdmappedMounts) {
  CLAUSE("features-linux-252", "features-linux-254", "features-linux-255", "features-linux-257");
  NEEDS_FEATURES;
  const Json& enabled = linux_.get("mountExtensions").get("idmap").get("enabled");
  optional(enabled, Json::Kind::boolean, "idmap");
  // Whether they are recognized is seen where they are wrong: one mapping without the other.
  TempDir source;
  Json config = default_config();
  Json entry = mount_entry("/mnt", "bind", source.path(), {"bind"});
  for (const char* key : {"uidMappings", "gidMappings"})
    entry[key] = Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 10}])");
  config["mounts"].push(entry);
  const std::string owner = try_script(config, "stat -c %u /mnt").line();
  EXPECT_TRUE(owner == "0" ? !enabled.is_true() : owner.empty() || enabled.is_true())
      << "/mnt belongs to " << owner << ", and `features` says " << enabled.dump();
}

TEST_F(FeaturesSpec, NetDevices) {
  CLAUSE("features-linux-271", "features-linux-273");
  NEEDS_FEATURES;
  optional(linux_.get("netDevices"), Json::Kind::object, "netDevices");
  optional(linux_.get("netDevices").get("enabled"), Json::Kind::boolean, "enabled");
}

TEST_F(FeaturesSpec, Annotations) {
  CLAUSE("features-129", "features-131");
  NEEDS_FEATURES;
  optional(features.get("annotations"), Json::Kind::object, "annotations");
  for (const auto& [key, value] : features.get("annotations").members()) {
    EXPECT_TRUE(value.is_string() && !key.empty()) << key;
  }
  CLAUSE("features-145");
  optional_strings(features.get("potentiallyUnsafeConfigAnnotations"), "potentiallyUnsafeConfigAnnotations");
}

}  // namespace
}  // namespace spec_tests
