// SPDX-License-Identifier: Apache-2.0
// config-linux.md, but for seccomp.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clause.hpp"
#include "support/view.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::eventually;
using support::minimal_config;
using support::read_file;
using support::read_link;
using support::remove_namespace;
using support::View;

class LinuxSpec : public SpecTest {
 protected:
  static std::string own(const std::string& file) { return read_link("/proc/self/ns/" + file); }
};

TEST_F(LinuxSpec, NewNamespaces) {
  CLAUSE("config-linux-29", "config-linux-43", "config-523", "config-524");
  const std::pair<const char*, const char*> types[] = {{"pid", "pid"},   {"network", "net"},
                                                       {"mount", "mnt"}, {"ipc", "ipc"},
                                                       {"uts", "uts"},   {"cgroup", "cgroup"}};
  for (const auto& [type, file] : types) {
    Json config = minimal_config();
    remove_namespace(config, type);
    config["linux"]["namespaces"].push(Json::object({{"type", type}}));
    EXPECT_NE(output(config, std::string("readlink /proc/self/ns/") + file), own(file)) << type;
  }
  Json config = default_config();
  support::add_user_namespace(config);
  EXPECT_NE(output(config, "readlink /proc/self/ns/user"), own("user"));
}

TEST_F(LinuxSpec, MissingTypesAreInherited) {
  CLAUSE("config-linux-45");
  for (const char* file : {"net", "ipc", "uts", "user", "cgroup"}) {
    EXPECT_EQ(output(minimal_config(), std::string("readlink /proc/self/ns/") + file), own(file)) << file;
  }
}

TEST_F(LinuxSpec, JoinedNamespaces) {
  CLAUSE("config-linux-38", "config-linux-40");
  const Child holder({"sleep", "1000"},
                     {.in_child = [] { (void)unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS); }});
  const std::string proc = "/proc/" + std::to_string(holder.pid());
  ASSERT_TRUE(eventually([&] { return read_file(proc + "/comm") == "sleep\n"; }));
  const std::pair<const char*, const char*> types[] = {{"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}};
  for (const auto& [type, file] : types) {
    Json config = default_config();
    config.erase("hostname");
    remove_namespace(config, type);
    config["linux"]["namespaces"].push(Json::object({{"type", type}, {"path", proc + "/ns/" + file}}));
    EXPECT_EQ(output(config, std::string("readlink /proc/self/ns/") + file), read_link(proc + "/ns/" + file))
        << type;
    CLAUSE("config-linux-39");
    config["linux"]["namespaces"].items().back()["path"] = std::string("ns/") + file;
    refused(config);
  }
}

TEST_F(LinuxSpec, APathOfAnotherTypeIsAnError) {
  CLAUSE("config-linux-41");
  Json config = default_config();
  remove_namespace(config, "ipc");
  config["linux"]["namespaces"].push(Json::object({{"type", "ipc"}, {"path", "/proc/self/ns/net"}}));
  refused(config);
}

TEST_F(LinuxSpec, DuplicateNamespacesAreErrors) {
  CLAUSE("config-linux-46");
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "pid"}}));
  refused(config);
}

TEST_F(LinuxSpec, UserNamespaceMappings) {
  CLAUSE("config-linux-83", "config-linux-84", "config-linux-88", "config-linux-89", "config-linux-90",
         "config-linux-92");
  Bundle bundle;
  support::add_user_namespace(bundle.config);
  bundle.sh("tr -s ' ' </proc/self/uid_map; tr -s ' ' </proc/self/gid_map");
  struct stat before {};
  ASSERT_EQ(stat(bundle.rootfs().c_str(), &before), 0);
  EXPECT_EQ(run_bundle(bundle).out, " 0 100000 65536\n 0 100000 65536\n");
  struct stat after {};
  ASSERT_EQ(stat(bundle.rootfs().c_str(), &after), 0);
  EXPECT_EQ(before.st_uid, after.st_uid);
}

TEST_F(LinuxSpec, DevicesAreSupplied) {
  CLAUSE("config-linux-127", "config-linux-132", "config-linux-134", "config-linux-136", "config-linux-137",
         "config-linux-138", "config-linux-140", "config-linux-141");
  Json config = default_config();
  config["linux"]["devices"] = Json::parse(R"([
      {"path": "/dev/one", "type": "c", "major": 10, "minor": 229, "fileMode": 384, "uid": 3, "gid": 4},
      {"path": "/other/two", "type": "b", "major": 7, "minor": 1, "fileMode": 432},
      {"path": "/dev/three", "type": "p", "fileMode": 420},
      {"path": "/dev/four", "type": "u", "major": 1, "minor": 7}])");
  const std::string text = output(config, "probe devices /dev; probe devices /other");
  for (const char* line : {"one c 0600 3:4 10:229", "two b 0660 0:0 7:1", "three p 0644 0:0", "four c "}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST_F(LinuxSpec, AnotherFileAtADevicesPathIsAnError) {
  CLAUSE("config-linux-135");
  Bundle bundle;
  support::write_file(bundle.rootfs() + "/file", "x");
  bundle.config["linux"]["devices"] =
      Json::parse(R"([{"path": "/file", "type": "c", "major": 1, "minor": 3}])");
  refused(bundle);
}

TEST_F(LinuxSpec, DeviceRulesInTheirOrder) {
  CLAUSE("config-linux-404", "config-linux-405", "config-linux-409", "config-linux-410", "config-linux-412",
         "config-linux-414", "config-linux-145");
  Json config = minimal_config();
  config["mounts"].push(support::mount_entry("/dev", "tmpfs", "tmpfs", {"mode=755"}));
  config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  config["linux"]["resources"]["devices"] = Json::parse(R"([{"allow": false, "access": "rwm"},
      {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}])");
  EXPECT_NE(output(config, "probe call mknod-kmsg open-kmsg; true").find("open-kmsg ok"), std::string::npos);
  config["linux"]["resources"]["devices"] = Json::parse(R"([
      {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}, {"allow": false, "access": "rwm"}])");
  EXPECT_NE(output(config, "probe call mknod-kmsg open-kmsg; true").find("open-kmsg EPERM"),
            std::string::npos);
}

TEST_F(LinuxSpec, Sysctl) {
  CLAUSE("config-linux-862");
  Json config = default_config();
  config["linux"]["sysctl"]["net.ipv4.ip_forward"] = "1";
  EXPECT_EQ(output(config, "cat /proc/sys/net/ipv4/ip_forward"), "1");
}

TEST_F(LinuxSpec, RootfsPropagation) {
  CLAUSE("config-linux-1045");
  for (const char* value : {"shared", "private", "slave", "unbindable"}) {
    Json config = default_config();
    config["linux"]["rootfsPropagation"] = value;
    const std::string line =
        output(config, "grep ' / / ' /proc/self/mountinfo || grep ' / rw' /proc/self/mountinfo");
    if (std::string(value) == "shared") {
      EXPECT_NE(line.find("shared:"), std::string::npos) << line;
    }
    if (std::string(value) == "private") {
      EXPECT_EQ(line.find("shared:"), std::string::npos) << line;
    }
  }
}

TEST_F(LinuxSpec, MaskedAndReadonlyPaths) {
  CLAUSE("config-linux-1067", "config-linux-1080");
  Json config = default_config();
  config["linux"]["maskedPaths"] = Json(std::vector<std::string>{"/etc/passwd", "/root"});
  config["linux"]["readonlyPaths"] = Json(std::vector<std::string>{"/tmp"});
  EXPECT_EQ(output(config,
                   "wc -c </etc/passwd; touch /root/x 2>/dev/null || echo masked; "
                   "touch /tmp/x 2>/dev/null || echo readonly"),
            "0\nmasked\nreadonly");
}

TEST_F(LinuxSpec, MaskedAndReadonlyPathsAreAbsolute) {
  for (const char* key : {"maskedPaths", "readonlyPaths"}) {
    CLAUSE(key == std::string("maskedPaths") ? "config-linux-1068" : "config-linux-1081");
    Json config = default_config();
    config["linux"][key] = Json(std::vector<std::string>{"etc/passwd"});
    refused(config);
  }
}

TEST_F(LinuxSpec, TimeOffsets) {
  CLAUSE("config-linux-116", "config-linux-122", "config-linux-123");
  NEEDS_FEATURE("linux.namespaces=time", "1.1");
  SKIP_UNLESS(support::exists("/proc/self/ns/time"), "this kernel has no time namespaces");
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "time"}}));
  config["linux"]["timeOffsets"] = Json::parse(R"({"monotonic": {"secs": 77, "nanosecs": 5}})");
  EXPECT_NE(output(config, "tr -s ' \\t' ' ' </proc/self/timens_offsets").find("monotonic 77 5"),
            std::string::npos);
}

TEST_F(LinuxSpec, MemoryPolicy) {
  CLAUSE("config-linux-823", "config-linux-826", "config-linux-838");
  NEEDS_FEATURE("linux.memoryPolicy.modes=MPOL_BIND", "1.3");
  Json config = default_config();
  config["linux"]["memoryPolicy"] = Json::parse(R"({"mode": "MPOL_NOSUCH"})");
  refused(config);
  SKIP_UNLESS(support::exists("/sys/devices/system/node/node0"), "this kernel knows no memory nodes");
  config["linux"]["memoryPolicy"] = Json::parse(R"({"mode": "MPOL_BIND", "nodes": "0"})");
  EXPECT_TRUE(has_line(report(config), "mempolicy 2 nodes 1"));
  CLAUSE("config-linux-840");
  config["linux"]["memoryPolicy"]["flags"] = Json(std::vector<std::string>{"MPOL_F_STATIC_NODES"});
  EXPECT_TRUE(has_line(report(config), "mempolicy 32770 nodes 1"));
}

TEST_F(LinuxSpec, Personality) {
  CLAUSE("config-linux-1103", "config-linux-1108");
  Json config = default_config();
  config["linux"]["personality"] = Json::parse(R"({"domain": "LINUX32"})");
  EXPECT_TRUE(has_line(report(config), "personality 0x8"));
  CLAUSE("config-linux-1115");
  config["linux"]["personality"] = Json::parse(R"({"domain": "LINUX", "flags": []})");
  EXPECT_TRUE(has_line(report(config), "personality 0"));
  CLAUSE("config-linux-1115", "config-760");
  config["linux"]["personality"] = Json::parse(R"({"domain": "LINUX", "flags": ["NOSUCH"]})");
  refused(config);
}

TEST_F(LinuxSpec, MountLabel) {
  CLAUSE("config-linux-1093", "runtime-116");
  NEEDS_FEATURE("linux.selinux.enabled", "1.0");
  SKIP_UNLESS(!support::exists("/sys/fs/selinux/enforce"), "has no test for a host with SELinux");
  Json config = default_config();
  config["linux"]["mountLabel"] = "system_u:object_r:no_such_t:s0";
  refused(config);
}

}  // namespace
}  // namespace spec_tests
