// features.md and features-linux.md.
#include "clause.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::mount_entry;

class FeaturesSpec : public SpecTest {
 protected:
  void SetUp() override {
    SKIP_FOR("crun", "1.8.1 has no features");
    const Outcome outcome = support::run({runtime.path(), "features"});
    ASSERT_TRUE(outcome.ok()) << outcome.all();
    features = Json::parse(outcome.out);
  }
  Json features;
};

TEST_F(FeaturesSpec, Versions) {
  CLAUSE("features-3", "features-14", "features-15", "features-17", "features-18", "features-19",
         "features-20");
  for (const char* key : {"ociVersionMin", "ociVersionMax"}) {
    Json config = default_config();
    config["ociVersion"] = features.get(key).str();
    EXPECT_EQ(output(config, "echo fine"), "fine") << key;
  }
  EXPECT_LE(features.get("ociVersionMin").str(), features.get("ociVersionMax").str());
  for (const auto& [name, value] : features.members()) {
    bool known = false;
    for (const char* property : {"ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux",
                                 "annotations", "potentiallyUnsafeConfigAnnotations"})
      known = known || name == property;
    EXPECT_TRUE(known) << name;
  }
}

TEST_F(FeaturesSpec, Hooks) {
  CLAUSE("features-31", "features-32");
  ASSERT_TRUE(features.get("hooks").is_array());
  Json config = default_config();
  for (const auto& name : features.get("hooks").items())
    config["hooks"][name.str()] = Json::parse(R"([{"path": "/bin/true"}])");
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(FeaturesSpec, MountOptions) {
  CLAUSE("features-48", "features-49", "features-50");
  ASSERT_TRUE(features.get("mountOptions").is_array());
  for (const char* filesystem_specific : {"size=1m", "mode=755", "gid=5", "newinstance"}) {
    EXPECT_FALSE(features.get("mountOptions").contains(filesystem_specific));
  }
  if (!runtime.is_davit()) return;
  for (const char* option :
       {"async",       "atime",      "bind",       "defaults",   "dev",           "diratime",    "dirsync",
        "exec",        "iversion",   "lazytime",   "loud",       "noatime",       "nodev",       "nodiratime",
        "noexec",      "noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid",      "private",
        "rbind",       "relatime",   "remount",    "ro",         "rprivate",      "rshared",     "rslave",
        "runbindable", "rw",         "shared",     "silent",     "slave",         "strictatime", "suid",
        "sync",        "unbindable"})
    EXPECT_TRUE(features.get("mountOptions").contains(option)) << option;
}

TEST_F(FeaturesSpec, Namespaces) {
  CLAUSE("features-linux-7", "features-linux-8", "features-124");
  for (const char* type : {"pid", "network", "mount", "ipc", "uts", "user", "cgroup"}) {
    EXPECT_TRUE(features.get("linux").get("namespaces").contains(type)) << type;
  }
}

TEST_F(FeaturesSpec, Capabilities) {
  CLAUSE("features-linux-26", "features-linux-27");
  const Json& names = features.get("linux").get("capabilities");
  EXPECT_GE(names.size(), 38U);
  Bundle bundle;
  bundle.config["process"]["capabilities"]["bounding"] = names;
  bundle.config["process"]["capabilities"]["bounding"] = support::all_capabilities().get("bounding");
  bundle.sh("echo fine");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "fine\n") << outcome.all();
}

TEST_F(FeaturesSpec, Cgroup) {
  CLAUSE("features-linux-79", "features-linux-82", "features-linux-83", "features-linux-84");
  const Json& cgroup = features.get("linux").get("cgroup");
  EXPECT_TRUE(cgroup.get("v1").is_true());
  EXPECT_TRUE(cgroup.get("v2").is_true());
  EXPECT_TRUE(cgroup.has("systemd"));
}

TEST_F(FeaturesSpec, Seccomp) {
  CLAUSE("features-linux-102", "features-linux-105", "features-linux-106", "features-linux-107",
         "features-linux-108", "features-linux-109", "features-linux-110", "features-linux-111");
  const Json& seccomp = features.get("linux").get("seccomp");
  ASSERT_TRUE(seccomp.get("enabled").is_true());
  for (const auto& action : seccomp.get("actions").items()) {
    if (action.str() == "SCMP_ACT_NOTIFY") continue;  // needs an agent
    Json config = default_config();
    config["linux"]["seccomp"] = Json::object({{"defaultAction", "SCMP_ACT_ALLOW"}});
    config["linux"]["seccomp"]["syscalls"].push(
        Json::object({{"names", Json(std::vector<std::string>{"kexec_load"})}, {"action", action}}));
    EXPECT_EQ(output(config, "echo fine"), "fine") << action.str();
  }
  Json config = default_config();
  config["linux"]["seccomp"] = Json::object({{"defaultAction", "SCMP_ACT_ALLOW"}});
  // Architectures of another byte order cannot be in one filter with ours.
  for (const char* arch : {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}) {
    EXPECT_TRUE(seccomp.get("archs").contains(arch)) << arch;
    config["linux"]["seccomp"]["architectures"].push(arch);
  }
  for (const auto& op : seccomp.get("operators").items()) {
    Json rule = Json::parse(R"({"names": ["kexec_load"], "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 0, "value": 1, "valueTwo": 1}]})");
    rule["args"][0]["op"] = op;
    config["linux"]["seccomp"]["syscalls"].push(rule);
  }
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(FeaturesSpec, SeccompFlags) {
  CLAUSE("features-linux-112", "features-linux-113", "features-linux-114", "features-linux-116");
  SKIP_FOR("runc", "1.1.5 does not list them");
  const Json& seccomp = features.get("linux").get("seccomp");
  ASSERT_TRUE(seccomp.get("knownFlags").is_array());
  Json config = default_config();
  config["linux"]["seccomp"] = Json::object({{"defaultAction", "SCMP_ACT_ALLOW"}});
  config["linux"]["seccomp"]["syscalls"].push(
      Json::parse(R"({"names": ["sync"], "action": "SCMP_ACT_ERRNO"})"));
  for (const auto& flag : seccomp.get("supportedFlags").items()) {
    // Makes sense with a listener only.
    if (flag.str() == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") continue;
    config["linux"]["seccomp"]["flags"].push(flag);
  }
  EXPECT_EQ(output(config, "echo fine"), "fine");
}

TEST_F(FeaturesSpec, SecurityModulesAndTheRest) {
  CLAUSE("features-linux-170", "features-linux-173", "features-linux-185", "features-linux-188");
  EXPECT_TRUE(features.get("linux").get("apparmor").has("enabled"));
  EXPECT_TRUE(features.get("linux").get("selinux").has("enabled"));
}

TEST_F(FeaturesSpec, NewerParts) {
  CLAUSE("features-linux-200", "features-linux-202", "features-linux-203", "features-linux-205",
         "features-linux-206", "features-linux-231", "features-linux-234", "features-linux-252",
         "features-linux-254", "features-linux-255", "features-linux-257", "features-linux-271",
         "features-linux-273", "features-145", "features-129", "features-131");
  SKIP_FOR("runc", "1.1.5 is older than they are");
  const Json& linux_ = features.get("linux");
  EXPECT_TRUE(linux_.get("memoryPolicy").get("modes").contains("MPOL_BIND"));
  EXPECT_TRUE(linux_.get("memoryPolicy").get("flags").contains("MPOL_F_STATIC_NODES"));
  EXPECT_TRUE(linux_.get("intelRdt").has("enabled"));
  EXPECT_TRUE(linux_.get("mountExtensions").get("idmap").get("enabled").is_true());
  EXPECT_TRUE(linux_.get("netDevices").has("enabled"));
  EXPECT_TRUE(features.get("potentiallyUnsafeConfigAnnotations").is_array() ||
              features.get("potentiallyUnsafeConfigAnnotations").is_null());
  for (const auto& [key, value] : features.get("annotations").members()) {
    EXPECT_TRUE(value.is_string()) << key;
  }
}

}  // namespace
}  // namespace spec_tests
