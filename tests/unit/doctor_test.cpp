// SPDX-License-Identifier: Apache-2.0
// What the doctor makes of what it saw; what it tries is in tests/integration.
#include "davit/doctor/doctor.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace davit::doctor {
namespace {

using Paths = std::vector<std::string>;

TEST(Engines, ThePathsOfDavitAreFound) {
  EXPECT_EQ(paths_of_davit("[engine.runtimes]\ndavit = [\"/usr/bin/davit\"]\n"), (Paths{"/usr/bin/davit"}));
  EXPECT_EQ(paths_of_davit(R"({"runtimes": {"davit": {"path": "/opt/davit"}, "b": {"path": "/opt/davit"}}})"),
            (Paths{"/opt/davit"}));
  EXPECT_EQ(paths_of_davit("runtime = \"davit\"\n# /usr/bin/davit\n\"relative/davit\""), Paths{});
  EXPECT_EQ(paths_of_davit("/davit\""), Paths{});
}

TEST(Engines, OneThatIsNotInstalledNeedsNothing) {
  const Diagnosis result = diagnose_engine({"Docker", ""});
  EXPECT_EQ(result.health, Health::unasked);
  EXPECT_EQ(result.remedy, "");
}

TEST(Engines, OneThatIsToldAWrongPathIsSick) {
  const Diagnosis result =
      diagnose_engine({"Docker", "/usr/bin/dockerd", "/etc/docker/daemon.json", R"("/nowhere/davit")"});
  EXPECT_EQ(result.health, Health::lacking);
  EXPECT_NE(result.evidence.find("/nowhere/davit: No such file"), std::string::npos) << result.evidence;
  EXPECT_NE(result.remedy.find("/etc/docker/daemon.json"), std::string::npos) << result.remedy;
}

TEST(Engines, OneThatDoesNotKnowDavitIsToldHow) {
  const Diagnosis result = diagnose_engine({"CRI-O", "/usr/bin/crio", "/etc/crio/crio.conf", "[crio]"});
  EXPECT_EQ(result.health, Health::unasked);
  EXPECT_NE(result.remedy, "");
}

TEST(Doctor, WhatNobodyAskedForIsNoFault) {
  EXPECT_EQ(worst_of({{"a", Health::good}, {"b", Health::unasked}}), Health::good);
  EXPECT_EQ(worst_of({{"a", Health::lacking}, {"b", Health::unasked}}), Health::lacking);
  EXPECT_EQ(worst_of({{"a", Health::bad}, {"b", Health::lacking}}), Health::bad);
}

TEST(Doctor, TheTextFitsAndNamesTheRemedy) {
  const std::vector<Diagnosis> diagnoses{
      {"mount namespace", Health::bad, "unshare: Operation not permitted", "run davit as root of the host"}};
  for (const unsigned width : {20U, 40U, 80U}) {
    std::istringstream lines(text_of(diagnoses, {width, false}));
    for (std::string line; std::getline(lines, line);) ASSERT_LE(explain::columns_of(line), width) << line;
  }
  const std::string text = text_of(diagnoses, {});
  EXPECT_NE(text.find("NO: unshare"), std::string::npos) << text;
  EXPECT_NE(text.find("remedy: run davit"), std::string::npos) << text;
}

}  // namespace
}  // namespace davit::doctor
