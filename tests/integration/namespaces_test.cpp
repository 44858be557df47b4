// SPDX-License-Identifier: Apache-2.0
// Namespaces: new ones, joined ones, inherited ones.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/fixture.hpp"

namespace support {
namespace {

/// Keeps a namespace alive in a process of ours.
class Holder {
 public:
  explicit Holder(int flags)
      : child_({"sleep", "1000"}, {.in_child = [flags] {
                 if (unshare(flags) != 0) _exit(99);
               }}) {
    eventually([&] { return read_file(proc() + "/comm") == "sleep\n"; });
  }
  [[nodiscard]] std::string proc() const { return "/proc/" + std::to_string(child_.pid()); }
  [[nodiscard]] std::string path(const std::string& name) const { return proc() + "/ns/" + name; }

 private:
  Child child_;
};

class Namespaces : public ContainerTest {
 protected:
  static void join(Json& config, const std::string& type, const std::string& path) {
    remove_namespace(config, type);
    config["linux"]["namespaces"].push(Json::object({{"type", type}, {"path", path}}));
  }
};

const std::pair<const char*, const char*> kTypes[] = {{"pid", "pid"},   {"network", "net"},
                                                      {"ipc", "ipc"},   {"uts", "uts"},
                                                      {"mount", "mnt"}, {"cgroup", "cgroup"}};

TEST_F(Namespaces, EachCanBeNew) {
  for (const auto& [type, file] : kTypes) {
    Json config = minimal_config();
    remove_namespace(config, type);
    config["linux"]["namespaces"].push(Json::object({{"type", type}}));
    const std::string inside = output(config, std::string("readlink /proc/self/ns/") + file);
    EXPECT_NE(inside, read_link(std::string("/proc/self/ns/") + file)) << type;
    EXPECT_NE(inside, "") << type;
  }
}

TEST_F(Namespaces, AUserNamespaceWithoutMappingsHasTheCallersOwnIds) {
  SKIP_FOR("runc", "refuses it");
  Json config = minimal_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "user"}}));
  const std::string map = output(config, "cat /proc/self/uid_map");
  EXPECT_NE(map.find("0          0          1"), std::string::npos) << map;
}

TEST_F(Namespaces, WhatIsNotNamedIsInherited) {
  const Json config = minimal_config();
  for (const char* file : {"net", "ipc", "uts", "user"}) {
    EXPECT_EQ(output(config, std::string("readlink /proc/self/ns/") + file),
              read_link(std::string("/proc/self/ns/") + file))
        << file;
  }
}

TEST_F(Namespaces, JoinedByPath) {
  const Holder holder(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
  Json config = default_config();
  config.erase("hostname");
  join(config, "network", holder.path("net"));
  join(config, "ipc", holder.path("ipc"));
  join(config, "uts", holder.path("uts"));
  const std::string text = output(config,
                                  "cd /proc/self/ns; readlink net ipc uts 2>/dev/null || "
                                  "for n in net ipc uts; do readlink $n; done");
  EXPECT_EQ(text, read_link(holder.path("net")) + "\n" + read_link(holder.path("ipc")) + "\n" +
                      read_link(holder.path("uts")));
}

TEST_F(Namespaces, APidNamespaceCanBeJoined) {
  Bundle first;
  first.sh("while :; do sleep 1; done");
  const std::string id = start(first);
  const std::string path = "/proc/" + std::to_string(runtime.pid(id)) + "/ns/pid";
  Json config = default_config();
  join(config, "pid", path);
  EXPECT_EQ(
      output(config, "readlink /proc/self/ns/pid; echo $$ | grep -vx 1 >/dev/null && echo not the first"),
      read_link(path) + "\nnot the first");
}

TEST_F(Namespaces, ANamespaceOfAnotherTypeIsRefused) {
  const Holder holder(CLONE_NEWNET);
  Json config = default_config();
  join(config, "ipc", holder.path("net"));
  refused(config);
}

TEST_F(Namespaces, WhatIsNoNamespaceIsRefused) {
  TempDir place;
  write_file(place / "file", "");
  for (const std::string& path : {place / "file", place / "missing", std::string("/dev/null")}) {
    Json config = default_config();
    join(config, "network", path);
    refused(config);
  }
}

TEST_F(Namespaces, TheRootOfTheHostsMountNamespaceIsNotCovered) {
  SKIP_UNLESS(runtime.is_davit(), "only davit can say what it would do: not to be tried out");
  const Holder holder(CLONE_NEWNS);
  for (const bool own : {true, false}) {
    Bundle bundle;
    join(bundle.config, "mount", own ? "/proc/self/ns/mnt" : holder.path("mnt"));
    bundle.write();
    const Outcome outcome = runtime({"explain", "--bundle", bundle.path()});
    EXPECT_NE(outcome.ok(), own) << outcome.all();
    EXPECT_EQ(outcome.err.find("davit's own mount namespace") != std::string::npos, own) << outcome.err;
  }
}

TEST_F(Namespaces, TheSameTypeTwiceIsRefused) {
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "uts"}}));
  refused(config);
}

TEST_F(Namespaces, AnUnknownTypeIsRefused) {
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "nosuch"}}));
  refused(config);
}

TEST_F(Namespaces, LoopbackIsUp) {
  EXPECT_EQ(output(default_config(), "cat /sys/class/net/lo/flags"), "0x9");
}

TEST_F(Namespaces, UserNamespace) {
  Json config = default_config();
  add_user_namespace(config);
  const std::string text = output(
      config,
      "id -u; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u /proc/1; grep CapEff /proc/self/status; "
      "stat -c %u /; ls -ln /dev/null | tr -s ' ' | cut -d' ' -f3");
  const auto lines = split(text, '\n');
  ASSERT_GE(lines.size(), 6U) << text;
  EXPECT_EQ(lines[0], "0");
  EXPECT_EQ(split(lines[1], ' ').back(), "65536") << text;
  EXPECT_NE(lines[1].find("100000"), std::string::npos) << text;
  EXPECT_EQ(lines[3], "0") << "it owns itself: " << text;
  EXPECT_NE(lines[4].find("a80425fb"), std::string::npos) << text;
  EXPECT_EQ(lines[5], "65534") << "the files of the rootfs keep their owner: " << text;
}

TEST_F(Namespaces, UserNamespaceBelowADirectoryOfRootsOwn) {
  SKIP_FOR("runc,crun", "these versions resolve the path as the mapped user");
  Json config = default_config();
  add_user_namespace(config);
  Bundle bundle(config);
  bundle.sh("echo inside");
  chmod(bundle.path().c_str(), 0700);
  const Outcome outcome = run_bundle(bundle);
  EXPECT_EQ(outcome.out, "inside\n") << outcome.all();
}

TEST_F(Namespaces, UserNamespaceWithEveryMount) {
  Json config = default_config();
  add_user_namespace(config);
  config["linux"]["namespaces"].push(Json::object({{"type", "cgroup"}}));
  config["mounts"].push(
      mount_entry("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"}));
  TempDir source;
  write_file(source / "file", "bound");
  config["mounts"].push(mount_entry("/mnt", "bind", source.path(), {"rbind", "ro"}));
  EXPECT_EQ(
      output(config, "cat /mnt/file; touch /dev/shm/x /tmp/x 2>/dev/null; echo x >/dev/null && echo ' null'"),
      "bound null");
}

TEST_F(Namespaces, SeveralMappings) {
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "user"}}));
  const Json mappings = Json::parse(R"([{"containerID": 0, "hostID": 200000, "size": 10},
                                        {"containerID": 10, "hostID": 300000, "size": 10},
                                        {"containerID": 1000, "hostID": 1000, "size": 1}])");
  config["linux"]["uidMappings"] = mappings;
  config["linux"]["gidMappings"] = mappings;
  const std::string text = output(config, "cat /proc/self/uid_map | tr -s ' '");
  EXPECT_EQ(text, " 0 200000 10\n 10 300000 10\n 1000 1000 1");
}

TEST_F(Namespaces, WithoutAnyRootInIt) {
  SKIP_FOR("runc,crun", "refuse it, or any gid= in it");
  Bundle bundle;
  bundle.config["linux"]["namespaces"].push(Json::object({{"type", "user"}}));
  const Json mappings = Json::parse(R"([{"containerID": 500, "hostID": 200000, "size": 1000}])");
  bundle.config["linux"]["uidMappings"] = mappings;
  bundle.config["linux"]["gidMappings"] = mappings;
  bundle.config["process"]["user"] = Json::parse(R"({"uid": 1000, "gid": 1001})");
  bundle.sh("while :; do sleep 0.1; done");
  const std::string id = start(bundle);
  const Outcome outcome = exec(id,
                               "id -u; id -g; stat -c %u:%a /dev; ls /dev/pts/ptmx; echo x >/dev/null && "
                               "touch /dev/shm/x && stat -c %u /dev/shm/x; grep Cap /proc/self/status");
  const std::string none = "0000000000000000";
  EXPECT_EQ(outcome.out.rfind("1000\n1001\n500:755\n/dev/pts/ptmx\n1000\n", 0), 0U) << outcome.all();
  EXPECT_NE(outcome.out.find("CapEff:\t" + none), std::string::npos) << outcome.all();
}

TEST_F(Namespaces, JoinedUserNamespace) {
  Bundle first;
  add_user_namespace(first.config);
  first.sh("while :; do sleep 1; done");
  const std::string id = start(first);
  const std::string proc = "/proc/" + std::to_string(runtime.pid(id)) + "/ns/";
  Json config = default_config();
  join(config, "user", proc + "user");
  join(config, "network", proc + "net");
  if (!runtime.is_davit()) {
    for (const char* key : {"uidMappings", "gidMappings"}) config["linux"][key] = first.config["linux"][key];
  }
  EXPECT_EQ(output(config, "readlink /proc/self/ns/user; id -u"), read_link(proc + "user") + "\n0");
}

TEST_F(Namespaces, TimeOffsets) {
  SKIP_FOR("runc,crun", "1.1.5 lacks it, 1.8.1 fails on this kernel");
  Json config = default_config();
  config["linux"]["namespaces"].push(Json::object({{"type", "time"}}));
  config["linux"]["timeOffsets"] = Json::parse(R"({"boottime": {"secs": 100000}, "monotonic": {"secs": 5}})");
  const std::string text =
      output(config, "cat /proc/self/timens_offsets | tr -s ' \t' ' '; cut -d. -f1 /proc/uptime");
  EXPECT_NE(text.find("boottime 100000 0"), std::string::npos) << text;
  EXPECT_NE(text.find("monotonic 5 0"), std::string::npos) << text;
  EXPECT_GT(std::stol(text.substr(text.rfind('\n'))), 100000) << text;
}

TEST_F(Namespaces, HostnameNeedsAUtsNamespace) {
  Json config = default_config();
  remove_namespace(config, "uts");
  config["hostname"] = "would-rename-the-host";
  refused(config);
}

TEST_F(Namespaces, Sysctl) {
  Json config = default_config();
  config["linux"]["sysctl"] = Json::parse(
      R"({"net.ipv4.ip_forward": "1", "kernel.msgmax": "65530", "fs.mqueue.msg_max": "20",
          "net.ipv4.ip_unprivileged_port_start": "1000"})");
  EXPECT_EQ(output(config,
                   "cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax fs/mqueue/msg_max "
                   "net/ipv4/ip_unprivileged_port_start"),
            "1\n65530\n20\n1000");
}

TEST_F(Namespaces, ASysctlOfTheHostIsRefused) {
  const std::string before =
      read_file("/proc/sys/kernel/core_pattern") + read_file("/proc/sys/vm/swappiness");
  for (const char* key :
       {"kernel.core_pattern", "vm.swappiness", "kernel/core_pattern", "net/../kernel/core_pattern",
        "kernel.shm_rmid_forced/../core_pattern", "nosuch.thing"}) {
    Json config = default_config();
    config["linux"]["sysctl"][key] = "1";
    refused(config);
  }
  EXPECT_EQ(read_file("/proc/sys/kernel/core_pattern") + read_file("/proc/sys/vm/swappiness"), before);
}

TEST_F(Namespaces, ASysctlWithoutItsNamespaceIsRefused) {
  const std::string before = read_file("/proc/sys/net/ipv4/ip_forward");
  Json config = default_config();
  remove_namespace(config, "network");
  config["linux"]["sysctl"]["net.ipv4.ip_forward"] = trim(before) == "0" ? "1" : "0";
  refused(config);
  EXPECT_EQ(read_file("/proc/sys/net/ipv4/ip_forward"), before);
}

}  // namespace
}  // namespace support
