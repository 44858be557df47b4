// SPDX-License-Identifier: Apache-2.0
// Limits on a machine whose cgroup v2 really has controllers, read back from the kernel and felt by
// processes.
#include <sys/mman.h>

#include "kernel/cgroup_support.hpp"

namespace davit::cgroup {
namespace {

class CgroupV2 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    if (!native_v2()) GTEST_SKIP() << "this machine's controllers are in v1 hierarchies";
    config_ = config_for(unique_name("v2") + "/inner");
    place_ = place_for(config_);
    directory_ = place_.directories.front().path;
  }
  bool has(const std::string& controller) {
    const auto list = read_value("/sys/fs/cgroup/cgroup.controllers");
    return list.ok() && (" " + *list + " ").find(" " + controller + " ") != std::string::npos;
  }
  std::string value(const std::string& file) {
    auto read = read_value(directory_ + "/" + file);
    return read.ok() ? *read : text(read.error());
  }
  void prepare_it() {
    auto entrance = prepare(place_, config_, undo_);
    ASSERT_TRUE(entrance.ok()) << text(entrance.error());
    entrance_ = std::move(entrance).value();
  }
  int run_inside(const std::function<int()>& body) {
    return wait_status(start_inside(entrance_, place_, body));
  }

  spec::Config config_;
  Place place_;
  std::string directory_;
  Entrance entrance_;
  Undo undo_;
};

/// Touches memory page by page.
int use_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 9;
  for (std::size_t i = 0; i < bytes; i += 4096) static_cast<volatile char*>(memory)[i] = 1;
  return 0;
}

TEST_F(CgroupV2, MemoryIsLimitedAndTheKillIsCounted) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  config_.linux.resources.memory.limit = 16 << 20;
  config_.linux.resources.memory.swap = 16 << 20;
  config_.linux.resources.memory.reservation = 8 << 20;
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  EXPECT_EQ(value("memory.max"), std::to_string(16 << 20));
  EXPECT_EQ(value("memory.swap.max"), "0");
  EXPECT_EQ(value("memory.low"), std::to_string(8 << 20));
  EXPECT_EQ(run_inside([] { return use_memory(4 << 20); }), 0);
  EXPECT_EQ(oom_kills(place_), 0u);
  EXPECT_EQ(WTERMSIG(run_inside([] { return use_memory(64 << 20); })), SIGKILL);
  EXPECT_EQ(oom_kills(place_), 1u);
  spec::Resources update;
  update.memory.limit = 128 << 20;
  update.memory.swap = 256 << 20;
  EXPECT_OK(apply(place_, update));
  EXPECT_EQ(value("memory.swap.max"), std::to_string(128 << 20));
  EXPECT_EQ(run_inside([] { return use_memory(64 << 20); }), 0);
}

TEST_F(CgroupV2, CheckBeforeUpdateRejectsALimitBelowUsage) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  config_.linux.resources.memory.limit = 64 << 20;
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  const pid_t child = start_inside(entrance_, place_, [] { return use_memory(16 << 20) == 0 ? -1 : 1; });
  for (int i = 0; i < 6000 && std::atoll(value("memory.current").c_str()) < (16 << 20); ++i) ::usleep(10000);
  spec::Resources update;
  update.memory.limit = 1 << 20;
  update.memory.check_before_update = true;
  auto applied = apply(place_, update);
  ASSERT_FALSE(applied.ok());
  EXPECT_NE(text(applied.error()).find("rejecting memory limit 1048576 < usage "), std::string::npos);
  EXPECT_EQ(oom_kills(place_), 0u);
  EXPECT_OK(remove(place_));
  EXPECT_EQ(WTERMSIG(wait_status(child)), SIGKILL);
}

TEST_F(CgroupV2, PidsAreLimited) {
  if (!has("pids")) GTEST_SKIP() << "no pids controller";
  config_.linux.resources.pids.limit = 0;
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  const auto forks = [] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    if (child < 0) return errno == EAGAIN ? 2 : 3;
    ::waitpid(child, nullptr, 0);
    return 0;
  };
  EXPECT_EQ(run_inside(forks), 0);
  EXPECT_OK(apply_after_birth(place_, config_.linux.resources));
  EXPECT_EQ(value("pids.max"), "0");
  EXPECT_EQ(WEXITSTATUS(run_inside(forks)), 2);
  spec::Resources update;
  update.pids.limit = -1;
  EXPECT_OK(apply(place_, update));
  EXPECT_EQ(value("pids.max"), "max");
  EXPECT_EQ(run_inside(forks), 0);
}

TEST_F(CgroupV2, CpuTimeAndSets) {
  if (!has("cpu") || !has("cpuset")) GTEST_SKIP() << "no cpu or cpuset controller";
  spec::Cpu& cpu = config_.linux.resources.cpu;
  cpu.shares = 1024;
  cpu.quota = 20000;
  cpu.period = 50000;
  cpu.cpus = "0";
  cpu.mems = "0";
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  EXPECT_EQ(value("cpu.weight"), "100");
  EXPECT_EQ(value("cpu.max"), "20000 50000");
  EXPECT_EQ(value("cpuset.cpus.effective"), "0");
  EXPECT_EQ(run_inside([] {
              cpu_set_t set;
              return ::sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1 ? 0 : 1;
            }),
            0);
  spec::Resources update;
  update.cpu.period = 100000;  // alone: the quota stays
  EXPECT_OK(apply(place_, update));
  EXPECT_EQ(value("cpu.max"), "20000 100000");
  update = {};
  update.cpu.quota = 30000;  // alone: the period stays
  EXPECT_OK(apply(place_, update));
  EXPECT_EQ(value("cpu.max"), "30000 100000");
  update = {};
  update.cpu.idle = 1;
  EXPECT_OK(apply(place_, update));
  EXPECT_EQ(value("cpu.idle"), "1");
  update.cpu.idle = 0;
  update.cpu.shares = 2;
  EXPECT_OK(apply(place_, update));
  EXPECT_EQ(value("cpu.weight"), "1");
}

TEST_F(CgroupV2, IoIsThrottledByDevice) {
  if (!has("io")) GTEST_SKIP() << "no io controller";
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  for (const auto& disk : std::filesystem::directory_iterator("/sys/block")) {
    const auto number = read_value(disk.path() / "dev");
    if (number.ok() && disk.path().filename().string()[0] == 'v')
      std::sscanf(number->c_str(), "%u:%u", &major, &minor);
  }
  if (major == 0) GTEST_SKIP() << "no virtual disk to throttle";
  spec::ThrottleDevice throttle;
  throttle.major = major;
  throttle.minor = minor;
  throttle.rate = 1 << 20;
  config_.linux.resources.block_io.throttle_read_bps = {throttle};
  config_.linux.resources.block_io.throttle_write_iops = {throttle};
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  EXPECT_EQ(value("io.max"), std::to_string(major) + ":" + std::to_string(minor) +
                                 " rbps=1048576 wbps=max riops=max wiops=1048576");
}

TEST_F(CgroupV2, UnifiedEnablesWhatItNeeds) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  config_.linux.resources.unified = {{"memory.high", "33554432", {}}, {"cgroup.max.depth", "3", {}}};
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  EXPECT_EQ(value("memory.high"), "33554432");
  EXPECT_EQ(value("cgroup.max.depth"), "3");
  spec::Resources update;
  update.unified = {{"nonsense.max", "1", {}}};
  auto applied = apply(place_, update);
  ASSERT_FALSE(applied.ok());
  EXPECT_NE(text(applied.error()).find("controller `nonsense` is not available"), std::string::npos);
}

TEST_F(CgroupV2, AParentWithProcessesIsExplained) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  const pid_t child = start_inside(entrance_, place_, [] { return -1; });
  spec::Config below = config_for(config_.linux.cgroups_path + "/below");
  below.linux.resources.memory.limit = 1 << 30;
  const Place place = place_for(below);
  Undo undo;
  auto refused = prepare(place, below, undo);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(text(refused.error()).find("cgroup.subtree_control"), std::string::npos) << text(refused.error());
  EXPECT_NE(std::string(refused.error().advice.view()).find("has processes"), std::string::npos)
      << text(refused.error()) << "; " << refused.error().advice.view();
  undo.roll_back();
  EXPECT_OK(remove(place_));
  wait_status(child);
}

TEST_F(CgroupV2, ExecFollowsInitIntoAChildWhereTheTopTakesNoProcesses) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  config_.linux.resources.memory.limit = 1 << 30;
  ASSERT_NO_FATAL_FAILURE(prepare_it());
  const pid_t child = start_inside(entrance_, place_, [] { return -1; });
  const std::string inner = directory_ + "/init.scope";
  EXPECT_OK(sys::make_directories(inner, 0755));
  EXPECT_OK(sys::write_file(inner + "/cgroup.procs", std::to_string(child)));
  EXPECT_OK(sys::write_file(directory_ + "/cgroup.subtree_control", "+memory"));
  auto entered = enter(place_, {}, child);
  ASSERT_TRUE(entered.ok()) << text(entered.error());
  EXPECT_EQ(sys::read_link("/proc/self/fd/" + std::to_string(entered->v2_directory.number())).value(), inner);
  EXPECT_OK(remove(place_));
  wait_status(child);
}

}  // namespace
}  // namespace davit::cgroup
