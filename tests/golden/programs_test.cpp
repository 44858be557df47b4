// SPDX-License-Identifier: Apache-2.0
// Whole programs of real engines' configs, as `davit explain --operations` prints them. A change of the
// order, of an operation or of the place it comes from shows up here as a diff to be looked at.
#include <algorithm>
#include <sstream>

#include "davit/explain/explain.hpp"
#include "davit/plan/plan.hpp"
#include "davit/spec/reader.hpp"
#include "golden.hpp"

namespace davit::golden {
namespace {

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
  host::Facts facts = host_with(mode);
  facts.privileged = true;
  facts.apparmor = true;
  const auto place = cgroup::choose(read.value, "golden", facts.cgroup, cgroup::Manager::cgroupfs);
  if (!place.ok()) return std::string(place.error().message.view());
  const auto plan = plan::compile_container(
      {.config = read.value, .facts = facts, .call = {.id = "golden", .bundle = "/bundle"}, .place = *place});
  return plan.ok() ? portable(explain::operations_text(*plan)) : std::string(plan.error().message.view());
}

void compare_program(const fs::path& config, host::CgroupMode mode, const std::string& suffix) {
  compare(program_of(config, mode), fs::path("programs") / (config.stem().string() + suffix + ".txt"));
}

TEST(Programs, OfEnginesOnV2) {
  const std::vector<fs::path> files = captured();
  EXPECT_GE(files.size(), 12U);
  for (const fs::path& file : files) compare_program(file, host::CgroupMode::v2, "");
}

TEST(Programs, OfEnginesOnV1) {
  for (const char* name : {"docker", "podman-root-userns"})
    compare_program(captured(name), host::CgroupMode::v1, "-v1");
}

}  // namespace
}  // namespace davit::golden
