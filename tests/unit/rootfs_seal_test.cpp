// SPDX-License-Identifier: Apache-2.0
// Which mounts become read-only in one call.
#include <gtest/gtest.h>

#include "davit/plan/plan.hpp"
#include "davit/program/printer.hpp"

namespace davit::rootfs {
namespace {

using spec::NamespaceType;
using Lines = std::vector<std::string>;

struct SealedTogether : testing::Test {
  void SetUp() override {
    config.root.path = "/";
    config.linux.namespaces.push_back({NamespaceType::mount, "", {}});
  }
  void add(const std::string& destination, const std::string& type, std::vector<std::string> options) {
    spec::Mount mount;
    mount.destination = destination;
    mount.type = mount.source = type;
    mount.options = std::move(options);
    config.mounts.push_back(std::move(mount));
  }
  /// The printed operations that make and seal mounts.
  Lines lines() const {
    cgroup::Place place;
    place.manager = cgroup::Manager::disabled;
    const features::Call call{.id = "c", .bundle = "/bundle"};
    const auto plan =
        plan::compile_container({.config = config, .facts = facts, .call = call, .place = place});
    if (!plan.ok()) return {"error: " + std::string(plan.error().message.view())};
    Lines found;
    program::for_each_operation(plan->program.image, [&](const program::Operation& operation) {
      const std::string line = program::print_operation(plan->program.image, operation);
      for (const char* word : {"mount_filesystem", "seal_root", "remount"})
        if (line.starts_with(word)) found.push_back(line.substr(0, line.find(" into=")));
    });
    std::erase(found, "seal_root propagation=private recursive-propagation");  // of the whole tree
    return found;
  }
  spec::Config config;
  host::Facts facts;
};

TEST_F(SealedTogether, HierarchiesAreUnlessSomethingGoesAmongThem) {
  facts.cgroup = {host::CgroupMode::v1, {{{"cpu"}, "/sys/fs/cgroup/cpu", "/", ""}}};
  config.linux.namespaces.push_back({NamespaceType::cgroup, "", {}});
  add("/sys/fs/cgroup", "cgroup", {"ro", "nosuid"});
  const std::string cpu = "mount_filesystem type=cgroup source=cgroup target=/sys/fs/cgroup/cpu ";
  const std::string holder =
      "mount_filesystem type=tmpfs source=tmpfs target=/sys/fs/cgroup set=nosuid mode=755";
  EXPECT_EQ(lines(), (Lines{holder, cpu + "set=nosuid cpu", "seal_root set=ro recursive"}));
  const Lines apart{holder, cpu + "set=ro,nosuid cpu", "remount target=/ must-exist set=ro"};
  config.linux.namespaces.pop_back();
  Lines bound = lines();
  ASSERT_EQ(bound.size(), 2U);
  EXPECT_EQ(bound[1], "seal_root set=ro,nosuid recursive");
  config.mounts[0].options.emplace_back("noatime");
  bound = lines();
  ASSERT_EQ(bound.size(), 2U);
  EXPECT_EQ(bound[1], "remount target=/ must-exist set=ro") << "a lock on access times is kept";
  config.mounts[0].options.pop_back();
  config.linux.namespaces[0].path = "/proc/1/ns/mnt";
  bound = lines();
  ASSERT_EQ(bound.size(), 2U);
  EXPECT_EQ(bound[1], "remount target=/ must-exist set=ro") << "others would see them writable";
  config.linux.namespaces[0].path.clear();
  config.linux.namespaces.push_back({NamespaceType::cgroup, "", {}});
  add("/sys/fs/cgroup/mine", "proc", {});
  Lines all = lines();
  ASSERT_EQ(all.size(), 4U);
  all.erase(all.begin() + 2);
  EXPECT_EQ(all, apart);
}

}  // namespace
}  // namespace davit::rootfs
