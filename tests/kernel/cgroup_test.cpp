// SPDX-License-Identifier: Apache-2.0
// The cgroup feature on the real kernel, in the layout of this machine and in a pure v2 view of it.
#include <algorithm>

#include "kernel/cgroup_support.hpp"

namespace davit::cgroup {
namespace {

class Cgroup : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Layouts, Cgroup, ::testing::Values(false, true),
                         [](const auto& parameter) { return parameter.param ? "v2" : "native"; });

TEST_P(Cgroup, LivesAndEnds) {
  in_layout(GetParam(), [] {
    const spec::Config config = config_for(unique_name("life") + "/inner");
    const Place place = place_for(config);
    Undo undo;
    auto entrance = prepare(place, config, undo);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    const pid_t child = start_inside(*entrance, place, [] { return -1; });
    EXPECT_EQ(processes(place).value(), std::vector<pid_t>{child});
    EXPECT_FALSE(frozen(place).value());
    EXPECT_OK(freeze(place));
    EXPECT_TRUE(frozen(place).value());
    EXPECT_OK(thaw(place));
    EXPECT_FALSE(frozen(place).value());
    EXPECT_OK(kill(place, SIGTERM));
    EXPECT_EQ(WTERMSIG(wait_status(child)), SIGTERM);
    EXPECT_EQ(oom_kills(place), 0u);
    EXPECT_OK(remove(place));
    EXPECT_FALSE(any_exists(place));
    EXPECT_OK(remove(place));  // again: absent is fine
    undo.roll_back();          // and the parents go with the undo
    for (const Directory& directory : place.directories)
      EXPECT_FALSE(exists(directory.path.substr(0, directory.path.rfind('/'))));
  });
}

TEST(CgroupV1, UndoRestoresTheLimitsOfACgroupThatWasThere) {
  in_layout(false, [] {
    spec::Config config = config_for(unique_name("former"));
    const Place place = place_for(config);
    const Directory* directory = find_directory(place, "memory");
    if (directory == nullptr || directory->controllers.empty())
      GTEST_SKIP() << "this machine has no memory hierarchy of v1";
    ASSERT_EQ(::mkdir(directory->path.c_str(), 0755), 0);
    const std::string limit = directory->path + "/memory.limit_in_bytes";
    EXPECT_OK(sys::write_file(limit, "67108864"));
    config.linux.resources.memory.limit = 128 << 20;
    config.linux.resources.memory.swap = 256 << 20;
    {
      Undo undo;
      EXPECT_OK(prepare(place, config, undo));
      EXPECT_EQ(read_value(limit).value(), "134217728");
    }
    EXPECT_EQ(read_value(limit).value(), "67108864");
    EXPECT_EQ(::rmdir(directory->path.c_str()), 0);
  });
}

TEST(CgroupV1, AnEmptyCpusetAboveIsFilled) {
  in_layout(false, [] {
    const spec::Config config = config_for(unique_name("cpuset") + "/a");
    const Place place = place_for(config);
    const Directory* directory = find_directory(place, "cpuset");
    if (directory == nullptr || directory->controllers.empty())
      GTEST_SKIP() << "this machine has no cpuset hierarchy of v1";
    const std::string parent = directory->path.substr(0, directory->path.rfind('/'));
    for (const std::string& path : {parent, directory->path}) ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
    {
      Undo undo;
      EXPECT_OK(prepare(place, config, undo));
      for (const char* file : {"/cpuset.cpus", "/cpuset.mems"})
        EXPECT_EQ(read_value(directory->path + file).value(),
                  read_value(directory->mount_point + file).value());
    }
    for (const std::string& path : {directory->path, parent}) EXPECT_EQ(::rmdir(path.c_str()), 0);
  });
}

TEST(CgroupV2View, EveryControllerIsThereAlsoWithoutLimits) {
  in_layout(true, [] {
    const spec::Config config = config_for(unique_name("all") + "/a/b");
    const Place place = place_for(config);
    Undo undo;
    EXPECT_OK(prepare(place, config, undo));
    // All that the root could be brought to hand on: what engines count, and what a payload hands on in turn.
    const auto all = read_value("/sys/fs/cgroup/cgroup.subtree_control");
    ASSERT_TRUE(all.ok() && !all->empty());
    EXPECT_EQ(read_value(place.directories.front().path + "/cgroup.controllers").value(), *all);
  });
}

TEST_P(Cgroup, UndoTakesBackWhatWasMadeAndNothingElse) {
  in_layout(GetParam(), [] {
    const spec::Config config = config_for(unique_name("undo") + "/a/b");
    const Place place = place_for(config);
    const std::string kept = place.directories.back().mount_point + unique_name("undo");
    ASSERT_EQ(::mkdir(kept.c_str(), 0755), 0);
    {
      Undo undo;
      EXPECT_OK(prepare(place, config, undo));
      EXPECT_TRUE(any_exists(place));
    }
    EXPECT_FALSE(any_exists(place));
    EXPECT_FALSE(exists(kept + "/a"));
    EXPECT_EQ(::rmdir(kept.c_str()), 0);
  });
}

TEST_P(Cgroup, RemoveKillsWhatIsLeftAlsoInNestedGroupsAndFrozen) {
  in_layout(GetParam(), [] {
    const spec::Config config = config_for(unique_name("left"));
    const Place place = place_for(config);
    Undo undo;
    auto entrance = prepare(place, config, undo);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    const std::string inner = place.directories.back().path + "/payload/deeper";
    const pid_t child = start_inside(*entrance, place, [] { return -1; });
    EXPECT_OK(sys::make_directories(inner, 0755));
    EXPECT_OK(sys::write_file(inner + "/cgroup.procs", std::to_string(child)));
    EXPECT_OK(freeze(place));
    EXPECT_OK(remove(place));
    EXPECT_EQ(WTERMSIG(wait_status(child)), SIGKILL);
    EXPECT_FALSE(any_exists(place));
  });
}

TEST(CgroupV1, WhatIsFrozenBelowOrElsewhereCanDie) {
  in_layout(false, [] {
    const spec::Config config = config_for(unique_name("below"));
    const Place place = place_for(config);
    const Directory* freezer = find_directory(place, "freezer");
    if (freezer == nullptr || freezer->controllers.empty())
      GTEST_SKIP() << "this machine has no freezer hierarchy of v1";
    Undo undo;
    auto entrance = prepare(place, config, undo);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    const std::string elsewhere = freezer->mount_point + unique_name("elsewhere");
    const std::string inner = freezer->path + "/payload/deeper";
    for (const std::string& group : {inner, elsewhere}) {
      const pid_t child = start_inside(*entrance, place, [] { return -1; });
      EXPECT_OK(sys::make_directories(group, 0755));
      EXPECT_OK(sys::write_file(group + "/cgroup.procs", std::to_string(child)));
      EXPECT_OK(sys::write_file(group + "/freezer.state", "FROZEN"));
      EXPECT_EQ(frozen_above(place, child), group);
      ::kill(child, SIGKILL);
      EXPECT_OK(thaw_to_die(place, child));
      EXPECT_EQ(WTERMSIG(wait_status(child)), SIGKILL);
    }
    EXPECT_EQ(::rmdir(elsewhere.c_str()), 0);
    EXPECT_OK(remove(place));
  });
}

TEST(CgroupV1, AnUpdateThatFailsHalfWayTakesBackWhatItWrote) {
  in_layout(false, [] {
    spec::Config config = config_for(unique_name("half"));
    const Place place = place_for(config);
    const Directory* cpu = find_directory(place, "cpu");
    const Directory* memory = find_directory(place, "memory");
    if (cpu == nullptr || cpu->controllers.empty() || memory == nullptr || memory->controllers.empty())
      GTEST_SKIP() << "this machine has no cpu and memory hierarchies of v1";
    config.linux.resources.memory.limit = 64 << 20;
    config.linux.resources.memory.swap = 64 << 20;
    config.linux.resources.cpu.shares = 512;
    Undo undo;
    EXPECT_OK(prepare(place, config, undo));
    spec::Resources update;
    update.memory.limit = 128 << 20;
    update.memory.swap = 256 << 20;
    update.cpu.shares = 256;
    update.cpu.cpus = "4000";  // comes last, and no machine has it
    EXPECT_FALSE(apply(place, update).ok());
    EXPECT_EQ(read_value(memory->path + "/memory.limit_in_bytes").value(), std::to_string(64 << 20));
    EXPECT_EQ(read_value(memory->path + "/memory.memsw.limit_in_bytes").value(), std::to_string(64 << 20));
    EXPECT_EQ(read_value(cpu->path + "/cpu.shares").value(), "512");
  });
}

TEST_P(Cgroup, RefusesOneThatIsInUseOrFrozen) {
  in_layout(GetParam(), [] {
    const spec::Config config = config_for(unique_name("used"));
    const Place place = place_for(config);
    Undo undo;
    auto entrance = prepare(place, config, undo);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    const pid_t child = start_inside(*entrance, place, [] { return -1; });
    {
      Undo second;
      auto again = prepare(place, config, second);
      ASSERT_FALSE(again.ok());
      EXPECT_NE(text(again.error()).find("container's cgroup is not empty: 1 process(es) found"),
                std::string::npos);
    }
    EXPECT_TRUE(any_exists(place));
    EXPECT_OK(kill(place, SIGKILL));
    wait_status(child);
    EXPECT_OK(freeze(place));
    {
      Undo third;
      auto again = prepare(place, config, third);
      ASSERT_FALSE(again.ok());
      EXPECT_NE(text(again.error()).find("container's cgroup unexpectedly frozen"), std::string::npos);
    }
    EXPECT_OK(thaw(place));
    Undo fourth;
    EXPECT_OK(prepare(place, config, fourth));  // empty and thawed: taken over
  });
}

int open_code(const char* path) {
  const int file = ::open(path, O_RDWR | O_NONBLOCK);
  return file >= 0 ? 0 : errno;
}

TEST_P(Cgroup, DeviceRulesHoldAndCanBeReplaced) {
  in_layout(GetParam(), [] {
    spec::Config config = config_for(unique_name("devices"));
    const Place place = place_for(config);
    Undo undo;
    auto entrance = prepare(place, config, undo);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    const auto try_open = [&](const char* path) {
      return WEXITSTATUS(wait_status(start_inside(*entrance, place, [path] { return open_code(path); })));
    };
    EXPECT_OK(restrict_devices(place, config.linux.resources, *entrance));
    EXPECT_EQ(try_open("/dev/null"), 0);
    EXPECT_EQ(try_open("/dev/kmsg"), EPERM);
    spec::Resources update;
    update.devices = {device(true, spec::DeviceRuleType::all)};
    EXPECT_OK(apply(place, update));
    EXPECT_EQ(try_open("/dev/kmsg"), 0);
    update.devices = {device(false, spec::DeviceRuleType::all)};
    EXPECT_OK(apply(place, update));
    EXPECT_EQ(try_open("/dev/kmsg"), EPERM);
    EXPECT_OK(apply(place, update));  // replaces one program by another
    EXPECT_EQ(try_open("/dev/kmsg"), EPERM);
    EXPECT_EQ(try_open("/dev/zero"), 0);
  });
}

/// The memory and pids controllers whose entrance leads to "sub".
std::vector<std::string> below_own(const Place& place, const Entrance& entrance) {
  std::vector<std::string> found;
  for (const sys::UniqueFd& file : entrance.task_files) {
    const std::string path = sys::read_link("/proc/self/fd/" + std::to_string(file.number())).value();
    for (const Directory& directory : place.directories)
      for (const std::string& controller : directory.controllers)
        if ((controller == "memory" || controller == "pids") && path == directory.path + "/sub/tasks")
          found.push_back(controller);
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST_P(Cgroup, EnterOpensTheSameOrGoesBelow) {
  in_layout(GetParam(), [] {
    const spec::Config config = config_for(unique_name("enter"));
    const Place place = place_for(config);
    Undo undo;
    EXPECT_OK(prepare(place, config, undo));
    for (const Directory& directory : place.directories)
      EXPECT_EQ(::mkdir((directory.path + "/sub").c_str(), 0755), 0);
    EXPECT_OK(enter(place, {}, ::getpid()));
    EXPECT_OK(enter(place, {"/sub"}, ::getpid()));
    EXPECT_OK(enter(place, {"./sub/"}, ::getpid()));
    for (const char* path : {"..", "../x", "sub/../..", "/../sub", "sub/.."}) {
      auto entered = enter(place, {path}, ::getpid());
      ASSERT_FALSE(entered.ok()) << path;
      EXPECT_NE(text(entered.error()).find("bad sub cgroup path"), std::string::npos);
    }
    EXPECT_FALSE(enter(place, {"absent"}, ::getpid()).ok());
    if (place.mode == host::CgroupMode::v2) return;
    EXPECT_OK(enter(place, {"memory,pids:sub"}, ::getpid()));
    EXPECT_FALSE(enter(place, {"pids:sub", "other"}, ::getpid()).ok());
    EXPECT_FALSE(enter(place, {"pids:sub", "pids:other"}, ::getpid()).ok());
    const auto several = enter(place, {"memory:sub", "pids:/sub"}, ::getpid());
    ASSERT_TRUE(several.ok()) << text(several.error());
    EXPECT_EQ(below_own(place, *several), (std::vector<std::string>{"memory", "pids"}));
    auto unknown = enter(place, {"nonsense:sub"}, ::getpid());
    ASSERT_FALSE(unknown.ok());
    EXPECT_NE(text(unknown.error()).find("unknown controller "), std::string::npos);
  });
}

TEST_P(Cgroup, ProcessesBornAfterwardsMayBeLimitedToNone) {
  in_layout(GetParam(), [] {
    spec::Config config = config_for(unique_name("pids"));
    config.linux.resources.pids.limit = 0;
    const Place place = place_for(config);
    const Directory* pids = find_directory(place, "pids");
    if (pids->controllers.empty()) {
      Undo undo;
      EXPECT_OK(prepare(place, config, undo));
      auto late = apply_after_birth(place, config.linux.resources);
      // The view has no pids controller, which must not pass silently.
      if (late.ok()) return;
      EXPECT_NE(text(late.error()).find("controller `pids` is not available"), std::string::npos)
          << text(late.error());
      return;
    }
    Undo undo;
    EXPECT_OK(prepare(place, config, undo));
    EXPECT_EQ(read_value(pids->path + "/pids.max").value(), "max");
    EXPECT_OK(apply_after_birth(place, config.linux.resources));
    EXPECT_EQ(read_value(pids->path + "/pids.max").value(), "0");
  });
}

/// A file of a controller, by its name on v1 and on v2.
std::string value_of(const Place& place, const char* controller, const char* v1, const char* v2) {
  const bool is_v2 = place.mode == host::CgroupMode::v2;
  return read_value(find_directory(place, controller)->path + "/" + (is_v2 ? v2 : v1)).value();
}

std::string memory_of(const Place& place) {
  return value_of(place, "memory", "memory.limit_in_bytes", "memory.max");
}

/// What memory and swap may have together.
std::string total_of(const Place& place) {
  if (place.mode != host::CgroupMode::v2)
    return value_of(place, "memory", "memory.memsw.limit_in_bytes", nullptr);
  return std::to_string(std::stoll(memory_of(place)) +
                        std::stoll(value_of(place, "memory", nullptr, "memory.swap.max")));
}

TEST_P(Cgroup, LimitsAreAppliedAndUpdatedInAnyOrder) {
  if (GetParam() && !native_v2()) GTEST_SKIP() << "the v2 half of a hybrid machine has no controllers for it";
  in_layout(GetParam(), [] {
    spec::Config config = config_for(unique_name("limits"));
    const Place place = place_for(config);
    config.linux.resources.memory.limit = 64 << 20;
    config.linux.resources.memory.swap = 128 << 20;
    config.linux.resources.cpu.shares = 512;
    config.linux.resources.cpu.quota = 50000;
    config.linux.resources.cpu.period = 100000;
    config.linux.resources.cpu.cpus = "0";
    config.linux.resources.pids.limit = 20;
    Undo undo;
    EXPECT_OK(prepare(place, config, undo));
    EXPECT_EQ(memory_of(place), std::to_string(64 << 20));
    EXPECT_EQ(total_of(place), std::to_string(128 << 20));
    EXPECT_NE(value_of(place, "cpu", "cpu.shares", "cpu.weight"),
              place.mode == host::CgroupMode::v2 ? "100" : "1024");
    EXPECT_TRUE(value_of(place, "cpu", "cpu.cfs_quota_us", "cpu.max").starts_with("50000"));
    EXPECT_EQ(value_of(place, "cpuset", "cpuset.cpus", "cpuset.cpus"), "0");
    EXPECT_FALSE(value_of(place, "cpuset", "cpuset.mems", "cpuset.mems.effective").empty());
    EXPECT_EQ(value_of(place, "pids", "pids.max", "pids.max"), "20");
    spec::Resources update;
    for (const std::int64_t limit : {256 << 20, 32 << 20}) {
      update.memory.limit = limit;
      update.memory.swap = limit;
      EXPECT_OK(apply(place, update));
      EXPECT_EQ(memory_of(place), std::to_string(limit));
      EXPECT_EQ(total_of(place), std::to_string(limit));
    }
    update = {};
    update.memory.limit = -1;
    EXPECT_OK(apply(place, update));
    EXPECT_EQ(value_of(place, "pids", "pids.max", "pids.max"), "20");
  });
}

TEST_P(Cgroup, CheckBeforeUpdateRejectsALimitBelowUsage) {
  if (GetParam() && !native_v2()) GTEST_SKIP() << "the v2 half of a hybrid machine has no memory controller";
  in_layout(GetParam(), [] {
    const spec::Config config = config_for(unique_name("check"));
    const Place place = place_for(config);
    Undo undo;
    auto entrance = prepare(place, config, undo);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    const pid_t child = start_inside(*entrance, place, [] {
      std::vector<char> memory(16 << 20, 'x');
      return memory.back() == 'x' ? -1 : 1;
    });
    spec::Resources update;
    update.memory.limit = 1;
    update.memory.check_before_update = true;
    for (int i = 0; i < 500 && value_of(place, "memory", "memory.usage_in_bytes", "memory.current") == "0";
         ++i)
      ::usleep(10000);
    auto applied = apply(place, update);
    ASSERT_FALSE(applied.ok());
    EXPECT_NE(text(applied.error()).find("rejecting memory limit 1 < usage "), std::string::npos)
        << text(applied.error());
    EXPECT_OK(remove(place));
    wait_status(child);
  });
}

TEST_P(Cgroup, DisabledRefusesLimitsButNotDeviceRules) {
  spec::Config config = config_for("");
  Place place;
  place.manager = Manager::disabled;
  Undo undo;
  auto entrance = prepare(place, config, undo);
  ASSERT_TRUE(entrance.ok());
  EXPECT_TRUE(entrance->task_paths.empty());
  config.linux.resources.pids.limit = 10;
  EXPECT_FALSE(prepare(place, config, undo).ok());
  EXPECT_OK(remove(place));
  EXPECT_FALSE(frozen(place).value());
}

TEST_P(Cgroup, WithoutPrivilegesOnlyWishesFail) {
  in_layout(GetParam(), [] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(3);
    spec::Config config;
    Undo undo;
    EXPECT_OK(prepare(place_for(config), config, undo));
    config.linux.resources.pids.limit = 10;
    auto limited = prepare(place_for(config), config, undo);
    ASSERT_FALSE(limited.ok());
    EXPECT_NE(
        text(limited.error())
            .find(
                "rootless needs no limits + no cgrouppath when no permission is granted for cgroups: mkdir"),
        std::string::npos)
        << text(limited.error());
    config = config_for(unique_name("rootless"));
    auto placed = prepare(place_for(config), config, undo);
    ASSERT_FALSE(placed.ok());
    EXPECT_EQ(placed.error().errno_value, EACCES);
  });
}

TEST_P(Cgroup, NeverRemovesAMountPoint) {
  Place place;
  place.directories = {{{}, "/sys/fs/cgroup", "/sys/fs/cgroup"}};
  EXPECT_FALSE(remove(place).ok());
  place.directories = {{{}, "/tmp", "/sys/fs/cgroup"}};
  EXPECT_FALSE(remove(place).ok());
}

}  // namespace
}  // namespace davit::cgroup
