// SPDX-License-Identifier: Apache-2.0
// Images and volumes that lead a runtime astray: what is below a rootfs is an attacker's. The console's rows
// (CVE-2025-52565) are in tests/integration/terminal_test.cpp, beside what else a console must be.
#include <algorithm>

#include "attacks/attack.hpp"

namespace support {
namespace {

class HostileImage : public Attack {};

TEST_F(HostileImage, Cve_2019_16884_AFakeProcIsRefused) {
  SKIP_FOR("runc,crun", "without an LSM these versions write no label and do not look");
  Bundle bundle;
  bundle.config["mounts"].push(mount_entry("/proc", "tmpfs", "tmpfs"));
  refused(bundle);
}

TEST_F(HostileImage, Cve_2019_16884_AFakeProcBehindASymlinkIsRefused) {
  SKIP_FOR("crun", "does not look");
  for (const char* destination : {"/link", "/link/sys"}) {
    Bundle bundle;
    make_symlink("/proc", bundle.rootfs() + "/link");
    bundle.config["mounts"].push(mount_entry(destination, "bind", canary.path(), {"rbind"}));
    EXPECT_NE(refused(bundle).find("cannot be mounted because"), std::string::npos);
  }
}

TEST_F(HostileImage, Cve_2019_19921_ProcOrSysAsASymlink) {
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

TEST_F(HostileImage, Cve_2021_30465_MountTargetsThatAreExchanged) {
  // A volume whose directory is swapped with a symlink to the canary while containers mount below it.
  TempDir volume("volume");
  TempDir source("source");
  make_dirs(volume / "dir/target");
  make_symlink(canary.path(), volume / "link");
  make_dirs(canary / "target");
  before = fingerprint(canary.path());
  const Child racer = exchange(volume / "dir", volume / "link");
  Json config = default_config();
  config["mounts"].push(mount_entry("/vol", "bind", volume.path(), {"rbind"}));
  config["mounts"].push(mount_entry("/vol/dir/target", "bind", source.path(), {"rbind"}));
  Bundle bundle(config);
  bundle.sh("cat /proc/self/mountinfo");
  int ran = 0;
  for (int i = 0; i < rounds(); ++i) {
    const Outcome outcome = run_bundle(bundle);
    if (!outcome.ok()) continue;
    ++ran;
    EXPECT_EQ(outcome.out.find(canary.path() + " "), std::string::npos) << outcome.out;
  }
  // A create that loses the race may fail; if all of them did, nothing was tried.
  EXPECT_GT(ran, 0);
}

TEST_F(HostileImage, Cve_2024_45310_NothingIsMadeOnTheHost) {
  TempDir volume("volume");
  make_dirs(volume / "dir");
  make_symlink(canary.path(), volume / "link");
  const Child racer = exchange(volume / "dir", volume / "link");
  TempDir source("source");
  Json config = default_config();
  config["mounts"].push(mount_entry("/vol", "bind", volume.path(), {"rbind"}));
  config["mounts"].push(mount_entry("/vol/dir/made/on/the/way", "bind", source.path(), {"rbind"}));
  Bundle bundle(config);
  for (int i = 0; i < rounds(); ++i) {
    run_bundle(bundle);
  }
}

TEST_F(HostileImage, Cve_2025_31133_ANullDeviceThatIsNone) {
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

TEST_F(HostileImage, Cve_2025_52881_LabelsAndSysctlsGoToTheRealProc) {
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

TEST_F(HostileImage, Cve_2026_41579_DevAsASymlinkToTheHost) {
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

TEST_F(HostileImage, Cve_2019_18837_ASymlinkedParentOfATarget) {
  Bundle bundle;
  make_symlink("/etc", bundle.rootfs() + "/a");
  bundle.config["mounts"].push(mount_entry("/a/davit-test-b", "tmpfs", "tmpfs"));
  run_bundle(bundle);
  EXPECT_FALSE(exists("/etc/davit-test-b"));
}

TEST_F(HostileImage, Cve_2023_25809_AReadonlyCgroupMountIsSoInEveryHierarchy) {
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

TEST_F(HostileImage, Cve_2025_24965_NothingIsWrittenThroughLinksOfTheImage) {
  Bundle bundle;
  for (const char* name : {"/.krun_config.json", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                           "/etc/passwd", "/etc/group", "/.dockerenv", "/run/.containerenv"}) {
    unlink((bundle.rootfs() + name).c_str());
    make_symlink(canary / "file", bundle.rootfs() + name);
  }
  bundle.config["annotations"]["run.oci.handler"] = "krun";
  run_bundle(bundle);
}

TEST_F(HostileImage, Cve_2025_9566_LinksInAVolumeLeadNowhere) {
  TempDir volume("volume");
  for (const char* name : {"relative", "absolute", "proc"})
    make_symlink(name == std::string("relative") ? "../../../../../../../.." + canary.path()
                 : name == std::string("proc")   ? "/proc/self/root" + canary.path()
                                                 : canary.path(),
                 volume / name);
  for (const char* name : {"relative", "absolute", "proc"}) {
    Bundle bundle;
    bundle.config["mounts"].push(mount_entry("/vol", "bind", volume.path(), {"rbind"}));
    bundle.config["mounts"].push(mount_entry("/vol/" + std::string(name) + "/made", "tmpfs", "tmpfs"));
    run_bundle(bundle);
    EXPECT_FALSE(exists(canary / "made")) << name;
  }
}

TEST_F(HostileImage, Cve_2025_31133_EveryMaskIsTheNullDevice) {
  for (const char* target :
       {"/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/etc/passwd", "/dev/zero"}) {
    Bundle bundle;
    *find_mount(bundle.config, "/dev") = mount_entry("/dev", "bind", bundle.rootfs() + "/dev", {"rbind"});
    make_symlink(target, bundle.rootfs() + "/dev/null");
    bundle.config["linux"]["maskedPaths"] = Json::array({"/proc/timer_list", "/etc/group"});
    bundle.sh("for f in /proc/timer_list /etc/group; do stat -c %t:%T $f; done");
    const Outcome outcome = run_bundle(bundle);
    EXPECT_TRUE(!outcome.ok() || outcome.out == "1:3\n1:3\n") << target << ": " << outcome.all();
  }
}

TEST_F(HostileImage, ASourceInTheRootfsIsNoSymlinkToAllThatHoldsTheKernel) {
  SKIP_FOR("runc,crun", "follow it on the host");
  for (const char* content : {"/", "..", "bin/../.."}) {
    Bundle bundle;
    make_symlink(content, bundle.rootfs() + "/link");
    bundle.config["mounts"].push(mount_entry("/mnt", "bind", bundle.rootfs() + "/link", {"rbind", "rw"}));
    bundle.sh("ls /mnt/proc");
    const Outcome outcome = run_bundle(bundle);
    EXPECT_FALSE(outcome.ok());
    EXPECT_NE(outcome.err.find("a symlink leads to an interface of the kernel"), std::string::npos)
        << outcome.all();
    *find_mount(bundle.config, "/mnt") =
        mount_entry("/mnt", "bind", bundle.rootfs() + "/link", {"bind", "rw"});
    bundle.sh("! test -e /mnt/proc/self && test -e /mnt/bin/sh");
    EXPECT_TRUE(run_bundle(bundle).ok());
  }
}

TEST_F(HostileImage, AnIdmappedSourceInTheRootfsIsFollowedInTheRootfs) {
  SKIP_FOR("runc,crun", "follow it on the host");
  Bundle bundle;
  make_dirs(bundle.rootfs() + "/real");
  write_file(bundle.rootfs() + "/real/file", "of the image");
  Json entry = mount_entry("/mnt", "bind", bundle.rootfs() + "/link", {"bind", "idmap"});
  entry["uidMappings"] = Json::parse(R"([{"containerID": 0, "hostID": 1000, "size": 100}])");
  entry["gidMappings"] = entry["uidMappings"];
  bundle.config["mounts"].push(entry);
  bundle.sh("cat /mnt/file; stat -c ' %u' /mnt/file");
  make_symlink("/real", bundle.rootfs() + "/link");
  EXPECT_EQ(trim(run_bundle(bundle).out), "of the image 1000");
  ::unlink((bundle.rootfs() + "/link").c_str());
  make_symlink(canary.path(), bundle.rootfs() + "/link");
  const Outcome outcome = run_bundle(bundle);
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace support
