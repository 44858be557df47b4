// SPDX-License-Identifier: Apache-2.0
// The same bundles under davit, runc and crun: what a program sees inside must be the same, but for the
// differences that the table below accepts, each with its reason.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "captured.hpp"
#include "support/fixture.hpp"

namespace support {
namespace {

struct Difference {
  const char* peers;   ///< names of the peers that show it
  const char* prefix;  ///< of the line, as it is compared
  const char* reason;
};

constexpr Difference kAccepted[] = {
    {"runc", "report rlimit NOFILE",
     "1.1.5 is a Go program and raises its own soft limit, which is inherited"},
    {"runc,crun", "report pid ", "how many processes ran before it"},
    {"runc,crun", "report fd ", "numbers of pipes and files differ from run to run"},
    {"runc,crun", "report env HOME",
     "crun sets it only without an environment, davit and runc from /etc/passwd"},
    {"runc,crun", "report env container_uuid", "set by the engine's own variable, not by the runtime"},
    {"runc,crun", "report umask", "1.1.5 and 1.8.1 ignore process.user.umask in create"},
    {"runc,crun", "report Seccomp_filters",
     "davit loads one filter, peers may load a second for unknown syscalls"},
    {"runc,crun", "report SigBlk", "1.1.5 hands its mask on"},
    {"runc,crun", "report SigIgn", "davit resets what the caller ignored, as a login would"},
    {"runc,crun", "report domainname", "1.1.5 and 1.8.1 do not know the property"},
    {"runc,crun", "report ioprio", "1.1.5 and 1.8.1 do not know the property"},
    {"runc,crun", "report dumpable", "a matter of the moment at which /proc is looked at"},
    {"runc,crun", "device null",
     "crun gives the standard descriptors to the user, even where they are the host's"},
    {"runc,crun", "device mqueue", "the group of a new mqueue depends on who was root when it was mounted"},
    {"runc,crun", "mount /dev/",
     "nodes bound into a user namespace: with nosuid,noexec (crun, davit) or without (runc)"},
    {"crun", "report cpus", "1.8.1 resets the affinity of its child"},
    {"runc,crun", "device console",
     "a plain file in crun's bind, absent in others when there is no terminal"},
    {"runc,crun", "device core", "crun and runc link /proc/kcore as /dev/core where it exists"},
    {"crun", "mount /sys/fs/cgroup", "1.8.1 refuses hybrid hosts and is run in a view without cgroup v2"},
    {"runc", "mount /sys/fs/cgroup", "1.1.5 leaves out the v2 part of a hybrid host"},
    {"runc", "mount /out ", "1.1.5 ignores uidMappings and gidMappings of a mount"},
    {"runc,crun", "mount /proc/",
     "masked and read-only paths: crun binds a file of its own, davit and runc /dev/null"},
    {"runc,crun", "mount /sys/", "masked paths below /sys: the same"},
};

bool accepted(const std::string& peer, const std::string& line) {
  return std::any_of(std::begin(kAccepted), std::end(kAccepted), [&](const Difference& one) {
    const auto peers = split(one.peers, ',');
    return line.rfind(one.prefix, 0) == 0 && std::find(peers.begin(), peers.end(), peer) != peers.end();
  });
}

/// Keeps of a mountinfo line what does not depend on the run: "mount POINT TYPE OPTIONS".
std::string normalised_mount(const std::string& line) {
  const auto fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (fields.size() < 10 || dash == fields.end() || dash + 1 == fields.end()) return "";
  auto options = split(fields[5], ',');
  std::sort(options.begin(), options.end());
  std::string text = "mount " + fields[4] + " " + *(dash + 1);
  for (const auto& option : options) text += " " + option;
  return text;
}

class Peers : public ContainerTest {
 protected:
  void SetUp() override {
    SKIP_UNLESS(runtime.is_davit() || getenv("DAVIT_TEST_PEERS") != nullptr,
                "compares davit with its peers, whichever runtime is under test");
  }
  /// What is seen inside the bundle under that runtime, as lines to compare; empty if it does not run there.
  std::set<std::string> seen(Bundle& bundle, const std::string& path) {
    Runtime other(path, state_dir_.path());
    const std::string id = new_id();
    bundle.config["linux"]["cgroupsPath"] = "/" + Sandbox::get().mark() + "-peers";
    bundle.sh(
        "echo == report; probe report; echo == device; probe devices /dev; echo == mount; "
        "cat /proc/self/mountinfo; echo == cgroup; cd /sys/fs/cgroup 2>/dev/null && "
        "for f in memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us pids/pids.max "
        "cpuset/cpuset.cpus; "
        "do [ -e $f ] && echo $f $(cat $f); done; true");
    bundle.write();
    restore_v2_options();
    const Outcome outcome = other({"run", "--bundle", bundle.path(), id});
    // Without a cgroup namespace peers mount cgroup2 anew.
    restore_v2_options();
    std::set<std::string> lines;
    if (!outcome.ok()) {
      error_ = outcome.err;
      return lines;
    }
    std::string section;
    for (const auto& line : split(outcome.out, '\n')) {
      if (line.rfind("== ", 0) == 0) {
        section = line.substr(3);
      } else if (section == "mount") {
        lines.insert(normalised_mount(line));
      } else {
        lines.insert(section + " " + line);
      }
    }
    return lines;
  }
  void compare(Bundle& bundle) {
    const auto mine = seen(bundle, runtime.path());
    ASSERT_FALSE(mine.empty()) << error_;
    int compared = 0;
    for (const char* peer : {"runc", "crun"}) {
      const Outcome found = run({"sh", "-c", std::string("command -v ") + peer});
      if (!found.ok()) continue;
      const auto theirs = seen(bundle, found.line());
      if (theirs.empty()) continue;  // it cannot run this bundle at all
      ++compared;
      std::string text;
      for (const auto& line : mine)
        if (theirs.count(line) == 0 && !accepted(peer, line)) text += "  davit: " + line + "\n";
      for (const auto& line : theirs)
        if (mine.count(line) == 0 && !accepted(peer, line))
          text += "  " + std::string(peer) + ": " + line + "\n";
      EXPECT_EQ(text, "") << "differs from " << peer;
    }
    if (compared == 0) GTEST_SKIP() << "no peer is installed, or none can run this bundle: " << trim(error_);
  }
  std::string error_;
};

TEST_F(Peers, TheUsualConfiguration) {
  Bundle bundle;
  compare(bundle);
}

TEST_F(Peers, AnOrdinaryUserWithLimits) {
  Bundle bundle;
  bundle.config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1000, "additionalGids": [5, 6]})");
  bundle.config["process"]["rlimits"] = Json::parse(R"([{"type": "RLIMIT_CORE", "soft": 5, "hard": 10},
      {"type": "RLIMIT_NPROC", "soft": 1000, "hard": 2000}])");
  bundle.config["process"]["oomScoreAdj"] = 50;
  bundle.config["linux"]["resources"] = Json::parse(
      R"({"memory": {"limit": 104857600}, "cpu": {"shares": 512, "quota": 50000, "period": 100000},
                      "pids": {"limit": 100}})");
  bundle.config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}));
  compare(bundle);
}

TEST_F(Peers, AReadonlyRootWithDevicesAndBinds) {
  TempDir source;
  Bundle bundle;
  bundle.config["root"]["readonly"] = true;
  bundle.config["mounts"].push(
      mount_entry("/mnt", "bind", source.path(), {"rbind", "ro", "nosuid", "nodev", "noexec"}));
  bundle.config["linux"]["devices"] = Json::parse(
      R"([{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 0, "gid": 0}])");
  make_dirs(bundle.rootfs() + "/mnt");
  compare(bundle);
}

TEST_F(Peers, AUserNamespace) {
  Bundle bundle;
  add_user_namespace(bundle.config);
  compare(bundle);
}

class CapturedPeers : public Peers, public ::testing::WithParamInterface<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CapturedPeers);

INSTANTIATE_TEST_SUITE_P(Engines, CapturedPeers, ::testing::ValuesIn(captured_configs()),
                         [](const auto& parameter) {
                           std::string name = parameter.param.substr(parameter.param.rfind('/') + 1);
                           for (char& c : name) c = isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

TEST_P(CapturedPeers, SeeTheSame) {
  CapturedBundle captured(GetParam(), "/" + Sandbox::get().new_id());
  // Seccomp profiles of engines allow what the report needs; the filter's number of parts is compared by
  // nobody.
  compare(captured.bundle);
}

}  // namespace
}  // namespace support
