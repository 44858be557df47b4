// SPDX-License-Identifier: Apache-2.0
// Configurations, ids and arguments that are not what they seem.
#include <fcntl.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attacks/attack.hpp"

namespace support {
namespace {

class HostileConfig : public Attack {};

TEST_F(HostileConfig, Cve_2021_43784_LargeInputsAreWhole) {
  Json config = default_config();
  const std::string large(100000, 'x');
  config["process"]["env"].push("LARGE=" + large);
  EXPECT_EQ(output(config, "echo ${#LARGE}"), "100000");
  Json many = default_config();
  many["linux"]["namespaces"].push(Json::object({{"type", "user"}}));
  for (int i = 0; i < 300; ++i)
    for (const char* key : {"uidMappings", "gidMappings"})
      many["linux"][key].push(Json::object({{"containerID", i}, {"hostID", 100000 + 2 * i}, {"size", 1}}));
  const Outcome outcome = try_script(many, "grep -c . /proc/self/uid_map");
  if (outcome.ok()) {
    EXPECT_EQ(outcome.out, "300\n");
  }
  Json path = default_config();
  remove_namespace(path, "network");
  path["linux"]["namespaces"].push(
      Json::object({{"type", "network"}, {"path", "/" + std::string(70000, 'a')}}));
  refused(path);
}

TEST_F(HostileConfig, Ghsa_5g49_PageSizesAreNoPaths) {
  SKIP_FOR("runc,crun", "on v1 without hugetlb these versions ignore the limit");
  Json config = default_config();
  config["linux"]["resources"]["hugepageLimits"] =
      Json::parse(R"([{"pageSize": "../../../../../x", "limit": 1}])");
  refused(config);
}

TEST_F(HostileConfig, ALongChainOfSymlinksIsNoProblem) {
  Bundle bundle;
  make_symlink(std::string(4000, 'x'), bundle.rootfs() + "/long");
  make_symlink("loop2", bundle.rootfs() + "/loop1");
  make_symlink("loop1", bundle.rootfs() + "/loop2");
  for (const char* destination : {"/long/x", "/loop1/x"}) {
    Bundle again;
    again.config["mounts"].push(mount_entry(destination, "tmpfs", "tmpfs"));
    make_symlink("loop2", again.rootfs() + "/loop1");
    make_symlink("loop1", again.rootfs() + "/loop2");
    const Outcome outcome = run_bundle(again);
    EXPECT_LT(outcome.status, 128) << outcome.all();
  }
}

TEST_F(HostileConfig, Cve_2022_0811_SysctlsAreNamespacedOrRefused) {
  const std::string pattern = read_file("/proc/sys/kernel/core_pattern");
  for (const char* key :
       {"kernel.core_pattern", "kernel/core_pattern", "net.ipv4/../../kernel/core_pattern",
        "net.ipv4.../.../kernel.core_pattern", "net/../kernel/core_pattern",
        "kernel.shm_rmid_forced/../core_pattern", "/proc/sys/kernel/core_pattern", "", "net", "."}) {
    Json config = default_config();
    config["linux"]["sysctl"][key] = "|/attack";
    refused(config);
  }
  EXPECT_EQ(read_file("/proc/sys/kernel/core_pattern"), pattern);
}

TEST_F(HostileConfig, Cve_2022_0811_AValueIsOneValue) {
  const std::string pattern = read_file("/proc/sys/kernel/core_pattern");
  Json config = default_config();
  config["linux"]["sysctl"]["kernel.shm_rmid_forced"] = "1+kernel.core_pattern=|/attack";
  try_script(config, "true");
  config["linux"]["sysctl"]["kernel.shm_rmid_forced"] = "1\nkernel.core_pattern=|/attack";
  try_script(config, "true");
  EXPECT_EQ(read_file("/proc/sys/kernel/core_pattern"), pattern);
}

TEST_F(HostileConfig, Cve_2024_3154_AnnotationsRunNothing) {
  Json config = default_config();
  for (const char* name : {"ExecStart", "ExecStartPre", "ExecStopPost"})
    config["annotations"]["org.systemd.property." + std::string(name)] =
        "[('/bin/touch', ['/bin/touch', '" + (canary / "run") + "'], false)]";
  try_script(config, "true");
  EXPECT_FALSE(exists(canary / "run"));
}

TEST_F(HostileConfig, Crun_IdsAreNoPaths) {
  Bundle bundle;
  bundle.write();
  for (const std::string& id :
       {std::string("../x"), std::string("."), std::string(".."), std::string("a/b"), std::string(""),
        std::string("@x"), std::string("a\nb"), std::string(2000, 'x')}) {
    const Outcome outcome = runtime({"run", "--bundle", bundle.path(), id});
    EXPECT_NE(outcome.status, 0) << id;
    for (const char* verb : {"state", "start", "delete", "kill"})
      EXPECT_NE(runtime({verb, id}).status, 0) << verb << " " << id;
  }
}

TEST_F(HostileConfig, Crun_ExecStaysBelowTheContainersCgroup) {
  Bundle bundle;
  bundle.config["linux"]["cgroupsPath"] = cgroup_path(Sandbox::get().new_id());
  const std::string id = idle(bundle);
  for (const char* path : {"../..", "../../x", "/..", "a/../../..", "pids:../.."})
    EXPECT_NE(runtime({"exec", "--cgroup", path, id, "/bin/true"}).status, 0) << path;
}

TEST_F(HostileConfig, Crun_CgroupPathsStayBelowTheRoot) {
  for (const char* path : {"../../../../tmp", "/../../../tmp", "/x/../../../../tmp"}) {
    Json config = default_config();
    config["linux"]["cgroupsPath"] = path + std::string("/") + Sandbox::get().mark();
    try_script(config, "true");
    EXPECT_FALSE(exists("/tmp/" + Sandbox::get().mark() + "/cgroup.procs"));
  }
}

TEST_F(HostileConfig, ALargeSparseFileIsRefusedBeforeItIsRead) {
  SKIP_FOR("runc,crun", "they read whatever there is");
  Bundle bundle;
  bundle.write();
  for (const off_t size : {off_t{1} << 30, off_t{1} << 41}) {
    // Not every file system takes the larger one.
    if (truncate((bundle.path() + "/config.json").c_str(), size) != 0) continue;
    Options options;
    // Room for the runtime, and none for the file.
    options.in_child = [] {
      const rlimit limit = {256 << 20, 256 << 20};
      setrlimit(RLIMIT_DATA, &limit);
    };
    const Outcome outcome = runtime({"create", "--bundle", bundle.path(), new_id()}, options);
    EXPECT_EQ(outcome.status, 1) << outcome.all();
    EXPECT_NE(outcome.err.find("too large"), std::string::npos) << outcome.err;
  }
}

TEST_F(HostileConfig, APipeIsNoConfiguration) {
  SKIP_FOR("runc,crun", "they wait for a writer");
  Bundle bundle;
  ASSERT_EQ(mkfifo((bundle.path() + "/config.json").c_str(), 0600), 0);
  for (const std::string& path : {std::string("."), bundle.path()}) {
    const Outcome outcome =
        runtime({"create", "--bundle", path, new_id()}, {.cwd = bundle.path(), .timeout_ms = 60000});
    EXPECT_EQ(outcome.status, 1) << outcome.all();
  }
}

TEST_F(HostileConfig, ASecretBehindALinkIsNotQuoted) {
  SKIP_FOR("runc,crun", "they quote what they cannot read");
  Bundle bundle;
  write_file(canary / "file", "{\"password\": s3cr3t-of-the-host}");
  before = fingerprint(canary.path());
  make_symlink(canary / "file", bundle.path() + "/config.json");
  const Outcome outcome = runtime({"create", "--bundle", bundle.path(), new_id()});
  EXPECT_NE(outcome.status, 0);
  EXPECT_EQ(outcome.err.find("s3cr3t"), std::string::npos) << outcome.err;
}

TEST_F(HostileConfig, ASecretBehindALinkIsNotQuotedByWhoOnlyLooks) {
  SKIP_FOR("runc,crun", "they lack these commands");
  Bundle bundle;
  write_file(canary / "file", "s3cr3t:of:the:host\n");
  before = fingerprint(canary.path());
  const std::string link = bundle.path() + "/config.json";
  make_symlink(canary / "file", link);
  ASSERT_EQ(::lchown(link.c_str(), 4321, 4321), 0);
  for (const char* command : {"validate", "explain"})
    for (const std::string& path : {std::string("."), bundle.path()}) {
      const Outcome outcome = runtime({command, path}, {.cwd = bundle.path()});
      EXPECT_EQ(outcome.status, 1);
      EXPECT_EQ(outcome.all().find("s3cr3t"), std::string::npos) << outcome.all();
      EXPECT_NE(outcome.err.find("is a symlink of another user's"), std::string::npos) << outcome.all();
    }
}

TEST_F(HostileConfig, AProfileThatForbidsToEndIsNoReasonToHang) {
  SKIP_FOR("runc,crun", "they may spin");
  for (const char* action : {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"})
    for (const bool detached : {false, true}) {
      Json config = default_config();
      config["linux"]["seccomp"] = Json::object({{"defaultAction", action}});
      Bundle bundle(config);
      bundle.write();
      std::vector<std::string> words = {"run", "--bundle", bundle.path()};
      if (detached) words.emplace_back("--detach");
      words.push_back(new_id());
      const Outcome outcome = runtime(words, {.timeout_ms = 60000});
      EXPECT_NE(outcome.status, 0) << action;
      EXPECT_NE(trim(outcome.err), "") << action << " without a word";
    }
}

TEST_F(HostileConfig, GroupsOfTheCallerAreNotKeptByAnnotation) {
  for (const bool user : {false, true}) {
    Json config = default_config();
    if (user) add_user_namespace(config);
    config["annotations"]["run.oci.keep_original_groups"] = "1";
    Bundle bundle(config);
    bundle.sh("id -G");
    const Outcome outcome = run_bundle(bundle, {}, {.in_child = [] {
                                         const gid_t groups[] = {7, 8};
                                         if (setgroups(2, groups) != 0) _exit(99);
                                       }});
    if (!runtime.is_davit() || user) continue;
    EXPECT_TRUE(!outcome.ok() || outcome.out == "0\n") << outcome.all();
  }
}

TEST_F(HostileConfig, ManyLimitsTakeLinearTime) {
  Json config = default_config();
  Json limits = Json::array();
  for (int i = 0; i < 6000; ++i)
    limits.push(Json::parse(R"({"type": "RLIMIT_NOFILE", "soft": 100, "hard": 100})"));
  config["process"]["rlimits"] = limits;
  Bundle bundle(config);
  bundle.write();
  // Where it is cubic this takes an hour of processor time, not seconds.
  Options options{.timeout_ms = 100000};
  options.in_child = [] {
    const rlimit limit = {20, 20};
    setrlimit(RLIMIT_CPU, &limit);
  };
  const Outcome outcome = runtime({"run", "--bundle", bundle.path(), new_id()}, options);
  EXPECT_LT(outcome.status, 128) << outcome.err.substr(0, 500);
}

}  // namespace
}  // namespace support
