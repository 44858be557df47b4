// SPDX-License-Identifier: Apache-2.0
// Whole programs of real engines' configs, as `davit explain --operations` prints them. A change of the
// order, of an operation or of the place it comes from shows up here as a diff to be looked at.
//   DAVIT_UPDATE_GOLDEN=1 davit_golden_tests    writes what is printed now
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "davit/explain/explain.hpp"
#include "davit/plan/plan.hpp"
#include "davit/spec/reader.hpp"

namespace davit {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(DAVIT_TESTS_DIR) / "golden";

std::string slurp(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A host that is the same everywhere.
host::Facts facts_of(host::CgroupMode mode) {
  host::Facts facts;
  facts.privileged = true;
  facts.apparmor = true;
  facts.cgroup.mode = mode;
  if (mode == host::CgroupMode::v2) {
    facts.cgroup.hierarchies.push_back({{}, "/sys/fs/cgroup", "/", "/"});
  } else {
    for (const char* controller : {"cpu", "memory", "pids"})
      facts.cgroup.hierarchies.push_back(
          {{controller}, std::string("/sys/fs/cgroup/") + controller, "/", "/"});
  }
  return facts;
}

/// Without the numbers and the columns, and without the link that depends on the host's /proc/kcore: what is
/// left is the same everywhere.
std::string portable(const std::string& printed) {
  std::istringstream lines(printed);
  std::string line, text;
  while (std::getline(lines, line)) {
    if (line.find("path=/dev/core ") != std::string::npos) continue;
    const std::size_t mark = line.rfind(" # /");
    if (mark != std::string::npos)
      line.erase(line.find_last_not_of(' ', mark) + 1, mark - line.find_last_not_of(' ', mark) - 1);
    text.append(line, line.find(' ') + 1).append("\n");
  }
  return text;
}

std::string program_of(const fs::path& file, host::CgroupMode mode) {
  auto read = spec::read_config(slurp(file), "config.json");
  if (!read.ok()) return "unreadable";
  const host::Facts facts = facts_of(mode);
  const auto place = cgroup::choose(read.value, "golden", facts.cgroup, cgroup::Manager::cgroupfs);
  if (!place.ok()) return std::string(place.error().message.view());
  const auto plan = plan::compile_container({.config = read.value,
                                             .facts = facts,
                                             .call = {.id = "golden", .bundle = "/bundle"},
                                             .place = *place,
                                             .filter = {}});
  return plan.ok() ? portable(explain::operations_text(*plan)) : std::string(plan.error().message.view());
}

void compare(const fs::path& config, host::CgroupMode mode, const std::string& suffix) {
  const fs::path expected = kGolden / "programs" / (config.stem().string() + suffix + ".txt");
  const std::string program = program_of(config, mode);
  if (std::getenv("DAVIT_UPDATE_GOLDEN") != nullptr) std::ofstream(expected) << program;
  EXPECT_EQ(program, slurp(expected)) << expected;
}

TEST(Programs, OfEnginesOnV2) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(kGolden / "captured")) {
    if (entry.path().extension() != ".json") continue;
    compare(entry.path(), host::CgroupMode::v2, "");
    ++count;
  }
  EXPECT_GE(count, 12U);
}

TEST(Programs, OfEnginesOnV1) {
  for (const char* name : {"docker", "podman-root-userns"})
    compare(kGolden / "captured" / (std::string(name) + ".json"), host::CgroupMode::v1, "-v1");
}

}  // namespace
}  // namespace davit
