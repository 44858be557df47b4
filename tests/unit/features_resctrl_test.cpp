// SPDX-License-Identifier: Apache-2.0
// The rules of intelRdt, on a tree that behaves like the kernel's.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>

#include "davit/features/resctrl.hpp"

namespace davit::resctrl {
namespace {

class FakeTree : public Tree {
 public:
  FakeTree() {
    make("/r");
    files["/r/info/last_cmd_status"] = "ok\n";
  }
  void make(const std::string& path) {
    directories.insert(path);
    files[path + "/schemata"] = "    MB:0=100;1=100\n    L3:0=00fff;1=00fff\n";
  }

  bool has_directory(const std::string& path) override { return directories.contains(path); }
  Result<void> make_directory(const std::string& path) override {
    if (refused == path) return system_error(ENOSPC, "mkdir " + path);
    log += "make " + path + "\n";
    make(path);
    return {};
  }
  Result<void> remove_directory(const std::string& path) override {
    if (refused == path) return system_error(EBUSY, "remove " + path);
    if (directories.erase(path) != 0) log += "remove " + path + "\n";
    return {};
  }
  std::vector<std::string> names_in(const std::string& path) override {
    std::set<std::string> names;
    for (const auto& [file, text] : files)
      if (file.starts_with(path + "/"))
        names.insert(file.substr(path.size() + 1, file.find('/', path.size() + 1) - path.size() - 1));
    return {names.begin(), names.end()};
  }
  Result<std::string> read(const std::string& file) override {
    if (!files.contains(file)) return system_error(ENOENT, file);
    return files[file];
  }
  Result<void> write(const std::string& file, const std::string& text) override {
    if (!complaint.empty()) {
      files["/r/info/last_cmd_status"] = complaint;
      return system_error(EINVAL, "write to " + file);
    }
    log += file + ": " + text;
    return {};
  }

  std::set<std::string> directories;
  std::map<std::string, std::string> files;
  std::string refused, complaint, log;
};

class Resctrl : public ::testing::Test {
 protected:
  /// The first error, or "".
  std::string apply(const spec::IntelRdt& wanted) {
    auto chosen = choose(tree_, "/r", wanted, "c1");
    if (!chosen.ok()) return std::string(chosen.error().message.view());
    group_ = *chosen;
    const auto prepared = prepare(tree_, group_, wanted, undo_);
    return prepared.ok() ? "" : std::string(prepared.error().message.view());
  }

  FakeTree tree_;
  Group group_;
  Undo undo_;
};

TEST_F(Resctrl, SchemataOverrideTheOldMembers) {
  // One write may name a domain once only, or the kernel takes none of it.
  EXPECT_EQ(apply({.l3_cache_schema = "L3:0=f;1=f", .schemata = {"L3:0=1"}}), "");
  EXPECT_EQ(tree_.log, "make /r/c1\n/r/c1/schemata: L3:0=f;1=f\n/r/c1/schemata: L3:0=1\n");
}

TEST_F(Resctrl, AContainerGetsAClassOfItsOwnThatGoesWithIt) {
  EXPECT_EQ(apply({.l3_cache_schema = "L3:0=f", .mem_bw_schema = "MB:0=50", .schemata = {"L2:0=3"}}), "");
  EXPECT_EQ(tree_.log, "make /r/c1\n/r/c1/schemata: L3:0=f\nMB:0=50\n/r/c1/schemata: L2:0=3\n");
  EXPECT_TRUE(group_.is_own);
  EXPECT_EQ(task_paths(group_), std::vector<std::string>{"/r/c1/tasks"});
  undo_.commit();
  EXPECT_TRUE(remove(tree_, group_).ok());
  EXPECT_FALSE(tree_.has_directory("/r/c1"));
}

TEST_F(Resctrl, WithoutSchemataNothingIsWritten) {
  EXPECT_EQ(apply({}), "");
  EXPECT_EQ(tree_.log, "make /r/c1\n");
}

TEST_F(Resctrl, AnErrorTakesBackWhatWasMade) {
  tree_.complaint = "mask is not contiguous\n";
  EXPECT_EQ(apply({.l3_cache_schema = "L3:0=5"}), "write to /r/c1/schemata: mask is not contiguous");
  undo_.roll_back();
  EXPECT_FALSE(tree_.has_directory("/r/c1"));
}

TEST_F(Resctrl, ANamedClassIsMadeAndKept) {
  EXPECT_EQ(apply({.clos_id = "gold", .l3_cache_schema = "L3:0=f"}), "");
  EXPECT_FALSE(group_.is_own);
  undo_.roll_back();
  EXPECT_TRUE(remove(tree_, group_).ok());
  EXPECT_TRUE(tree_.has_directory("/r/gold"));
}

TEST_F(Resctrl, ANamedClassThatCannotBeSetIsNotLeft) {
  tree_.complaint = "wrong\n";
  EXPECT_NE(apply({.clos_id = "gold", .l3_cache_schema = "L3:0=f"}), "");
  EXPECT_FALSE(tree_.has_directory("/r/gold"));
}

TEST_F(Resctrl, AnExistingClassIsComparedByValue) {
  tree_.make("/r/gold");
  EXPECT_EQ(apply({.clos_id = "gold", .l3_cache_schema = "L3:0=fff", .mem_bw_schema = "MB:1=100"}), "");
  EXPECT_EQ(tree_.log, "") << "nothing is written";
  EXPECT_EQ(apply({.clos_id = "gold", .l3_cache_schema = "L3:0=ff"}),
            "/r/gold/schemata has other values than L3:0=ff");
  EXPECT_EQ(apply({.clos_id = "gold", .mem_bw_schema = "MB:2=100"}),
            "/r/gold/schemata has other values than MB:2=100");
}

TEST_F(Resctrl, AnExistingClassTakesItsSchemata) {
  tree_.make("/r/gold");
  EXPECT_EQ(apply({.clos_id = "gold", .l3_cache_schema = "L3:0=fff", .schemata = {"L2:0=1"}}), "");
  EXPECT_EQ(tree_.log, "/r/gold/schemata: L2:0=1\n");
}

TEST_F(Resctrl, AClassThatIsOnlyNamedMustExist) {
  EXPECT_EQ(apply({.clos_id = "gold"}), "there is no class of service /r/gold");
  tree_.make("/r/gold");
  EXPECT_EQ(apply({.clos_id = "gold"}), "");
  EXPECT_EQ(tree_.log, "");
}

TEST_F(Resctrl, ASlashIsTheDefaultClass) {
  EXPECT_EQ(apply({.clos_id = "/"}), "");
  EXPECT_EQ(task_paths(group_), std::vector<std::string>{"/r/tasks"});
  EXPECT_TRUE(remove(tree_, group_).ok());
  EXPECT_EQ(tree_.log, "");
}

TEST_F(Resctrl, MonitoringHasAGroupOfItsOwn) {
  tree_.make("/r/gold");
  EXPECT_EQ(apply({.clos_id = "gold", .enable_monitoring = true}), "");
  EXPECT_EQ(task_paths(group_), (std::vector<std::string>{"/r/gold/tasks", "/r/gold/mon_groups/c1/tasks"}));
  undo_.commit();
  EXPECT_TRUE(remove(tree_, group_).ok());
  EXPECT_EQ(tree_.log, "make /r/gold/mon_groups/c1\nremove /r/gold/mon_groups/c1\n");
}

TEST_F(Resctrl, WhatCannotBeRemovedIsAnError) {
  EXPECT_EQ(apply({.enable_monitoring = true}), "");
  undo_.commit();
  tree_.refused = "/r/c1/mon_groups/c1";
  EXPECT_EQ(remove(tree_, group_).error().message.view(), "remove /r/c1/mon_groups/c1");
  EXPECT_FALSE(tree_.has_directory("/r/c1")) << "the rest goes";
  tree_.make("/r/c1");
  tree_.refused = "/r/c1";
  EXPECT_EQ(remove(tree_, group_).error().message.view(), "remove /r/c1");
}

TEST_F(Resctrl, StatisticsAreThoseOfTheContainer) {
  EXPECT_FALSE(read_statistics(tree_, {}));
  EXPECT_EQ(apply({}), "");
  for (const char* directory : {"/r/info", "/r/info/L3", "/r/info/MB"}) tree_.directories.insert(directory);
  tree_.files["/r/info/L3/cbm_mask"] = "fff\n";
  tree_.files["/r/info/L3/num_closids"] = "16\n";
  tree_.files["/r/info/MB/min_bandwidth"] = "10\n";
  tree_.files["/r/c1/schemata"] = "    MB:0= 50\n    L3:0=0f\n";
  tree_.files["/r/c1/mon_data/mon_L3_00/mbm_total_bytes"] = "7\n";
  tree_.files["/r/c1/mon_data/mon_L3_00/mbm_local_bytes"] = "Unavailable\n";
  tree_.files["/r/c1/mon_data/mon_L3_01/llc_occupancy"] = "9\n";
  tree_.files["/r/c1/mon_data/mon_PERF_00/core_energy"] = "1\n";
  auto found = read_statistics(tree_, group_);
  ASSERT_TRUE(found && found->cache && found->bandwidth && found->bandwidth_use && found->cache_occupancy);
  EXPECT_EQ(found->cache->mask, "fff");
  EXPECT_EQ(found->cache->classes, 16u);
  EXPECT_EQ(found->bandwidth->minimum, 10u);
  EXPECT_EQ(found->root_cache_schema, "L3:0=00fff;1=00fff");
  EXPECT_EQ(found->cache_schema, "L3:0=0f");
  EXPECT_EQ(found->bandwidth_schema, "MB:0= 50");
  ASSERT_EQ(found->bandwidth_use->size(), 1u);
  EXPECT_EQ(found->bandwidth_use->front().total, 7u);
  EXPECT_EQ(*found->cache_occupancy, std::vector<std::uint64_t>{9});
  group_.is_own = false;
  EXPECT_FALSE(read_statistics(tree_, group_)->bandwidth_use) << "others are in that class, too";
}

TEST_F(Resctrl, StatisticsOfTheDefaultClass) {
  tree_.directories.insert("/r/info");
  EXPECT_EQ(apply({.clos_id = "/", .enable_monitoring = true}), "");
  tree_.files["/r/mon_groups/c1/mon_data/mon_L3_00/llc_occupancy"] = "5\n";
  const auto found = read_statistics(tree_, group_);
  ASSERT_TRUE(found && found->cache_occupancy);
  EXPECT_EQ(found->cache_schema, found->root_cache_schema);
  EXPECT_FALSE(found->cache) << "no cache that can be divided";
}

TEST_F(Resctrl, AMonitorThatCannotBeMadeIsAnError) {
  tree_.refused = "/r/c1/mon_groups/c1";
  EXPECT_EQ(apply({.enable_monitoring = true}), "mkdir /r/c1/mon_groups/c1");
  undo_.roll_back();
  EXPECT_FALSE(tree_.has_directory("/r/c1"));
}

TEST_F(Resctrl, UpdateWritesTheSchemata) {
  ASSERT_EQ(apply({}), "");
  tree_.log.clear();
  ASSERT_TRUE(update(tree_, group_, {"L3:0=3", "MB:0=20"}, undo_).ok());
  EXPECT_EQ(tree_.log, "/r/c1/schemata: L3:0=3\nMB:0=20\n");
  EXPECT_EQ(update(tree_, {}, {"L3:0=3", ""}, undo_).error().code, Code::wrong_state);
  EXPECT_TRUE(update(tree_, {}, {}, undo_).ok());
}

TEST_F(Resctrl, AnUpdateIsTakenBackWithTheRestOfIt) {
  ASSERT_EQ(apply({}), "");
  undo_.commit();
  ASSERT_TRUE(update(tree_, group_, {"L3:0=3", ""}, undo_).ok());
  tree_.log.clear();
  undo_.roll_back();
  EXPECT_EQ(tree_.log, "/r/c1/schemata: L3:0=00fff;1=00fff\n");
  ASSERT_TRUE(update(tree_, group_, {"L3:0=3", "MB:0=20"}, undo_).ok());
  tree_.log.clear();
  undo_.roll_back();
  EXPECT_EQ(tree_.log, "/r/c1/schemata: L3:0=00fff;1=00fff\nMB:0=100;1=100\n");
}

}  // namespace
}  // namespace davit::resctrl
