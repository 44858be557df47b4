// SPDX-License-Identifier: Apache-2.0
// What `davit explain` prints of real engines' configs, on a host that is the same everywhere.
//   DAVIT_UPDATE_GOLDEN=1 davit_golden_tests    writes what is printed now
#include "davit/explain/explain.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "davit/explain/render.hpp"
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

host::Facts v2_host() {
  host::Facts facts;
  facts.cgroup.hierarchies.push_back({{}, "/sys/fs/cgroup", "/", "/"});
  return facts;
}

std::vector<fs::path> captured() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kGolden / "captured"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  return files;
}

explain::Document document_of(const fs::path& file) {
  auto read = spec::read_config(slurp(file), "config.json");
  EXPECT_TRUE(read.ok()) << file;
  const explain::Request request{.call = {.id = "golden", .bundle = "/bundle"},
                                 .manager = cgroup::Manager::cgroupfs};
  const explain::Compiled compiled = explain::compile_on(v2_host(), read.value, request);
  EXPECT_TRUE(compiled.errors.empty()) << file << ": " << compiled.errors.front().message.view();
  EXPECT_TRUE(compiled.plan) << file;
  return explain::explain(read.value, request, compiled);
}

/// Without what depends on this machine: whether there is a /proc/kcore.
std::string portable(const std::string& text) {
  std::istringstream lines(text);
  std::string line, result;
  while (std::getline(lines, line))
    if (line.find("/dev/core ") == std::string::npos) result.append(line).append("\n");
  return result;
}

TEST(Explain, OfEngines) {
  for (const char* name : {"docker", "podman-root-userns", "cri-container", "ctr-systemd-privileged"}) {
    const std::string text =
        portable(explain::text_of(document_of(kGolden / "captured" / (std::string(name) + ".json")), {}));
    const fs::path expected = kGolden / "explained" / (std::string(name) + ".txt");
    if (std::getenv("DAVIT_UPDATE_GOLDEN") != nullptr) std::ofstream(expected) << text;
    EXPECT_EQ(text, slurp(expected)) << expected;
  }
}

// A config of another machine is read here: AppArmor, which this host lacks, is a note.
TEST(Explain, WhatTheHostLacksIsANote) {
  for (const fs::path& file : captured()) document_of(file);
}

TEST(Explain, NoLineIsWiderThanTheTerminal) {
  for (const fs::path& file : captured()) {
    const explain::Document document = document_of(file);
    for (const unsigned width : {20U, 40U, 80U, 120U}) {
      std::istringstream lines(explain::text_of(document, {width, false}));
      for (std::string line; std::getline(lines, line);)
        ASSERT_LE(explain::columns_of(line), width) << file << "\n" << line;
    }
  }
}

TEST(Explain, AConfigDoesNotDifferFromItself) {
  const explain::Document document = document_of(kGolden / "captured" / "docker.json");
  EXPECT_EQ(explain::difference(document, document, {}), "");
}

TEST(Explain, ADifferenceNamesBothSides) {
  const std::string text =
      explain::difference(document_of(kGolden / "captured" / "docker.json"),
                          document_of(kGolden / "captured" / "docker-privileged.json"), {});
  EXPECT_NE(text.find("- network"), std::string::npos) << text;
  EXPECT_NE(text.find("+ network"), std::string::npos) << text;
  EXPECT_EQ(text.find("hostname  c4"), std::string::npos) << text;
}

}  // namespace
}  // namespace davit
