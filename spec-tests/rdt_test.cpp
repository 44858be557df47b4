// SPDX-License-Identifier: Apache-2.0
// config-linux.md, Intel RDT. What is written needs a real resctrl: a CPU that has it, and the mount.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "clause.hpp"

namespace spec_tests {
namespace {

using support::default_config;
using support::exists;
using support::read_file;
using support::trim;

constexpr const char* kRoot = "/sys/fs/resctrl";

class IntelRdt : public SpecTest {
 protected:
  static std::string group(const std::string& name) { return std::string(kRoot) + "/" + name; }
  static Json with(std::string_view rdt) {
    Json config = default_config();
    config["linux"]["intelRdt"] = Json::parse(rdt);
    return config;
  }
  /// The line of a schemata file for a resource such as "L3".
  static std::string line(const std::string& group, const std::string& resource) {
    for (const auto& text : support::split(read_file(group + "/schemata"), '\n')) {
      const auto begin = text.find_first_not_of(' ');
      if (begin != std::string::npos && text.compare(begin, resource.size() + 1, resource + ":") == 0)
        return trim(text.substr(begin));
    }
    return "";
  }
  static bool holds(const std::string& file, pid_t pid) {
    for (const auto& text : support::split(read_file(file), '\n'))
      if (text == std::to_string(pid)) return true;
    return false;
  }
  /// A group of the host's own that is gone at the end.
  struct Group {
    explicit Group(std::string name_) : path(group(name_)) { support::make_dirs(path); }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    ~Group() { rmdir(path.c_str()); }
    std::string path;
  };
  static std::string mark() { return support::Sandbox::get().new_id(); }
  std::string start_with(const Json& config) {
    Bundle bundle(config);
    bundle.args({"/bin/sleep", "1000"});
    return start(bundle);
  }
};

#define NEEDS_RESCTRL                             \
  NEEDS_FEATURE("linux.intelRdt.enabled", "1.0"); \
  SKIP_UNLESS(exists("/sys/fs/resctrl/schemata"), \
              "resctrl is not mounted here: the CPU or the kernel lacks it")

TEST_F(IntelRdt, WithoutResctrlIsAnError) {
  CLAUSE("config-linux-738", "config-linux-740");
  SKIP_UNLESS(!exists("/sys/fs/resctrl/schemata"), "resctrl is mounted here");
  refused(with(R"({"closID": "x", "l3CacheSchema": "L3:0=f"})"));
}

TEST_F(IntelRdt, SchemasAreLines) {
  CLAUSE("config-linux-752", "config-linux-753");
  NEEDS_FEATURE("linux.intelRdt.enabled", "1.0");
  refused(with(R"({"memBwSchema": "XX:0=1"})"));
  refused(with(R"({"memBwSchema": "MB:0=1\nMB:1=1"})"));
  CLAUSE("config-linux-750", "config-linux-751");
  refused(with(R"({"l3CacheSchema": "L3:0=f\nL3:1=f"})"));
  CLAUSE("config-linux-754");
  NEEDS_FEATURE("linux.intelRdt.schemata", "1.3");
  refused(with(R"({"schemata": ["L3:0=f\nL3:1=f"]})"));
}

TEST_F(IntelRdt, TheContainersIdNamesTheGroup) {
  CLAUSE("config-linux-739", "config-linux-757", "config-linux-767");
  NEEDS_RESCTRL;
  Json config = with("{}");
  config["linux"]["intelRdt"]["l3CacheSchema"] = line(kRoot, "L3");
  const std::string id = start_with(config);
  EXPECT_TRUE(holds(group(id) + "/tasks", runtime.pid(id)));
  CLAUSE("config-linux-775");
  destroy(id);
  EXPECT_FALSE(exists(group(id)));
}

TEST_F(IntelRdt, SchemasAreWritten) {
  CLAUSE("config-linux-761", "config-linux-770", "config-linux-746");
  NEEDS_RESCTRL;
  const std::string name = mark();
  const std::string l3 = line(kRoot, "L3");
  SKIP_UNLESS(!l3.empty(), "this CPU allocates no L3 cache");
  const std::string mb = line(kRoot, "MB");
  Json config = with("{}");
  config["linux"]["intelRdt"]["closID"] = name;
  config["linux"]["intelRdt"]["l3CacheSchema"] = l3;
  if (!mb.empty()) config["linux"]["intelRdt"]["memBwSchema"] = mb;
  const std::string id = start_with(config);
  EXPECT_EQ(line(group(name), "L3"), l3);
  {
    CLAUSE("config-linux-777");
    destroy(id);
    EXPECT_TRUE(exists(group(name))) << "what has a closID stays";
  }
  const std::string written = line(group(name), "MB");
  rmdir(group(name).c_str());
  CLAUSE("config-linux-759");
  SKIP_UNLESS(!mb.empty(), "this CPU does not limit the bandwidth of memory");
  EXPECT_EQ(written, mb);
}

TEST_F(IntelRdt, SchemataAreWrittenLast) {
  CLAUSE("config-linux-763");
  NEEDS_FEATURE("linux.intelRdt.schemata", "1.3");
  NEEDS_RESCTRL;
  const std::string l3 = line(kRoot, "L3");
  SKIP_UNLESS(!l3.empty(), "this CPU allocates no L3 cache");
  // Some processors want two bits at least; the kernel fills the mask up with zeros.
  const long bits = strtol(read_file(group("info/L3/min_cbm_bits")).c_str(), nullptr, 10);
  char least[16];
  snprintf(least, sizeof least, "%lx", (1L << std::max(bits, 1L)) - 1);
  const std::string one = "L3:" + l3.substr(3, l3.find('=') - 3) + "=" + least;
  Json config = with("{}");
  config["linux"]["intelRdt"]["l3CacheSchema"] = l3;
  config["linux"]["intelRdt"]["schemata"] = Json(std::vector<std::string>{one});
  const std::string id = start_with(config);
  const std::string written = line(group(id), "L3");
  EXPECT_EQ(strtol(written.substr(written.find('=') + 1).c_str(), nullptr, 16), strtol(least, nullptr, 16))
      << written;
}

TEST_F(IntelRdt, AnExistingGroupMustFit) {
  CLAUSE("config-linux-771");
  NEEDS_RESCTRL;
  const std::string name = mark();
  const Group existing(name);
  refused(with(R"({"closID": ")" + name + R"(", "l3CacheSchema": "L3:0=1"})"));
  CLAUSE("config-linux-773", "config-linux-765");
  const std::string before = read_file(existing.path + "/schemata");
  const std::string id = start_with(with(R"({"closID": ")" + name + R"("})"));
  EXPECT_TRUE(holds(existing.path + "/tasks", runtime.pid(id)));
  EXPECT_EQ(read_file(existing.path + "/schemata"), before);
  CLAUSE("config-linux-777");
  destroy(id);
  EXPECT_TRUE(exists(existing.path));
  CLAUSE("config-linux-773");
  refused(with(R"({"closID": ")" + mark() + R"("})"));
}

TEST_F(IntelRdt, ASlashIsTheDefaultGroup) {
  CLAUSE("config-linux-747");
  NEEDS_FEATURE("linux.intelRdt.schemata", "1.3");
  NEEDS_RESCTRL;
  const std::string id = start_with(with(R"({"closID": "/"})"));
  EXPECT_TRUE(holds(group("tasks"), runtime.pid(id)));
}

TEST_F(IntelRdt, NothingIsTouchedWithoutIt) {
  CLAUSE("config-linux-742");
  NEEDS_RESCTRL;
  const auto before = support::list_dir(kRoot);
  const std::string schemata = read_file(group("schemata"));
  start_with(default_config());
  EXPECT_EQ(support::list_dir(kRoot), before);
  EXPECT_EQ(read_file(group("schemata")), schemata);
}

TEST_F(IntelRdt, MonitoringGroups) {
  CLAUSE("config-linux-755", "config-linux-779", "config-linux-780", "config-linux-783", "config-linux-785");
  NEEDS_FEATURE("linux.intelRdt.monitoring", "1.3");
  NEEDS_RESCTRL;
  SKIP_UNLESS(exists(group("mon_groups")), "this CPU does not monitor");
  Json config = with(R"({"enableMonitoring": true})");
  const std::string id = start_with(config);
  const std::string place = group(id) + "/mon_groups/" + id;
  EXPECT_TRUE(holds(place + "/tasks", runtime.pid(id)));
  destroy(id);
  EXPECT_FALSE(exists(place));
}

}  // namespace
}  // namespace spec_tests
