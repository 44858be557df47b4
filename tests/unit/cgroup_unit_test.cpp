// SPDX-License-Identifier: Apache-2.0
// Containers as units of systemd: names, properties, annotations. All pure.
#include "features/cgroup/unit.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "features/cgroup/former.hpp"

namespace davit::cgroup {
namespace {

std::string name_of(std::string_view path, bool of_user = false) {
  const auto name = unit_name(path, "web", of_user);
  if (!name.ok()) return "error: " + std::string(name.error().message.view());
  return name->slice + " " + name->unit;
}
bool refused(std::string_view path) {
  return name_of(path).starts_with("error: ");
}

TEST(UnitName, EveryPartHasADefault) {
  EXPECT_EQ(name_of(""), "system.slice davit-web.scope");
  EXPECT_EQ(name_of("", true), "user.slice davit-web.scope");
  EXPECT_EQ(name_of("machine.slice:libpod:1"), "machine.slice libpod-1.scope");
  EXPECT_EQ(name_of(":libpod:1"), "system.slice libpod-1.scope");
  EXPECT_EQ(name_of(":libpod:1", true), "user.slice libpod-1.scope");
  EXPECT_EQ(name_of("kubepods-burstable-pod_1.slice:cri-containerd:1"),
            "kubepods-burstable-pod_1.slice cri-containerd-1.scope");
  EXPECT_EQ(name_of("-.slice:libpod:1"), "-.slice libpod-1.scope");
}

TEST(UnitName, ANameThatIsASliceStaysOne) {
  EXPECT_EQ(name_of("machine.slice:libpod:machine-pod.slice"), "machine.slice machine-pod.slice");
}

TEST(UnitName, WhatIsNoNameIsRefused) {
  for (const char* bad :
       {"/a/b", "web", "a.slice:web", "a.slice:b:c:d", "a.slice:b:", "a:b:c", "a.slice/b.slice:c:d",
        ".slice:a:b", "-a.slice:a:b", "a-.slice:a:b", "a--b.slice:c:d", "a.slice:b:c/d", "a.slice:b:c d",
        "a.slice:b:c\nd", "a.slice:b:--x.slice"})
    EXPECT_TRUE(refused(bad)) << bad << " became " << name_of(bad);
  EXPECT_TRUE(refused("a.slice:b:" + std::string(300, 'x')));
}

TEST(UnitName, DashesAreLevels) {
  EXPECT_EQ(slice_path("-.slice"), "");
  EXPECT_EQ(slice_path("a.slice"), "/a.slice");
  EXPECT_EQ(slice_path("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
}

std::string shown(const bus::Value& value) {
  if (value.type == "s") return value.text;
  if (value.type == "d") return std::to_string(value.real);
  if (value.parts.empty()) {
    const bool is_container = value.type[0] == 'a' || value.type[0] == '(';
    if (is_container) return "[]";
    const bool is_signed = value.type == "n" || value.type == "i" || value.type == "x";
    return is_signed ? std::to_string(static_cast<std::int64_t>(value.number)) : std::to_string(value.number);
  }
  std::string text;
  for (const bus::Value& part : value.parts) text += (text.empty() ? "" : ",") + shown(part);
  return "[" + text + "]";
}

using Lines = std::vector<std::string>;

Lines lines(const Result<std::vector<UnitProperty>>& properties) {
  if (!properties.ok()) return {"error: " + std::string(properties.error().message.view())};
  Lines result;
  for (const UnitProperty& one : *properties)
    result.push_back(one.property.name + "=" + shown(one.property.value) +
                     (one.since > 0 ? " since " + std::to_string(one.since) : ""));
  return result;
}
Lines v1(const spec::Resources& resources) {
  return lines(unit_properties(translate_v1(resources).value(), host::CgroupMode::v1));
}
Lines v2(const spec::Resources& resources) {
  return lines(unit_properties(translate_v2(resources).value(), host::CgroupMode::v2));
}
Lines unified(const std::string& file, const std::string& value) {
  spec::Resources resources;
  resources.unified.push_back({file, value, {}});
  return v2(resources);
}

TEST(UnitProperties, Memory) {
  spec::Resources resources;
  resources.memory.limit = 100;
  resources.memory.swap = 150;
  resources.memory.reservation = 50;
  EXPECT_EQ(v2(resources), (Lines{"MemoryMax=100", "MemorySwapMax=50", "MemoryLow=50"}));
  EXPECT_EQ(v1(resources), (Lines{"MemoryLimit=100"}));
  resources = {};
  resources.memory.limit = -1;
  EXPECT_EQ(v2(resources), (Lines{"MemoryMax=18446744073709551615", "MemorySwapMax=18446744073709551615"}));
}

TEST(UnitProperties, Cpu) {
  spec::Resources resources;
  resources.cpu.shares = 1024;
  resources.cpu.quota = 50000;
  EXPECT_EQ(v2(resources),
            (Lines{"CPUWeight=100", "CPUQuotaPerSecUSec=500000", "CPUQuotaPeriodUSec=100000 since 242"}));
  resources.cpu.period = 20000;
  EXPECT_EQ(v1(resources),
            (Lines{"CPUShares=1024", "CPUQuotaPerSecUSec=2500000", "CPUQuotaPeriodUSec=20000 since 242"}));
  resources.cpu.quota = -1;
  EXPECT_EQ(v2(resources), (Lines{"CPUWeight=100", "CPUQuotaPerSecUSec=18446744073709551615"}));
  resources = {};
  resources.cpu.idle = 1;
  EXPECT_EQ(v2(resources), (Lines{"CPUWeight=0 since 252"}));
  EXPECT_EQ(v1(resources), Lines());
}

TEST(UnitProperties, AnEndOfIdlenessIsAWeight) {
  const auto told = [](std::vector<Setting> settings, host::CgroupMode mode) {
    const auto all = with_counterparts(std::move(settings), mode, [](const char* file) {
      return std::string(file) == "cpu.weight" ? Result<std::string>("200")
                                               : make_error(Code::internal, "not to be read");
    });
    return lines(unit_properties(all.value(), mode));
  };
  const Setting idle{"cpu", "cpu.idle", "1", {}, ""};
  const Setting awake{"cpu", "cpu.idle", "0", {}, ""};
  EXPECT_EQ(told({idle}, host::CgroupMode::v2), Lines{"CPUWeight=0 since 252"});
  EXPECT_EQ(told({awake}, host::CgroupMode::v2), Lines{"CPUWeight=200"});
  EXPECT_EQ(told({awake, {"cpu", "cpu.weight", "7", {}, ""}}, host::CgroupMode::v2), Lines{"CPUWeight=7"});
  EXPECT_EQ(told({awake}, host::CgroupMode::v1), Lines{});
}

TEST(Former, AWeightComesBackAfterIdleness) {
  char directory[] = "/tmp/dvt-former-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = directory;
  const auto write = [&](const char* file, const char* text) { std::ofstream(path + "/" + file) << text; };
  const auto read = [&](const char* file) {
    std::string line;
    std::getline(std::ifstream(path + "/" + file) >> std::ws, line);
    return line;
  };
  write("cpu.idle", "0\n");
  write("cpu.weight", "200\n");
  Place place;
  place.mode = host::CgroupMode::v2;
  place.directories = {{{}, path, "/tmp"}};
  Former former;
  former.remember(place, {{"cpu", "cpu.idle", "1", {}, ""}});
  write("cpu.idle", "1\n");
  write("cpu.weight", "0\n");
  former.restore();
  EXPECT_EQ(read("cpu.idle"), "0");
  EXPECT_EQ(read("cpu.weight").substr(0, 3), "200");
  ASSERT_EQ(former.settings().size(), 2u);
  EXPECT_EQ(former.settings().back().file, "cpu.weight");
  for (const char* file : {"/cpu.idle", "/cpu.weight", ""}) std::remove((path + file).c_str());
}

TEST(UnitProperties, CpuSetsAreBits) {
  spec::Resources resources;
  resources.cpu.cpus = "0-3,9";
  resources.cpu.mems = "0";
  EXPECT_EQ(v2(resources), (Lines{"AllowedCPUs=[15,2] since 244", "AllowedMemoryNodes=[1] since 244"}));
  EXPECT_EQ(v1(resources), Lines());
  resources.cpu.cpus = "3-1";
  EXPECT_TRUE(v2(resources).front().starts_with("error: "));
  resources.cpu.cpus = "0-99999999";
  EXPECT_TRUE(v2(resources).front().starts_with("error: ")) << "no set of all CPUs of this world";
}

TEST(UnitProperties, Tasks) {
  spec::Resources resources;
  resources.pids.limit = 7;
  EXPECT_EQ(v2(resources), Lines{"TasksMax=7"});
  EXPECT_EQ(v1(resources), Lines{"TasksMax=7"});
  resources.pids.limit = -1;
  EXPECT_EQ(v2(resources), Lines{"TasksMax=18446744073709551615"});
}

TEST(UnitProperties, Io) {
  spec::Resources resources;
  resources.block_io.weight = 500;
  resources.block_io.throttle_read_bps = {{8, 0, 1000, {}}, {8, 16, 2000, {}}};
  resources.block_io.throttle_write_iops = {{8, 0, 30, {}}};
  EXPECT_EQ(v2(resources),
            (Lines{"IOWeight=4950", "IOReadBandwidthMax=[[/dev/block/8:0,1000],[/dev/block/8:16,2000]]",
                   "IOWriteIOPSMax=[[/dev/block/8:0,30]]"}));
  EXPECT_EQ(v1(resources), (Lines{"BlockIOWeight=500",
                                  "BlockIOReadBandwidth=[[/dev/block/8:0,1000],[/dev/block/8:16,2000]]"}));
}

TEST(UnitProperties, UnifiedKeys) {
  EXPECT_EQ(unified("memory.high", "1G"), Lines{"MemoryHigh=1073741824"});
  EXPECT_EQ(unified("memory.min", "max"), Lines{"MemoryMin=18446744073709551615 since 240"});
  EXPECT_EQ(unified("memory.zswap.max", "5"), Lines{"MemoryZSwapMax=5 since 253"});
  EXPECT_EQ(unified("cpu.max", "max 100000"), Lines{"CPUQuotaPerSecUSec=18446744073709551615"});
  EXPECT_EQ(unified("cpu.max", "1000"),
            (Lines{"CPUQuotaPerSecUSec=10000", "CPUQuotaPeriodUSec=100000 since 242"}));
  EXPECT_EQ(unified("io.weight", "default 30"), Lines{"IOWeight=30"});
  EXPECT_EQ(unified("io.weight", "8:0 30"), Lines{"IODeviceWeight=[[/dev/block/8:0,30]]"});
  EXPECT_EQ(unified("io.max", "8:0 rbps=1 wiops=max"),
            (Lines{"IOReadBandwidthMax=[[/dev/block/8:0,1]]",
                   "IOWriteIOPSMax=[[/dev/block/8:0,18446744073709551615]]"}));
  EXPECT_EQ(unified("hugetlb.2MB.max", "0"), Lines()) << "systemd has nothing for it: the file has it alone";
  EXPECT_TRUE(unified("memory.max", "much").front().starts_with("error: "));
}

TEST(UnitProperties, DevicesOnV1) {
  spec::DeviceRule nothing{.allow = false, .read = true, .write = true, .mknod = true};
  spec::DeviceRule fuse{.allow = true,
                        .type = spec::DeviceRuleType::character,
                        .major = 10,
                        .minor = 229,
                        .read = true,
                        .write = true};
  const auto properties = device_properties({nothing, fuse});
  ASSERT_EQ(properties.size(), 2U);
  EXPECT_EQ(shown(properties[0].value), "strict");
  const std::string allowed = shown(properties[1].value);
  EXPECT_NE(allowed.find("[/dev/char/10:229,rw]"), std::string::npos) << allowed;
  EXPECT_NE(allowed.find("[/dev/char/1:3,rwm]"), std::string::npos) << allowed;
  EXPECT_NE(allowed.find("[block-*,m]"), std::string::npos) << allowed;
  const auto everything = device_properties({{.allow = true, .read = true, .write = true, .mknod = true}});
  ASSERT_EQ(everything.size(), 1U);
  EXPECT_EQ(shown(everything[0].value), "auto");
}

std::string variant(std::string_view text, std::string_view type) {
  const auto value = parse_variant(text, type);
  return value.ok() ? shown(*value) : "error";
}

TEST(Variant, Scalars) {
  EXPECT_EQ(variant("uint64 10000000", "t"), "10000000");
  EXPECT_EQ(variant("10000000", "t"), "10000000") << "the property's type is known";
  EXPECT_EQ(variant("15", "i"), "15");
  EXPECT_EQ(variant("int32 -1", "i"), "-1");
  EXPECT_EQ(variant("0x10", "u"), "16");
  EXPECT_EQ(variant("byte 0xff", "y"), "255");
  EXPECT_EQ(variant("int64 -5", "x"), "-5");
  EXPECT_EQ(variant("int16 -5", "n"), "-5");
  EXPECT_EQ(variant("uint16 65535", "q"), "65535");
  EXPECT_EQ(variant("true", "b"), "1");
  EXPECT_EQ(variant(" false ", "b"), "0");
  EXPECT_EQ(variant("'it\\'s'", "s"), "it's");
  EXPECT_EQ(variant("\"two words\"", "s"), "two words");
  EXPECT_EQ(variant("1.5", "d"), "1.500000");
}

TEST(Variant, Containers) {
  EXPECT_EQ(variant("['a.service', 'b.service']", "as"), "[a.service,b.service]");
  EXPECT_EQ(variant("@as []", "as"), "[]");
  EXPECT_EQ(variant("[byte 0x01, 0x02]", "ay"), "[1,2]");
  EXPECT_EQ(variant("[('/dev/sda', uint64 5), ('/dev/sdb', 6)]", "a(st)"), "[[/dev/sda,5],[/dev/sdb,6]]");
}

TEST(Variant, WhatIsNotOfTheTypeIsRefused) {
  for (const auto& [text, type] : {std::pair("'15'", "i"),
                                   {"15 16", "i"},
                                   {"uint64 5", "i"},
                                   {"int32 5", "t"},
                                   {"-1", "t"},
                                   {"256", "y"},
                                   {"yes", "b"},
                                   {"plain", "s"},
                                   {"'open", "s"},
                                   {"'a' 'b'", "s"},
                                   {"['a'", "as"},
                                   {"['a' 'b']", "as"},
                                   {"['a', 5]", "as"},
                                   {"@at ['a']", "as"},
                                   {"", "s"},
                                   {"", "t"},
                                   {"[('a')]", "a(st)"},
                                   {"5e999x", "d"}})
    EXPECT_EQ(variant(text, type), "error") << text << " as " << type;
}

Lines annotated(const std::string& name, const std::string& value,
                const std::vector<bus::Property>& limits = {}) {
  spec::Config config;
  config.annotations["org.systemd.property." + name] = value;
  config.annotations["org.systemd.other"] = "nobody's";
  const auto properties = annotated_properties(config, limits);
  if (!properties.ok()) return {"error"};
  Lines result;
  for (const bus::Property& one : *properties)
    result.push_back(one.name + "=" + one.value.type + " " + shown(one.value));
  return result;
}

TEST(UnitAnnotations, WhatEnginesSet) {
  EXPECT_EQ(annotated("KillSignal", "15"), Lines{"KillSignal=i 15"});
  EXPECT_EQ(annotated("TimeoutStopUSec", "uint64 10000000"), Lines{"TimeoutStopUSec=t 10000000"});
  EXPECT_EQ(annotated("After", "['crio.service']"), Lines{"After=as [crio.service]"});
  EXPECT_EQ(annotated("DefaultDependencies", "true"), Lines{"DefaultDependencies=b 1"});
  EXPECT_EQ(annotated("CollectMode", "'inactive'"), Lines{"CollectMode=s inactive"});
}

TEST(UnitAnnotations, SecondsBecomeMicroseconds) {
  EXPECT_EQ(annotated("TimeoutStopSec", "2"), Lines{"TimeoutStopUSec=t 2000000"});
  EXPECT_EQ(annotated("TimeoutStopSec", "uint64 2"), Lines{"TimeoutStopUSec=t 2000000"});
  EXPECT_EQ(annotated("TimeoutStopSec", "1.5"), Lines{"TimeoutStopUSec=t 1500000"});
  EXPECT_EQ(annotated("TimeoutStopSec", "-1"), Lines{"error"});
  EXPECT_EQ(annotated("TimeoutStopSec", "'2s'"), Lines{"error"});
  EXPECT_EQ(annotated("NothingSec", "2"), Lines{"error"});
}

// systemd writes its own values at a reload, and an image's annotations are not to lift what an engine has
// set.
TEST(UnitAnnotations, TheConfigsLimitsStay) {
  const std::vector<bus::Property> limits = {{"MemoryMax", bus::number(1)}};
  for (const char* name : {"MemoryMax", "StartupMemoryMax"}) {
    EXPECT_EQ(annotated(name, "uint64 18446744073709551615", limits), Lines{}) << name;
    EXPECT_EQ(annotated(name, "uint64 5"), Lines{std::string(name) + "=t 5"});
  }
  EXPECT_EQ(annotated("MemoryHigh", "uint64 5", limits), Lines{"MemoryHigh=t 5"});
  // On v1 systemd would forget its own name for it.
  EXPECT_EQ(annotated("MemoryHigh", "uint64 5", {{"MemoryLimit", bus::number(1)}}), Lines{});
  EXPECT_EQ(annotated("StartupCPUWeight", "uint64 5", {{"CPUShares", bus::number(1)}}), Lines{});
  EXPECT_EQ(annotated("IOWeight", "uint64 5", {{"BlockIOWeight", bus::number(1)}}), Lines{});
}

// CVE-2024-3154: who may write annotations may not therefore do as he likes with the machine.
TEST(UnitAnnotations, WhatReachesBeyondTheUnitIsRefused) {
  for (const char* name : {"ExecStart",
                           "ExecStopPost",
                           "SuccessAction",
                           "FailureAction",
                           "JobTimeoutAction",
                           "OnFailure",
                           "OnSuccess",
                           "Conflicts",
                           "Requires",
                           "Wants",
                           "BindsTo",
                           "PropagatesStopTo",
                           "Upholds",
                           "JoinsNamespaceOf",
                           "Slice",
                           "PIDs",
                           "Delegate",
                           "RefuseManualStop",
                           "SurviveFinalKillSignal",
                           "DevicePolicy",
                           "DeviceAllow",
                           "User",
                           "Controller",
                           "TimeoutStopUSec ",
                           "TimeoutStopUSec\n",
                           "",
                           "../x",
                           "AddRef"})
    EXPECT_EQ(annotated(name, "'poweroff-force'"), Lines{"error"}) << name;
}

}  // namespace
}  // namespace davit::cgroup
