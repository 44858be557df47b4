// SPDX-License-Identifier: Apache-2.0
// Each member of `features` is a promise; the list below says which test holds davit to it. One that is new
// fails here until it has a test, too.
#include <map>

#include "support/fixture.hpp"

namespace support {
namespace {

class Features : public ContainerTest {
 protected:
  void SetUp() override { SKIP_UNLESS(runtime.is_davit(), "it is davit's list"); }
};

/// What stands in a document: "/linux/cgroup/v1", and the elements of a list as one, "/hooks".
void add_members(const Json& value, const std::string& pointer, std::vector<std::string>& found) {
  if (value.kind() != Json::Kind::object) return found.push_back(pointer);
  for (const auto& [name, member] : value.members()) add_members(member, pointer + "/" + name, found);
}

TEST_F(Features, EachMemberHasATest) {
  const std::map<std::string, const char*> tests = {
      {"/ociVersionMin", "FeaturesSpec.Versions"},
      {"/ociVersionMax", "FeaturesSpec.Versions"},
      {"/hooks", "FeaturesSpec.Hooks, Hooks"},
      {"/mountOptions", "FeaturesSpec.MountOptions, Mounts"},
      {"/linux/namespaces", "FeaturesSpec.Namespaces"},
      {"/linux/capabilities", "FeaturesSpec.Capabilities"},
      {"/linux/cgroup/v1", "FeaturesSpec.Cgroup"},
      {"/linux/cgroup/v2", "FeaturesSpec.Cgroup"},
      {"/linux/cgroup/systemd", "Systemd (played), vm/ (the real one)"},
      {"/linux/cgroup/systemdUser", "vm/, engines without root"},
      {"/linux/cgroup/rdma", "CgroupSettings (no such hardware)"},
      {"/linux/seccomp/enabled", "FeaturesOfSeccomp.Actions"},
      {"/linux/seccomp/actions", "FeaturesOfSeccomp.Actions, SeccompAgent.Hears"},
      {"/linux/seccomp/operators", "FeaturesOfSeccomp.Operators"},
      {"/linux/seccomp/archs", "FeaturesOfSeccomp.Architectures"},
      {"/linux/seccomp/knownFlags", "FeaturesOfSeccomp.Flags"},
      {"/linux/seccomp/supportedFlags", "FeaturesOfSeccomp.Flags, SeccompAgent.Hears"},
      {"/linux/apparmor/enabled", "vm/, features_lsm_test.cpp"},
      {"/linux/selinux/enabled", "features_lsm_test.cpp (no such guest)"},
      {"/linux/intelRdt/enabled", "Resctrl (a tree that behaves like the kernel's)"},
      {"/linux/intelRdt/schemata", "Resctrl.SchemataOverrideTheOldMembers"},
      {"/linux/intelRdt/monitoring", "Resctrl.MonitoringHasAGroupOfItsOwn"},
      {"/linux/memoryPolicy/modes", "FeaturesSpec.MemoryPolicy"},
      {"/linux/memoryPolicy/flags", "FeaturesSpec.MemoryPolicy"},
      {"/linux/mountExtensions/idmap/enabled", "FeaturesSpec.IdmappedMounts"},
      {"/linux/netDevices/enabled", "NetDevices"},
      {"/annotations/davit.version", "Features.AnnotationsAreThoseOfTheVersion"},
      {"/annotations/io.github.seccomp.libseccomp.version", "Features.AnnotationsAreThoseOfTheVersion"},
      {"/annotations/org.opencontainers.runc.checkpoint.enabled", "Criu"},
      {"/potentiallyUnsafeConfigAnnotations", "Features.AnnotationsThatChangeSomethingAreNamed"},
  };
  std::vector<std::string> members;
  add_members(Json::parse(runtime({"features"}).out), "", members);
  for (const std::string& member : members) EXPECT_TRUE(tests.contains(member)) << member;
  EXPECT_EQ(members.size(), tests.size());
}

TEST_F(Features, AnnotationsAreThoseOfTheVersion) {
  const Json annotations = Json::parse(runtime({"features"}).out).get("annotations");
  const std::string version = runtime({"--version"}).out;
  for (const char* name : {"davit.version", "io.github.seccomp.libseccomp.version"})
    EXPECT_NE(version.find(annotations.get(name).str()), std::string::npos) << name << "\n" << version;
}

TEST_F(Features, AnnotationsThatChangeSomethingAreNamed) {
  const Json named = Json::parse(runtime({"features"}).out).get("potentiallyUnsafeConfigAnnotations");
  for (const char* one : {"org.criu.config", "org.systemd.property.", "run.oci."})
    EXPECT_TRUE(named.contains(one)) << one;
}

}  // namespace
}  // namespace support
