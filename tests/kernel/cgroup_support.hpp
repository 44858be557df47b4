// SPDX-License-Identifier: Apache-2.0
// What the kernel tests of cgroups share: places of their own, children inside of them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "davit/features/cgroup.hpp"
#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"

namespace davit::cgroup {

inline std::string unique_name(const char* what) {
  return "/davit-test-" + std::to_string(::getpid()) + "-" + what;
}

/// Of a place that no systemd knows of.
inline Result<void> remove(const Place& place) {
  std::vector<Error> none;
  return remove(place, none);
}

inline bool native_v2() {
  auto layout = host::probe_cgroup_layout();
  return layout.ok() && layout->mode == host::CgroupMode::v2;
}

inline bool make_v2_view() {
  if (native_v2()) return true;  // a new mount would set the options of the host's
  return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
}

/// Runs `body` in a child, in its own mount namespace if `v2`; failures of its expectations fail the test.
inline void in_layout(bool v2, const std::function<void()>& body) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const pid_t child = ::fork();
  if (child == 0) {
    if (v2 && !make_v2_view()) ::_exit(77);
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "cannot mount cgroup2 here";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

inline spec::DeviceRule device(bool allow, spec::DeviceRuleType type) {
  spec::DeviceRule rule;
  rule.allow = allow;
  rule.type = type;
  rule.read = rule.write = rule.mknod = true;
  return rule;
}

inline spec::Config config_for(const std::string& path) {
  spec::Config config;
  config.linux.cgroups_path = path;
  config.linux.resources.devices = {device(false, spec::DeviceRuleType::all)};
  return config;
}

inline Place place_for(const spec::Config& config) {
  auto layout = host::probe_cgroup_layout();
  EXPECT_TRUE(layout.ok());
  auto place = choose(config, "test", *layout, Manager::cgroupfs);
  EXPECT_TRUE(place.ok());
  return std::move(place).value();
}

inline std::string text(const Error& error) {
  return std::string(describe(error).view());
}
#define EXPECT_OK(...)                                  \
  do {                                                  \
    auto&& result_ = (__VA_ARGS__);                     \
    EXPECT_TRUE(result_.ok()) << text(result_.error()); \
  } while (false)

inline void enter_by(const Entrance& entrance, const Place& place) {
  for (const sys::UniqueFd& file : entrance.task_files)
    if (::write(file.number(), "0", 1) != 1) ::_exit(3);
  for (const std::string& path : entrance.task_paths)
    if (!sys::write_file(path, "0").ok()) ::_exit(3);
  for (const Directory& directory : place.directories)
    if (directory.controllers.empty() && !sys::write_file(directory.path + "/cgroup.procs", "0").ok())
      ::_exit(4);
}

/// A child inside of the place that runs `body` and then sleeps or exits with its result.
inline pid_t start_inside(const Entrance& entrance, const Place& place, const std::function<int()>& body) {
  int ready[2];
  EXPECT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    enter_by(entrance, place);
    if (::write(ready[1], "x", 1) != 1) ::_exit(5);
    const int code = body();
    if (code >= 0) ::_exit(code);
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  return child;
}

inline int wait_status(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

inline bool any_exists(const Place& place) {
  for (const Directory& directory : place.directories)
    if (exists(directory.path)) return true;
  return false;
}

}  // namespace davit::cgroup
