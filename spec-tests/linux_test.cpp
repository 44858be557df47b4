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
  CLAUSE("config-linux-29", "config-linux-43");
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
  CLAUSE("config-linux-38", "config-linux-39", "config-linux-40");
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

TEST_F(LinuxSpec, TimeOffsets) {
  CLAUSE("config-linux-116", "config-linux-122", "config-linux-123");
  SKIP_FOR("runc,crun", "these versions lack it or fail on this kernel");
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "time"}}));
  config["linux"]["timeOffsets"] = Json::parse(R"({"monotonic": {"secs": 77, "nanosecs": 5}})");
  EXPECT_NE(output(config, "tr -s ' \\t' ' ' </proc/self/timens_offsets").find("monotonic 77 5"),
            std::string::npos);
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
  SKIP_FOR("runc,crun", "these versions leave the file");
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

TEST_F(LinuxSpec, CgroupsPath) {
  CLAUSE("config-linux-312", "config-linux-315", "config-linux-317", "config-linux-320", "config-linux-321");
  SKIP_UNLESS(support::has_v1("pids"), "looks at a v1 hierarchy");
  for (int i = 0; i < 2; ++i) {
    Json config = default_config();
    config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().mark() + "-place";
    EXPECT_EQ(output(config, "grep pids: /proc/self/cgroup | cut -d: -f3"),
              "/" + support::Sandbox::get().mark() + "-place");
  }
}

TEST_F(LinuxSpec, AnUnfitCgroupIsAnErrorOrWorks) {
  CLAUSE("config-linux-300", "config-linux-303", "config-linux-322");
  SKIP_FOR("runc,crun", "share it");
  Bundle bundle;
  bundle.args({"/bin/sleep", "1000"});
  bundle.config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  const std::string id = create(bundle);
  refused(bundle);
  EXPECT_EQ(runtime.status(id), "created");
}

TEST_F(LinuxSpec, Resources) {
  CLAUSE("config-linux-444", "config-linux-449", "config-linux-450", "config-linux-487", "config-linux-492",
         "config-linux-493", "config-linux-497", "config-linux-500", "config-linux-501", "config-linux-664",
         "config-linux-669", "config-linux-457");
  SKIP_UNLESS(support::has_v1("memory") && support::has_v1("cpu"), "looks at v1 hierarchies");
  Json config = default_config();
  config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(
      support::mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}));
  config["linux"]["resources"] = Json::parse(R"({
      "memory": {"limit": 73400320, "reservation": 41943040, "swappiness": 20},
      "cpu": {"shares": 400, "quota": 20000, "period": 50000, "cpus": "0", "mems": "0"}, "pids": {"limit": 66}})");
  EXPECT_EQ(output(config,
                   "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes "
                   "memory/memory.swappiness cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us "
                   "cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max"),
            "73400320\n41943040\n20\n400\n20000\n50000\n0\n0\n66");
}

TEST_F(LinuxSpec, BurstAndQuota) {
  CLAUSE("config-linux-494", "config-linux-495", "config-linux-496");
  SKIP_FOR("runc,crun", "these versions do not look");
  Json config = default_config();
  config["linux"]["resources"]["cpu"] = Json::parse(R"({"quota": 10000, "period": 100000, "burst": 20000})");
  refused(config);
}

TEST_F(LinuxSpec, CheckBeforeUpdate) {
  CLAUSE("config-linux-465", "config-linux-466");
  SKIP_FOR("runc,crun", "on v1 the kernel refuses by itself");
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  bundle.config["linux"]["resources"]["memory"]["limit"] = 100 << 20;
  bundle.sh("while :; do sleep 1; done");
  const std::string id = start(bundle);
  const Outcome outcome = runtime({"update", "--resources", "-", id},
                                  {.input = R"({"memory": {"limit": 4096, "checkBeforeUpdate": true}})"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(runtime.status(id), "running");
}

TEST_F(LinuxSpec, EntriesThatNeedOneOfTwo) {
  CLAUSE("config-linux-538", "config-linux-692");
  SKIP_FOR("runc,crun", "do not look");
  Json config = default_config();
  config["linux"]["resources"]["blockIO"]["weightDevice"] = Json::parse(R"([{"major": 7, "minor": 0}])");
  refused(config);
  config["linux"]["resources"] = Json::parse(R"({"rdma": {"mlx5_1": {}}})");
  refused(config);
}

TEST_F(LinuxSpec, Unified) {
  CLAUSE("config-linux-713", "config-linux-717", "config-linux-719", "config-linux-721", "config-linux-590",
         "config-linux-608", "config-linux-614");
  if (const auto why = support::missing(View::v2); !why.empty()) GTEST_SKIP() << why;
  SKIP_UNLESS(support::has_v2("hugetlb"), "cgroup v2 has no hugetlb controller here");
  SKIP_FOR("crun", "1.8.1 needs a higher RLIMIT_MEMLOCK than this machine may give");
  runtime.view = View::v2;
  const std::string path = "/" + support::Sandbox::get().new_id();
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = path;
  bundle.config["linux"]["resources"]["unified"] =
      Json::parse(R"({"hugetlb.2MB.max": "6291456", "cgroup.max.depth": "3"})");
  bundle.sh("while :; do sleep 1; done");
  const std::string id = start(bundle);
  const std::string dir = support::v2_mount() + path;
  EXPECT_EQ(read_file(dir + "/hugetlb.2MB.max"), "6291456\n");
  EXPECT_EQ(read_file(dir + "/cgroup.max.depth"), "3\n");
  Bundle bad;
  bad.config["linux"]["cgroupsPath"] = "/" + support::Sandbox::get().new_id();
  bad.config["linux"]["resources"]["unified"]["nosuch.controller"] = "1";
  refused(bad);
}

TEST_F(LinuxSpec, ImpossibleConversionIsAnError) {
  CLAUSE("config-linux-732", "config-linux-734");
  if (const auto why = support::missing(View::v2); !why.empty()) GTEST_SKIP() << why;
  SKIP_UNLESS(!support::has_v2("memory"), "this host has the memory controller on v2");
  SKIP_FOR("crun,runc", "these versions fail later, or not");
  runtime.view = View::v2;
  Json config = default_config();
  config["linux"]["resources"]["memory"]["limit"] = 100 << 20;
  refused(config);
}

TEST_F(LinuxSpec, IntelRdtWithoutResctrlIsAnError) {
  CLAUSE("config-linux-738", "config-linux-739", "config-linux-740");
  SKIP_UNLESS(!support::exists("/sys/fs/resctrl/schemata"), "resctrl is mounted here");
  SKIP_FOR("crun", "1.8.1 ignores it");
  Json config = default_config();
  config["linux"]["intelRdt"] = Json::parse(R"({"closID": "x", "l3CacheSchema": "L3:0=f"})");
  refused(config);
}

TEST_F(LinuxSpec, IntelRdtSchemas) {
  CLAUSE("config-linux-752", "config-linux-753", "config-linux-754");
  SKIP_FOR("runc,crun", "do not look");
  for (const char* bad : {R"({"memBwSchema": "XX:0=1"})", R"({"memBwSchema": "MB:0=1\nMB:1=1"})",
                          R"({"schemata": ["L3:0=f\nL3:1=f"]})"}) {
    Json config = default_config();
    config["linux"]["intelRdt"] = Json::parse(bad);
    refused(config);
  }
}

TEST_F(LinuxSpec, NetDevices) {
  CLAUSE("config-linux-214", "config-linux-221", "config-linux-238");
  SKIP_FOR("runc,crun", "these versions do not know them");
  const std::string name = "dvtn" + std::to_string(getpid() % 100000);
  if (support::run({"ip", "link", "add", name, "type", "dummy"}).status != 0)
    GTEST_SKIP() << "no dummy network device can be made here";
  Json config = default_config();
  config["linux"]["netDevices"][name] = Json::parse(R"({"name": "inside0"})");
  const Outcome outcome = try_script(config, "cat /sys/class/net/inside0/flags");
  support::run({"ip", "link", "delete", name});
  ASSERT_TRUE(outcome.ok()) << outcome.all();
  EXPECT_EQ(std::stoul(outcome.out, nullptr, 16) & 1U, 1U) << "up: " << outcome.out;
}

TEST_F(LinuxSpec, ANetDeviceThatIsMissingIsAnError) {
  CLAUSE("config-linux-224", "config-linux-226");
  SKIP_FOR("runc,crun", "these versions do not know them");
  Json config = default_config();
  config["linux"]["netDevices"]["nosuchdev0"] = Json::object();
  refused(config);
}

TEST_F(LinuxSpec, Sysctl) {
  CLAUSE("config-linux-862");
  Json config = default_config();
  config["linux"]["sysctl"]["net.ipv4.ip_forward"] = "1";
  EXPECT_EQ(output(config, "cat /proc/sys/net/ipv4/ip_forward"), "1");
}

TEST_F(LinuxSpec, MemoryPolicy) {
  CLAUSE("config-linux-823", "config-linux-826", "config-linux-838");
  SKIP_FOR("runc,crun", "these versions do not know it");
  Json config = default_config();
  config["linux"]["memoryPolicy"] = Json::parse(R"({"mode": "MPOL_NOSUCH"})");
  refused(config);
}

TEST_F(LinuxSpec, RootfsPropagation) {
  CLAUSE("config-linux-1045");
  SKIP_FOR("runc", "1.1.5 sets it on the parent");
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
  CLAUSE("config-linux-1068", "config-linux-1081");
  SKIP_FOR("crun,runc", "do not look");
  for (const char* key : {"maskedPaths", "readonlyPaths"}) {
    Json config = default_config();
    config["linux"][key] = Json(std::vector<std::string>{"etc/passwd"});
    refused(config);
  }
}

TEST_F(LinuxSpec, Personality) {
  CLAUSE("config-linux-1103", "config-linux-1108");
  SKIP_FOR("runc", "1.1.5 does not know it");
  Json config = default_config();
  config["linux"]["personality"] = Json::parse(R"({"domain": "LINUX32"})");
  EXPECT_TRUE(has_line(report(config), "personality 0x8"));
}

}  // namespace
}  // namespace spec_tests
