// SPDX-License-Identifier: Apache-2.0
// Stored texts, the configs they are about, and a host that is the same everywhere.
//   DAVIT_UPDATE_GOLDEN=1 davit_golden_tests    writes what is printed now
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "davit/host/facts.hpp"

namespace davit::golden {

namespace fs = std::filesystem;

inline const fs::path kDirectory = fs::path(DAVIT_TESTS_DIR) / "golden";

inline std::string slurp(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The configs of real engines.
inline std::vector<fs::path> captured() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kDirectory / "captured"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  return files;
}

inline fs::path captured(const std::string& name) {
  return kDirectory / "captured" / (name + ".json");
}

/// A host without LSMs, whose caller is nobody of note.
inline host::Facts host_with(host::CgroupMode mode) {
  host::Facts facts;
  facts.cgroup.mode = mode;
  if (mode == host::CgroupMode::v2) {
    facts.cgroup.hierarchies.push_back({{}, "/sys/fs/cgroup", "/", "/"});
    return facts;
  }
  for (const char* controller : {"cpu", "memory", "pids"})
    facts.cgroup.hierarchies.push_back({{controller}, std::string("/sys/fs/cgroup/") + controller, "/", "/"});
  return facts;
}

/// `expected` is below the directory of stored texts.
inline void compare(const std::string& text, const fs::path& expected) {
  const fs::path path = kDirectory / expected;
  if (std::getenv("DAVIT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, slurp(path)) << path;
}

}  // namespace davit::golden
