// SPDX-License-Identifier: Apache-2.0
// What the reader accepts, and what it says about what it does not.
#include "davit/spec/reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace davit::spec {
namespace {

std::string pointed(const Error& error) {
  return std::string(error.where.pointer) + ": " + std::string(error.message);
}

std::vector<std::string> all_pointed(const std::vector<Error>& errors) {
  std::vector<std::string> lines;
  for (const Error& error : errors) lines.push_back(pointed(error));
  return lines;
}

/// A minimal config with a fragment put in.
Read<Config> with(const std::string& fragment) {
  return read_config(R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"}, )" + fragment + "}",
                     "config.json");
}
Read<Config> with_linux(const std::string& fragment) {
  return with("\"linux\": {" + fragment + "}");
}
Read<Config> with_process(const std::string& fragment) {
  return with(R"("process": {"args": ["sh"], "cwd": "/", )" + fragment + "}");
}

using Lines = std::vector<std::string>;

TEST(SpecReader, ReportsEverythingAtOnceWithLineAndColumn) {
  const auto read = read_config(R"({
  "root": {"path": ""},
  "process": {"cwd": "x", "args": [], "user": {"uid": -1}},
  "mounts": [
    {"type": "proc"},
    {"destination": "/a", "options": ["ro", 3]}
  ],
  "linux": {"namespaces": [{"type": "pid"}, {"type": "netwrk"}, {"type": "pid"}]}
})",
                                "config.json");
  Lines lines;
  for (const Error& error : read.errors) lines.emplace_back(describe(error).view());
  const Lines expected = {
      "config.json:1:1: /ociVersion: is required, but missing",
      "config.json:2:20: /root/path: must not be empty",
      "config.json:3:22: /process/cwd: must be an absolute path, is \"x\"",
      "config.json:3:35: /process/args: must hold at least one entry",
      "config.json:3:55: /process/user/uid: must be between 0 and 4294967295, is -1",
      "config.json:5:5: /mounts/0/destination: is required, but missing",
      "config.json:6:45: /mounts/1/options/1: must be a string, is the number 3",
      "config.json:8:54: /linux/namespaces/1/type: invalid namespace type \"netwrk\"",
      "config.json:8:74: /linux/namespaces/2/type: namespace pid occurs twice, first in /linux/namespaces/0",
  };
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(first_of(read.errors).message.view(), "is required, but missing (and 8 more errors)");
}

TEST(SpecReader, RefusesADocumentThatIsNoObject) {
  EXPECT_EQ(all_pointed(read_config("[]", "c").errors), Lines{": must be an object, is an array"});
  EXPECT_EQ(all_pointed(read_config("3", "c").errors), Lines{": must be an object, is the number 3"});
}

TEST(SpecReader, IgnoresUnknownKeysAndHintsAtTheRightOne) {
  const auto read = with(R"("Hostname": "x", "hostnmae": "y", "zzz": 1, "linux": {"cgroupPath": "/x"})");
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(read.value.hostname, "");
  ASSERT_EQ(read.warnings.size(), 4u);
  EXPECT_EQ(pointed(read.warnings[3]), "/linux/cgroupPath: unknown key \"cgroupPath\" is ignored");
  EXPECT_EQ(read.warnings[0].advice.view(), "did you mean \"hostname\"?");
  EXPECT_EQ(read.warnings[1].advice.view(), "did you mean \"hostname\"?");
  EXPECT_TRUE(read.warnings[2].advice.empty());
  EXPECT_EQ(read.warnings[3].advice.view(), "did you mean \"cgroupsPath\"?");
}

// runc, whose JSON library does not look at the case, makes this root read-only.
TEST(SpecReader, AKeyThatDiffersInCaseOnlyIsANotice) {
  const auto read = spec::read_config(
      R"({"ociVersion": "1.0.0", "root": {"path": "r", "readOnly": true, "reedonly": true}})", "config.json");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.warnings.size(), 2U);
  ASSERT_EQ(read.notices.size(), 1U);
  EXPECT_EQ(read.notices[0].where.pointer.view(), "/root/readOnly");
  EXPECT_NE(read.notices[0].message.view().find("\"readonly\""), std::string_view::npos);
}

TEST(SpecReader, TakesNullForAbsent) {
  const auto read =
      with(R"("process": null, "mounts": null, "annotations": null, "linux": {"seccomp": null})");
  EXPECT_TRUE(read.ok());
  EXPECT_FALSE(read.value.process.has_value());
  EXPECT_EQ(all_pointed(read_config(R"({"ociVersion": null, "root": {"path": "r"}})", "c").errors),
            Lines{"/ociVersion: is required, but null"});
}

TEST(SpecReader, IgnoresOtherPlatforms) {
  const auto read =
      with(R"("windows": 1, "solaris": [], "zos": {"a": 1}, "freebsd": {}, "vm": {"kernel": 3})");
  EXPECT_TRUE(read.ok());
  EXPECT_TRUE(read.warnings.empty());
}

struct Case {
  std::string fragment;
  Lines errors;
};

void expect_errors(Read<Config> (*make)(const std::string&), const std::vector<Case>& cases) {
  for (const Case& one : cases) EXPECT_EQ(all_pointed(make(one.fragment).errors), one.errors) << one.fragment;
}

TEST(SpecReader, ChecksTheVersion) {
  const auto read = [](const std::string& version) {
    return all_pointed(
        read_config(R"({"root": {"path": "r"}, "ociVersion": ")" + version + "\"}", "c").errors);
  };
  for (const char* good : {"1.0.0", "1.0.2-dev", "1.3.0+x.1", "1.99.0", "1.0.0-rc.1+dirty"})
    EXPECT_EQ(read(good), Lines{}) << good;
  for (const char* bad : {"", "1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "v1.0.0", "1.0.0 "})
    EXPECT_EQ(read(bad), Lines{"/ociVersion: not a semantic version: \"" + std::string(bad) + "\""});
  EXPECT_EQ(read("2.0.0"), Lines{"/ociVersion: version \"2.0.0\" of the specification is not supported"});
}

TEST(SpecReader, ChecksIntegersAsGoDoes) {
  expect_errors(
      with_process,
      {{R"("oomScoreAdj": 1e2)", {"/process/oomScoreAdj: must be an integer, is 1e2"}},
       {R"("oomScoreAdj": 1.0)", {"/process/oomScoreAdj: must be an integer, is 1.0"}},
       {R"("oomScoreAdj": "1")", {"/process/oomScoreAdj: must be an integer, is a string \"1\""}},
       {R"("oomScoreAdj": 99999999999999999999)",
        {"/process/oomScoreAdj: must be between -2147483648 and 2147483647, is 99999999999999999999"}},
       {R"("oomScoreAdj": 1001)", {"/process/oomScoreAdj: must be between -1000 and 1000, is 1001"}},
       {R"("oomScoreAdj": -1000)", {}}});
}

TEST(SpecReader, ChecksTheProcess) {
  expect_errors(
      with_process,
      {{R"("env": ["A\u0000=1"])", {"/process/env/0: must not hold a NUL character"}},
       {R"("user": {"uid": 4294967295})",
        {"/process/user/uid: 4294967295 is no id: the kernel takes it for \"none\""}},
       {R"("user": {"umask": 512})", {"/process/user/umask: must be at most 511 (octal 0777)"}},
       {R"("consoleSize": "ignored without a terminal")", {}},
       {R"("terminal": true, "consoleSize": {"height": 1})",
        {"/process/consoleSize/width: is required, but missing"}},
       {R"("rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}])",
        {"/process/rlimits/0/type: invalid resource limit type \"RLIMIT_X\""}},
       {R"("rlimits": [{"type": "RLIMIT_AS", "soft": 2, "hard": 1}])",
        {"/process/rlimits/0/soft: must not be above the hard limit"}},
       {R"("rlimits": [{"type": "RLIMIT_AS", "soft": 1, "hard": 1}, {"type": "RLIMIT_AS", "soft": 1, "hard": 1}])",
        {"/process/rlimits/1/type: RLIMIT_AS occurs twice, first in /process/rlimits/0"}},
       {R"("scheduler": {"nice": 1})", {"/process/scheduler/policy: is required, but missing"}},
       {R"("scheduler": {"policy": "SCHED_FIFO"})",
        {"/process/scheduler/priority: must be between 1 and 99, is 0"}},
       {R"("scheduler": {"policy": "SCHED_OTHER", "priority": 1})",
        {"/process/scheduler/priority: only SCHED_FIFO and SCHED_RR have a priority"}},
       {R"("scheduler": {"policy": "SCHED_RR", "priority": 1, "runtime": 5})",
        {"/process/scheduler/runtime: belongs to SCHED_DEADLINE only"}},
       {R"("scheduler": {"policy": "SCHED_DEADLINE"})",
        {"/process/scheduler: `SCHED_DEADLINE` requires `runtime`",
         "/process/scheduler: `SCHED_DEADLINE` requires `deadline`"}},
       {R"("scheduler": {"policy": "SCHED_DEADLINE", "runtime": 0, "deadline": 9000, "period": 10})",
        {"/process/scheduler/runtime: runtime must be greater than 0 with `SCHED_DEADLINE`",
         "/process/scheduler/deadline: deadline (9000) must be <= period (10)",
         "/process/scheduler/period: period (10) must be between 1024 and 9223372036854775807"}},
       {R"("scheduler": {"policy": "SCHED_DEADLINE", "runtime": 3000, "deadline": 2000})",
        {"/process/scheduler/runtime: runtime (3000) must be <= deadline (2000)"}},
       {R"("scheduler": {"policy": "SCHED_DEADLINE", "runtime": 2000, "deadline": 3000, "period": 0})", {}},
       {R"("ioPriority": {"class": "IOPRIO_CLASS_NONE"})",
        {"/process/ioPriority/class: invalid I/O priority class \"IOPRIO_CLASS_NONE\""}},
       {R"("ioPriority": {"class": "IOPRIO_CLASS_RT", "priority": 8})",
        {"/process/ioPriority/priority: must be between 0 and 7, is 8"}},
       {R"("execCPUAffinity": {"initial": "a"})",
        {"/process/execCPUAffinity/initial: invalid CPU list \"a\""}}});
}

TEST(SpecReader, ChecksMountsHooksAndAnnotations) {
  const std::string map = R"([{"containerID": 0, "hostID": 1, "size": 1}])";
  expect_errors(
      with,
      {{R"("mounts": [{"destination": ""}])", {"/mounts/0/destination: must not be empty"}},
       {R"("mounts": [{"destination": "/a", "uidMappings": )" + map + "}]",
        {"/mounts/0: uidMappings and gidMappings must come together"}},
       {R"("mounts": [{"destination": "/a", "options": ["idmap"]}])",
        {"/mounts/0/options: an idmapped mount needs mappings, and there is no user namespace"}},
       {R"("mounts": [{"destination": "/a", "options": ["idmap"]}], "linux": {"namespaces": [{"type": "user"}]})",
        {}},
       {R"("hooks": {"poststop": [{"path": "rel"}]})",
        {"/hooks/poststop/0/path: must be an absolute path, is \"rel\""}},
       {R"("hooks": {"poststop": [{"path": "/a", "timeout": 0}]})",
        {"/hooks/poststop/0/timeout: must be greater than 0"}},
       {R"("annotations": {"": "x"})", {"/annotations/: an annotation's key must not be empty"}},
       {R"("annotations": {"a": 1})", {"/annotations/a: must be a string, is the number 1"}},
       {R"("annotations": [])", {"/annotations: must be an object, is an array"}},
       {"\"hostname\": \"" + std::string(65, 'x') + "\"", {"/hostname: must be at most 64 bytes long"}}});
  EXPECT_EQ(pointed(with(R"("mounts": [{"destination": "data"}])").warnings.at(0)),
            "/mounts/0/destination: a relative destination is deprecated");
}

TEST(SpecReader, ChecksMappings) {
  const auto mapping = [](const char* first, const char* second) {
    return std::string("\"uidMappings\": [") + first + (*second != '\0' ? ", " : "") + second + "]";
  };
  const char* first = R"({"containerID": 0, "hostID": 1000, "size": 10})";
  expect_errors(with_linux,
                {{mapping(first, R"({"containerID": 10, "hostID": 1010, "size": 1})"), {}},
                 {mapping(first, R"({"containerID": 9, "hostID": 2000, "size": 1})"),
                  {"/linux/uidMappings/1/containerID: the range overlaps that of /linux/uidMappings/0"}},
                 {mapping(first, R"({"containerID": 50, "hostID": 995, "size": 6})"),
                  {"/linux/uidMappings/0/hostID: the range overlaps that of /linux/uidMappings/1"}},
                 {mapping(R"({"containerID": 0, "hostID": 1, "size": 4294967295})", ""),
                  {"/linux/uidMappings/0/hostID: the range goes beyond the last id, 4294967294"}},
                 {mapping(R"({"containerID": 0, "hostID": 0, "size": 4294967295})", ""), {}},
                 {mapping(R"({"containerID": 0, "hostID": 0, "size": 0})", ""),
                  {"/linux/uidMappings/0/size: must be greater than 0"}},
                 {mapping(R"({"containerID": 0, "size": 1})", ""),
                  {"/linux/uidMappings/0/hostID: is required, but missing"}}});
}

TEST(SpecReader, ChecksLinux) {
  expect_errors(
      with_linux,
      {{R"("namespaces": [{"type": "pid", "path": "ns"}])",
        {"/linux/namespaces/0/path: must be an absolute path, is \"ns\""}},
       {R"("devices": [{"type": "c", "path": "/dev/x", "major": 1}])",
        {"/linux/devices/0/minor: is required, but missing"}},
       {R"("devices": [{"type": "p", "path": "/dev/x"}])", {}},
       {R"("devices": [{"type": "x", "path": "/dev/x"}])",
        {"/linux/devices/0/type: invalid device type \"x\""}},
       {R"("devices": [{"type": "c", "path": "x", "major": 4096, "minor": 1048576}])",
        {"/linux/devices/0/path: must be an absolute path, is \"x\"",
         "/linux/devices/0/major: must be at most 4095", "/linux/devices/0/minor: must be at most 1048575"}},
       {R"("netDevices": {"eth0": {"name": "a/b"}})",
        {"/linux/netDevices/eth0/name: invalid network device name \"a/b\""}},
       {R"("netDevices": {"eth0": {"name": "e"}, "eth1": {"name": "e"}})",
        {"/linux/netDevices/eth1/name: two network devices cannot both be called \"e\""}},
       {R"("netDevices": {"eth0": {"name": "e%d"}, "eth1": {"name": "e%d"}})", {}},
       {R"("netDevices": {"eth0": {"name": "e%dx"}})",
        {"/linux/netDevices/eth0/name: invalid network device name \"e%dx\""}},
       {R"("sysctl": {"net..x": "1"})", {"/linux/sysctl/net..x: invalid sysctl name \"net..x\""}},
       {R"("sysctl": {"net/../x": "1"})", {"/linux/sysctl/net~1..~1x: invalid sysctl name \"net/../x\""}},
       {R"("sysctl": {"net/ipv4/conf/eth0.1/forwarding": "1"})", {}},
       {R"("sysctl": {"kernel.domainname": "a\nb"})",
        {"/linux/sysctl/kernel.domainname: a sysctl value must be one line"}},
       {R"("maskedPaths": ["/a", "b"])", {"/linux/maskedPaths/1: must be an absolute path, is \"b\""}},
       {R"("readonlyPaths": [""])", {"/linux/readonlyPaths/0: must be an absolute path, is \"\""}},
       {R"("rootfsPropagation": "")", {}},
       {R"("rootfsPropagation": "public")",
        {"/linux/rootfsPropagation: invalid rootfs propagation \"public\""}},
       {R"("timeOffsets": {"boottime": {"nanosecs": 1000000000}})",
        {"/linux/timeOffsets/boottime/nanosecs: must be below 1000000000"}},
       {R"("personality": {"domain": "LINUX", "flags": ["X"]})",
        {"/linux/personality/flags: no personality flags are supported by the specification"}},
       {R"("intelRdt": {"closID": "../x"})", {"/linux/intelRdt/closID: invalid class id \"../x\""}},
       {R"("intelRdt": {"memBwSchema": "L3:0=1"})", {"/linux/intelRdt/memBwSchema: must begin with \"MB:\""}},
       {R"("intelRdt": {"schemata": ["a\nb"]})", {"/linux/intelRdt/schemata/0: must be one line"}},
       {R"("memoryPolicy": {"mode": "MPOL_X"})",
        {"/linux/memoryPolicy/mode: invalid memory policy mode \"MPOL_X\""}},
       {R"("memoryPolicy": {"mode": "MPOL_BIND"})",
        {"/linux/memoryPolicy/nodes: invalid memory policy: MPOL_BIND needs nodes"}},
       {R"("memoryPolicy": {"mode": "MPOL_LOCAL", "nodes": "0-2,5"})",
        {"/linux/memoryPolicy/nodes: invalid memory policy: mode requires 0 nodes but got 4: MPOL_LOCAL "
         "takes "
         "none"}},
       {R"("memoryPolicy": {"mode": "MPOL_BIND", "nodes": "zero"})",
        {"/linux/memoryPolicy/nodes: invalid memory policy node \"zero\""}},
       {R"("memoryPolicy": {"mode": "MPOL_DEFAULT", "nodes": ""})", {}}});
}

TEST(SpecReader, ChecksResources) {
  const auto make = [](const std::string& fragment) {
    return with_linux("\"resources\": {" + fragment + "}");
  };
  expect_errors(
      make,
      {{R"("memory": {"limit": -2})", {"/linux/resources/memory/limit: must be -1 (unlimited) or more"}},
       {R"("memory": {"limit": 10, "swap": 5})",
        {"/linux/resources/memory/swap: must not be below the memory limit, which it includes"}},
       {R"("memory": {"limit": 10, "swap": -1})", {}},
       {R"("memory": {"swappiness": 101})",
        {"/linux/resources/memory/swappiness: must be between 0 and 100"}},
       {R"("cpu": {"quota": 10, "burst": 11})", {"/linux/resources/cpu/burst: must not be above the quota"}},
       {R"("cpu": {"cpus": "0;1"})", {"/linux/resources/cpu/cpus: invalid list \"0;1\""}},
       {R"("cpu": {"idle": 2})", {"/linux/resources/cpu/idle: must be 0 or 1"}},
       {R"("blockIO": {"weight": 5})",
        {"/linux/resources/blockIO/weight: must be between 10 and 1000, is 5"}},
       {R"("blockIO": {"weightDevice": [{"major": 8, "minor": 0}]})",
        {"/linux/resources/blockIO/weightDevice/0: must have a weight or a leafWeight"}},
       {R"("blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0}]})",
        {"/linux/resources/blockIO/throttleReadBpsDevice/0/rate: is required, but missing"}},
       {R"("hugepageLimits": [{"pageSize": "../../x", "limit": 1}])",
        {"/linux/resources/hugepageLimits/0/pageSize: invalid page size \"../../x\""}},
       {R"("hugepageLimits": [{"pageSize": "02MB", "limit": 1}])",
        {"/linux/resources/hugepageLimits/0/pageSize: invalid page size \"02MB\""}},
       {R"("rdma": {"mlx": {}})", {"/linux/resources/rdma/mlx: must have hcaHandles or hcaObjects"}},
       {R"("unified": {"../x": "1"})", {"/linux/resources/unified/..~1x: invalid cgroup file name \"../x\""}},
       {R"("unified": {"memory.max": 1})",
        {"/linux/resources/unified/memory.max: must be a string, is the number 1"}},
       {R"("devices": [{"allow": false}])", {}},
       {R"("devices": [{"access": "r"}])", {"/linux/resources/devices/0/allow: is required, but missing"}},
       {R"("devices": [{"allow": true}])",
        {"/linux/resources/devices/0/access: a rule that allows must say what"}},
       {R"("devices": [{"allow": true, "access": "rx"}])",
        {"/linux/resources/devices/0/access: invalid device access \"rx\""}},
       {R"("devices": [{"allow": true, "access": "r", "major": -2}])",
        {"/linux/resources/devices/0/major: must be between -1 and 4294967295, is -2"}}});
}

TEST(SpecReader, ChecksSeccomp) {
  const auto make = [](const std::string& fragment) { return with_linux("\"seccomp\": {" + fragment + "}"); };
  const std::string allow = R"("defaultAction": "SCMP_ACT_ALLOW")";
  const auto rule = [&](const char* body) { return allow + ", \"syscalls\": [{" + body + "}]"; };
  expect_errors(
      make,
      {{"", {"/linux/seccomp/defaultAction: is required, but missing"}},
       {allow + R"(, "defaultErrnoRet": 1)",
        {"/linux/seccomp/defaultErrnoRet: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take an errno value"}},
       {R"("defaultAction": "SCMP_ACT_NOTIFY")",
        {"/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action"}},
       {allow + R"(, "listenerMetadata": "x")",
        {"/linux/seccomp/listenerMetadata: must not be set without listenerPath"}},
       {allow + R"(, "architectures": ["X86"])",
        {"/linux/seccomp/architectures/0: invalid seccomp architecture \"X86\""}},
       {allow + R"(, "flags": ["TSYNC"])", {"/linux/seccomp/flags/0: invalid seccomp flag \"TSYNC\""}},
       {rule(R"("names": [], "action": "SCMP_ACT_LOG")"),
        {"/linux/seccomp/syscalls/0/names: must hold at least one system call"}},
       {rule(R"("names": ["a", ""], "action": "SCMP_ACT_LOG")"),
        {"/linux/seccomp/syscalls/0/names/1: a system call needs a name"}},
       {rule(R"("names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096)"),
        {"/linux/seccomp/syscalls/0/errnoRet: must be at most 4095"}},
       {rule(R"("names": ["a"], "action": "SCMP_ACT_NOTIFY")"),
        {"/linux/seccomp/syscalls/0/action: SCMP_ACT_NOTIFY needs somebody who listens"}},
       {rule(R"("names": ["write"], "action": "SCMP_ACT_NOTIFY")") + R"(, "listenerPath": "/s")",
        {"/linux/seccomp/syscalls/0/action: SCMP_ACT_NOTIFY cannot be used for the write syscall"}},
       {rule(
            R"("names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}])"),
        {"/linux/seccomp/syscalls/0/args/0/index: a system call has arguments 0 to 5"}},
       {rule(R"("names": ["a"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 0}])"),
        {"/linux/seccomp/syscalls/0/args/0/op: is required, but missing"}}});
}

TEST(SpecReader, ResolvesWhatEnginesWriteForNothing) {
  const auto read = read_resources(
      R"({"memory": {"limit": 0, "swap": 0}, "cpu": {"shares": 0, "quota": -5, "period": 0}, "pids": {"limit": -3},
          "blockIO": {"weight": 0}, "devices": [{"allow": false, "type": "", "major": -1}]})",
      "-");
  ASSERT_TRUE(read.ok());
  const Resources& resources = read.value.resources;
  EXPECT_FALSE(resources.memory.limit.has_value());
  EXPECT_FALSE(resources.memory.swap.has_value());
  EXPECT_FALSE(resources.cpu.shares.has_value());
  EXPECT_EQ(resources.cpu.quota, -1);
  EXPECT_EQ(resources.pids.limit, -1);
  EXPECT_FALSE(resources.block_io.weight.has_value());
  ASSERT_EQ(resources.devices.size(), 1u);
  EXPECT_EQ(resources.devices[0].type, DeviceRuleType::all);
  EXPECT_FALSE(resources.devices[0].major.has_value());
  EXPECT_TRUE(resources.devices[0].read && resources.devices[0].write && resources.devices[0].mknod);
}

TEST(SpecReader, ReadsAProcessOfItsOwn) {
  const auto read = read_process(R"({"args": ["ls", "-l"], "cwd": "/", "user": {"uid": 7}})", "process.json");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value.process.args, (std::vector<std::string>{"ls", "-l"}));
  EXPECT_EQ(read.value.process.user.uid, 7u);
  const auto bad = read_process("{}", "process.json");
  EXPECT_EQ(all_pointed(bad.errors),
            (Lines{"/args: is required, but missing", "/cwd: is required, but missing"}));
}

TEST(SpecReader, BoundsItsComplaints) {
  std::string keys;
  for (int i = 0; i < 1000; ++i) keys += (i == 0 ? "\"x" : ", \"x") + std::to_string(i) + "\": 0";
  EXPECT_LE(with(keys).warnings.size(), 50u);
}

TEST(SpecReader, AnUnknownLetterOfAccessAllowsNothingAndDeniesAll) {
  const auto rule_of = [](const std::string& rule) {
    return with_linux("\"resources\": {\"devices\": [" + rule + "]}").value.linux.resources.devices.at(0);
  };
  const DeviceRule allowing = rule_of(R"({"allow": true, "type": "c", "access": "rwa"})");
  EXPECT_TRUE(allowing.read && allowing.write && !allowing.mknod);
  const DeviceRule denying = rule_of(R"({"allow": false, "type": "c", "access": "ra"})");
  EXPECT_TRUE(denying.read && denying.write && denying.mknod);
}

// Who looks at each one again for each other one, or at the whole text for each, does not come back from
// this.
TEST(SpecReader, ManyOfAKindAreLittleWork) {
  const auto many = [](const std::string& start, const std::string& one, const std::string& end) {
    std::string text = start;
    for (int i = 0; i < 40000; ++i) text.append(i == 0 ? "" : ",").append(one);
    return text + end;
  };
  EXPECT_FALSE(
      with_process(many("\"rlimits\": [", R"({"type": "RLIMIT_AS", "soft": 1, "hard": 1})", "]")).ok());
  EXPECT_TRUE(with_process(many("\"env\": [", "\"no name\"", "]")).ok());
  EXPECT_TRUE(
      with_linux(many("\"devices\": [", R"({"path": "/dev/a", "type": "c", "major": 1, "minor": 3})", "]"))
          .ok());
  EXPECT_FALSE(with_linux(many("\"namespaces\": [", R"({"type": "pid"})", "]")).ok());
  EXPECT_TRUE(with(many("\"mounts\": [", R"({"destination": "x", "type": "tmpfs"})", "]")).ok());
}

TEST(SpecPosition, PointsBelowAnItem) {
  const auto read = with("\"mounts\": [\n {\"destination\": \"/a\",\n  \"options\": [\"ro\",\n   \"x=y\"]}]");
  ASSERT_TRUE(read.ok());
  const Position& mount = read.value.mounts[0].position;
  EXPECT_EQ(describe(at(mount, make_error(Code::unsupported, "no"))).view(),
            "config.json:2:2: /mounts/0: no");
  EXPECT_EQ(describe(at(mount, "options/1", make_error(Code::unsupported, "no"))).view(),
            "config.json:4:4: /mounts/0/options/1: no");
  EXPECT_EQ(describe(at(mount, "source", make_error(Code::unsupported, "no"))).view(),
            "config.json:2:2: /mounts/0/source: no")
      << "what is absent keeps the line of its parent";
  EXPECT_EQ(pointer_of(mount, "options/1"), "/mounts/0/options/1");
  EXPECT_EQ(describe(at(Position{}, make_error(Code::unsupported, "no"))).view(), "no");
  Error located = at(mount, make_error(Code::unsupported, "no"));
  EXPECT_EQ(at(read.value.position, located).where.pointer.view(), "/mounts/0") << "the first who knows wins";
}

}  // namespace
}  // namespace davit::spec
