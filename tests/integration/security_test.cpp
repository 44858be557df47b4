// Attacks from the history of container runtimes, one test per row of it.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "support/fixture.hpp"

namespace support {
namespace {

class Security : public ContainerTest {
 protected:
  Security() { write_file(canary / "file", "canary"), before = fingerprint(canary.path()); }
  void TearDown() override {
    EXPECT_EQ(fingerprint(canary.path()), before) << "the host was touched";
    ContainerTest::TearDown();
  }
  std::string idle(Bundle& bundle) {
    bundle.sh("while :; do sleep 1; done");
    return start(bundle);
  }
  TempDir canary{"canary"};
  std::string before;
};

TEST_F(Security, Cve_2016_9962_ExecdInitsCannotBeLookedInto) {
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  Bundle bundle(config);
  const std::string id = idle(bundle);
  Child scanner = runtime.start({"exec", id, "/bin/probe", "scan-ptrace", "3"});
  ASSERT_TRUE(eventually([&] { return scanner.out().find("ready") != std::string::npos; })) << scanner.err();
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
  }
  const Outcome seen = scanner.wait();
  EXPECT_EQ(seen.out.find("HOST"), std::string::npos) << seen.out.substr(0, 500);
  EXPECT_NE(seen.out.find("done"), std::string::npos) << seen.all();
}

/// With what an engine gives it: the usual capabilities, a filter that takes CAP_SYS_ADMIN to load, and the
/// one capability that lets it trace what is not dumpable.
Json tracing_config() {
  Json config = default_config();
  for (const char* set : {"bounding", "effective", "permitted"})
    config["process"]["capabilities"][set].push("CAP_SYS_PTRACE");
  config["process"]["noNewPrivileges"] = false;
  config["linux"]["seccomp"] = Json::parse(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
      {"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]})");
  return config;
}

TEST_F(Security, Cve_2016_9962_ExecdProcessesAreBornAsWhatTheyWillBe) {
  SKIP_FOR("runc,crun", "their processes change what they are after they have become visible");
  constexpr int kRounds = 300;
  for (const bool is_filtered : {true, false}) {
    Json config = tracing_config();
    if (!is_filtered) config["linux"].erase("seccomp");
    Bundle bundle(config);
    const std::string id = idle(bundle);
    Child scanner = runtime.start({"exec", id, "/bin/probe", "scan-newborn", "3600"});
    ASSERT_TRUE(eventually([&] { return scanner.out().find("ready") != std::string::npos; }))
        << scanner.err();
    for (int i = 0; i < kRounds; ++i) {
      const Outcome outcome = runtime({"exec", "--user", i % 2 == 0 ? "0:0" : "1000:1000", id, "/bin/true"});
      EXPECT_TRUE(outcome.ok()) << outcome.all();
    }
    const std::string seen = scanner.out();
    EXPECT_NE(seen.find("stopped"), std::string::npos) << "nobody was caught";
    EXPECT_EQ(seen.find("GAINED"), std::string::npos) << seen.substr(0, 500);
    EXPECT_EQ(seen.find("HOLDS"), std::string::npos) << seen.substr(0, 500);
    destroy(id);
  }
}

TEST_F(Security, Cve_2019_5736_TheRuntimesFileCannotBeWritten) {
  struct stat runtime_file {};
  ASSERT_EQ(stat(runtime.path().c_str(), &runtime_file), 0);
  const std::string own = std::to_string(runtime_file.st_dev) + ":" + std::to_string(runtime_file.st_ino);
  Json config = default_config();
  config["process"]["capabilities"] = all_capabilities();
  Bundle bundle(config);
  const std::string id = idle(bundle);
  Child scanner = runtime.start({"exec", id, "/bin/probe", "scan-exe", "3"});
  ASSERT_TRUE(eventually([&] { return scanner.out().find("ready") != std::string::npos; })) << scanner.err();
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(runtime({"exec", id, "/bin/true"}).ok());
  }
  const Outcome seen = scanner.wait();
  if (runtime.is_davit()) {
    EXPECT_EQ(seen.out.find("exe " + own + "\n"), std::string::npos)
        << "the host's binary was visible inside";
  }
  EXPECT_EQ(seen.out.find("WRITABLE " + own), std::string::npos);
}

TEST_F(Security, Cve_2019_5736_AScriptThatPointsAtProcSelfExe) {
  Bundle bundle;
  const std::string sum = run({"sha256sum", runtime.path()}).out;
  write_file(bundle.rootfs() + "/evil", "#!/proc/self/exe\n", 0755);
  const std::string id = idle(bundle);
  runtime({"exec", id, "/evil"}, {.timeout_ms = 10000});
  EXPECT_EQ(run({"sha256sum", runtime.path()}).out, sum);
}

TEST_F(Security, Cve_2019_16884_AFakeProcIsRefused) {
  SKIP_FOR("runc,crun", "without an LSM these versions write no label and do not look");
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/proc", "tmpfs", "tmpfs"));
  refused(bundle);
}

TEST_F(Security, Cve_2019_16884_AFakeProcBehindASymlinkIsRefused) {
  SKIP_FOR("crun", "does not look");
  for (const char* destination : {"/link", "/link/sys"}) {
    Bundle bundle;
    make_symlink("/proc", bundle.rootfs() + "/link");
    bundle.config["mounts"].push(mount_entry(destination, "bind", canary.path(), {"rbind"}));
    EXPECT_NE(refused(bundle).find("cannot be mounted because"), std::string::npos);
  }
}

TEST_F(Security, Cve_2019_19921_ProcOrSysAsASymlink) {
  for (const char* name : {"/proc", "/sys"}) {
    Bundle bundle;
    make_dirs(bundle.rootfs() + "/bad");
    rmdir((bundle.rootfs() + name).c_str());
    make_symlink("/bad", bundle.rootfs() + name);
    const std::string error = refused(bundle);
    if (runtime.is_davit()) {
      EXPECT_NE(error.find("must be mounted on ordinary directory"), std::string::npos) << error;
    }
  }
}

TEST_F(Security, Cve_2021_30465_MountTargetsThatAreExchanged) {
  // A volume whose directory is swapped with a symlink to the canary while containers mount below it.
  TempDir volume("volume");
  TempDir source("source");
  make_dirs(volume / "dir/target");
  make_symlink(canary.path(), volume / "link");
  make_dirs(canary / "target");
  before = fingerprint(canary.path());
  Child racer({DAVIT_PROBE_BINARY, "swap", volume / "dir", volume / "link"}, {});
  ASSERT_TRUE(eventually([&] { return racer.out().find("ready") != std::string::npos; })) << racer.err();
  Json config = default_config();
  config["mounts"].push(mount_entry("/vol", "bind", volume.path(), {"rbind"}));
  config["mounts"].push(mount_entry("/vol/dir/target", "bind", source.path(), {"rbind"}));
  int ran = 0;
  for (int i = 0; i < number_from_env("DAVIT_TEST_RACES", 60); ++i) {
    Bundle bundle(config);
    bundle.sh("cat /proc/self/mountinfo");
    const Outcome outcome = run_bundle(bundle);
    if (!outcome.ok()) continue;
    ++ran;
    EXPECT_EQ(outcome.out.find(canary.path() + " "), std::string::npos) << outcome.out;
  }
  // Some creates lose the race and fail; that is allowed, touching the canary is not.
  EXPECT_GE(ran, 0);
  racer.kill(SIGKILL);
  racer.wait();
}

TEST_F(Security, Cve_2021_43784_LargeInputsAreWhole) {
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

TEST_F(Security, Cve_2022_29162_ExecCapIsNotInheritable) {
  Bundle bundle;
  const std::string id = idle(bundle);
  const Outcome outcome = exec(id, "grep -E 'CapInh|CapAmb' /proc/self/status", {"--cap", "CAP_KILL"});
  EXPECT_EQ(outcome.out, "CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n") << outcome.all();
}

TEST_F(Security, Ghsa_5g49_PageSizesAreNoPaths) {
  SKIP_FOR("runc,crun", "on v1 without hugetlb these versions ignore the limit");
  Json config = default_config();
  config["linux"]["resources"]["hugepageLimits"] =
      Json::parse(R"([{"pageSize": "../../../../../x", "limit": 1}])");
  refused(config);
}

TEST_F(Security, Cve_2023_25809_AReadonlyCgroupMountIsSoInEveryHierarchy) {
  for (const View view : {View::host, View::v1, View::v2}) {
    if (!missing(view).empty()) continue;
    if (runtime.name() == "crun" && view != View::v1) continue;  // this version wants to raise a limit
    runtime.view = view;
    Json config = default_config();
    remove_namespace(config, "cgroup");
    // As rootless engines have it: all of /sys is the host's, and writable where the mounts below are.
    *find_mount(config, "/sys") = mount_entry("/sys", "none", "/sys", {"rbind", "ro"});
    if (find_mount(config, "/sys/fs/cgroup") == nullptr)
      config["mounts"].push(
          mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"}));
    // CAP_SYS_ADMIN and the like do not matter: root may make directories wherever a mount lets it.
    const std::string tried = output(config, R"(
      for place in $(grep ' - cgroup' /proc/self/mountinfo | cut -d' ' -f5 | sort -u); do
        mkdir $place/davit-test-written 2>/dev/null && rmdir $place/davit-test-written && echo $place
      done; echo all)");
    EXPECT_EQ(tried, "all") << "can be written to";
  }
}

TEST_F(Security, Cve_2024_21626_WorkingDirectoriesThroughDescriptors) {
  const Fd root(open("/", O_RDONLY | O_DIRECTORY));
  for (int n = 3; n < 16; ++n) {
    Bundle bundle;
    bundle.config["process"]["cwd"] = "/proc/self/fd/" + std::to_string(n);
    bundle.sh("pwd; ls -d ../../../../../../../etc/debian_version 2>/dev/null");
    const Outcome outcome = run_bundle(bundle, {}, {.fds = {{root.get(), 9}}});
    EXPECT_EQ(outcome.out.find("debian_version"), std::string::npos) << n << outcome.all();
  }
  Bundle bundle;
  const std::string id = idle(bundle);
  for (int n = 3; n < 16; ++n) {
    const Outcome outcome = runtime({"exec", "--cwd", "/proc/self/fd/" + std::to_string(n), id, "/bin/sh",
                                     "-c", "ls -d ../../../../../../../etc/debian_version 2>/dev/null"},
                                    {.fds = {{root.get(), 9}}});
    EXPECT_EQ(outcome.out.find("debian_version"), std::string::npos) << n << outcome.all();
  }
}

TEST_F(Security, Cve_2024_21626_ProgramsThroughDescriptors) {
  SKIP_FOR("runc,crun", "these versions run what their own descriptors lead to");
  for (int n = 3; n < 48; ++n) {
    Bundle bundle;
    bundle.args({"/proc/self/fd/" + std::to_string(n) + "/bin/echo", "reached"});
    const Outcome outcome = run_bundle(bundle);
    EXPECT_NE(outcome.status, 0) << n;
    EXPECT_EQ(outcome.out, "") << n;
  }
}

TEST_F(Security, Cve_2024_21626_DescriptorsOfTheCallerAreNotLeaked) {
  const Fd root(open("/", O_RDONLY | O_DIRECTORY));
  Bundle bundle;
  bundle.args({"/bin/probe", "fds"});
  const Outcome outcome = run_bundle(bundle, {}, {.fds = {{root.get(), 9}, {root.get(), 44}}});
  EXPECT_EQ(split(outcome.out, '\n').size(), 3U) << outcome.out;
}

TEST_F(Security, Cve_2024_45310_NothingIsMadeOnTheHost) {
  TempDir volume("volume");
  make_dirs(volume / "dir");
  make_symlink(canary.path(), volume / "link");
  Child racer({DAVIT_PROBE_BINARY, "swap", volume / "dir", volume / "link"}, {});
  ASSERT_TRUE(eventually([&] { return racer.out().find("ready") != std::string::npos; }));
  TempDir source("source");
  Json config = default_config();
  config["mounts"].push(mount_entry("/vol", "bind", volume.path(), {"rbind"}));
  config["mounts"].push(mount_entry("/vol/dir/made/on/the/way", "bind", source.path(), {"rbind"}));
  for (int i = 0; i < number_from_env("DAVIT_TEST_RACES", 60); ++i) {
    Bundle bundle(config);
    run_bundle(bundle);
  }
  racer.kill(SIGKILL);
  racer.wait();
}

TEST_F(Security, Cve_2025_31133_ANullDeviceThatIsNone) {
  Bundle bundle;
  bundle.config["mounts"] = Json::parse(R"([{"destination": "/proc", "type": "proc", "source": "proc"}])");
  bundle.config["linux"]["maskedPaths"] = Json(std::vector<std::string>{"/proc/kallsyms"});
  bundle.config["linux"]["readonlyPaths"] = Json::array();
  make_symlink("/proc/sys/kernel/core_pattern", bundle.rootfs() + "/dev/null");
  bundle.sh("stat -c %t:%T /proc/kallsyms");
  const Outcome outcome = run_bundle(bundle);
  if (outcome.ok() && runtime.is_davit()) {
    EXPECT_EQ(outcome.out, "1:3\n");
  }
}

TEST_F(Security, Cve_2025_52881_LabelsAndSysctlsGoToTheRealProc) {
  TempDir fake("fake");
  make_dirs(fake / "ipv4");
  write_file(fake / "ipv4/ip_forward", "untouched");
  before += fingerprint(fake.path());
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/proc/sys/net", "bind", fake.path(), {"rbind"}));
  bundle.config["linux"]["sysctl"]["net.ipv4.ip_forward"] = "1";
  bundle.config["linux"]["readonlyPaths"] = Json::array();
  run_bundle(bundle);
  if (runtime.is_davit()) {
    EXPECT_EQ(read_file(fake / "ipv4/ip_forward"), "untouched");
  }
  before = fingerprint(canary.path());
}

TEST_F(Security, Cve_2026_41579_DevAsASymlinkToTheHost) {
  SKIP_FOR("runc,crun", "these versions are older than the fix");
  Bundle bundle;
  rmdir((bundle.rootfs() + "/dev").c_str());
  make_symlink(canary.path(), bundle.rootfs() + "/dev");
  auto& mounts = bundle.config["mounts"].items();
  mounts.erase(
      std::remove_if(mounts.begin(), mounts.end(),
                     [](const Json& mount) { return mount.get("destination").str().rfind("/dev", 0) == 0; }),
      mounts.end());
  run_bundle(bundle);
}

TEST_F(Security, Cve_2019_18837_ASymlinkedParentOfATarget) {
  Bundle bundle;
  make_symlink("/etc", bundle.rootfs() + "/a");
  bundle.config["mounts"].push(mount_entry("/a/davit-test-b", "tmpfs", "tmpfs"));
  run_bundle(bundle);
  EXPECT_FALSE(exists("/etc/davit-test-b"));
}

TEST_F(Security, Cve_2026_30892_UserOneIsNotRoot) {
  Bundle bundle;
  const std::string id = idle(bundle);
  EXPECT_EQ(exec(id, "id -u", {"-u", "1"}).out, "1\n");
  const Outcome padded = exec(id, "id -u", {"-u", "01"});
  EXPECT_TRUE(!padded.ok() || padded.out == "1\n") << padded.all();
}

TEST_F(Security, ALongChainOfSymlinksIsNoProblem) {
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

TEST_F(Security, TheCallersTerminalIsNotGivenAway) {
  // CVE-2016-10124: with a terminal of its own the process has another one than ours, and a session of its
  // own.
  const std::string text = output(default_config(), "cat /proc/self/stat | cut -d' ' -f6,7");
  EXPECT_EQ(text.substr(text.find(' ') + 1), "0") << "no controlling terminal: " << text;
}

}  // namespace
}  // namespace support
