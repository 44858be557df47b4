// SPDX-License-Identifier: Apache-2.0
// What `davit explain` prints of real engines' configs.
#include "davit/explain/explain.hpp"

#include <sstream>

#include "davit/explain/render.hpp"
#include "davit/spec/reader.hpp"
#include "golden.hpp"

namespace davit::golden {
namespace {

explain::Document document_of(const fs::path& file) {
  auto read = spec::read_config(slurp(file), "config.json");
  EXPECT_TRUE(read.ok()) << file;
  const explain::Request request{.call = {.id = "golden", .bundle = "/bundle"},
                                 .manager = cgroup::Manager::cgroupfs};
  const explain::Compiled compiled =
      explain::compile_on(host_with(host::CgroupMode::v2), read.value, request);
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
    const std::string text = explain::text_of(document_of(captured(name)), {});
    compare(portable(text), fs::path("explained") / (std::string(name) + ".txt"));
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
  const explain::Document document = document_of(captured("docker"));
  EXPECT_EQ(explain::difference(document, document, {}), "");
}

TEST(Explain, ADifferenceNamesBothSides) {
  const std::string text =
      explain::difference(document_of(captured("docker")), document_of(captured("docker-privileged")), {});
  EXPECT_NE(text.find("- network"), std::string::npos) << text;
  EXPECT_NE(text.find("+ network"), std::string::npos) << text;
  EXPECT_EQ(text.find("hostname  c4"), std::string::npos) << text;
}

}  // namespace
}  // namespace davit::golden
