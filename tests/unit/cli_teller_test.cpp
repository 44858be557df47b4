// SPDX-License-Identifier: Apache-2.0
#include "cli/teller.hpp"

#include <gtest/gtest.h>

#include "davit/json/document.hpp"

namespace davit::cli {
namespace {

const std::vector<story::Event>& events() {
  static const std::vector<story::Event> kEvents = {
      {story::Actor::davit, "compile", "", 5'000'000, 7'500'000},
      {story::Actor::davit, "run", "", 1'000'000, 11'000'000},
      {story::Actor::init, "mount", "on /a\x1b[1m", 8'000'000, 8'000'000},
      {story::Actor::process, "runs", "", 9'000'000, 9'000'000'000},
  };
  return kEvents;
}

TEST(CliTeller, ATraceHasMicrosecondsSinceItsBeginning) {
  const std::string text = trace_json(events(), "abc");
  const json::Document::Parsed parsed = json::Document::parse(text, "trace");
  ASSERT_NE(parsed.document, nullptr) << text;
  EXPECT_NE(text.find(R"({"name":"compile","cat":"davit","ph":"X","ts":4000.000,"dur":2500.000,)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("name":"mount","cat":"init","ph":"i","ts":7000.000)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("traceId":"abc")"), std::string::npos) << text;
}

TEST(CliTeller, ATableIsInOrderAndObeyedByNoTerminal) {
  const std::string text = trace_table(events());
  EXPECT_LT(text.find("run"), text.find("compile"));
  EXPECT_LT(text.find("compile"), text.find("mount"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("2.500"), std::string::npos) << text;
}

TEST(CliTeller, ALineOfTheLogHasTheTimeItTook) {
  EXPECT_EQ(debug_line(events()[0]), "davit: compile (2.500 ms)");
  EXPECT_EQ(debug_line(events()[2]), "init: mount: on /a [1m");
}

}  // namespace
}  // namespace davit::cli
