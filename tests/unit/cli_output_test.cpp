// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>

#include "cli/ps_table.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"
#include "davit/cli/log.hpp"

namespace davit::cli {
namespace {

TEST(CliLog, JsonIsTheShapeThatEnginesDecode) {
  EXPECT_EQ(
      log_line(LogFormat::json, Level::error, "say \"no\"\nthen stop", "2026-01-02T03:04:05Z"),
      "{\"level\":\"error\",\"msg\":\"say \\\"no\\\"\\nthen stop\",\"time\":\"2026-01-02T03:04:05Z\"}\n");
}

TEST(CliLog, JsonHasWhatIsKnownOfAnErrorAsMembers) {
  Error error = make_error(Code::system, "open");
  error.errno_value = ENOENT;
  error.where = {5, 11, "config.json", "/root/path"};
  error.step.append("compile");
  error.advise("create it");
  EXPECT_EQ(
      log_line(LogFormat::json, Level::error, "m", "t", &error),
      "{\"level\":\"error\",\"msg\":\"m\",\"time\":\"t\",\"file\":\"config.json\",\"pointer\":\"/root/path\","
      "\"line\":5,\"column\":11,\"errno\":\"ENOENT\",\"hint\":\"create it\",\"step\":\"compile\"}\n");
}

TEST(CliReport, NothingThatATerminalObeysGetsThere) {
  EXPECT_EQ(harmless("a\nb\x1b[31mc\x7f \n"), "a b [31mc ");
  EXPECT_EQ(harmless("\u009b2J\u202egood \u00e4\u20ac\xf0\x9f\x98\x80"),
            " 2J good \u00e4\u20ac\xf0\x9f\x98\x80");
  EXPECT_EQ(harmless("\x9b\xc2"), "??");
}

TEST(CliReport, NeitherDoesTheAdviceOfAWarning) {
  const Log log = *Log::make("", "", "", false);
  Error warning = make_error(Code::system, "still \x1b[2Jthere");
  warning.advise("thaw \x1b]0;title\x07");  // a name of the container's
  testing::internal::CaptureStderr();
  const Reporter reporter(log, "delete", "c");
  reporter.warning(warning);
  reporter.notice(warning);
  const std::string once = "davit: warning: delete c: still  [2Jthere\nhint: thaw  ]0;title \n";
  EXPECT_EQ(testing::internal::GetCapturedStderr(), once + once);
}

TEST(CliReport, PointsAtWhatAnErrorIsAbout) {
  Error error = make_error(Code::invalid_config, "must be an array");
  error.where = {2, 10, "config.json", "/args"};
  const Quotation quotation{"{\n \"args\": \"sh\"\n}\n", {80, false}};
  EXPECT_EQ(quote(quotation, error), "    2 |  \"args\": \"sh\"\n      |          ^~~~\n");
  error.where.line = 9;
  EXPECT_EQ(quote(quotation, error), "");
  error.where = {};
  EXPECT_EQ(quote(quotation, error), "");
  EXPECT_EQ(quote({}, error), "");
}

TEST(CliLog, TextIsLogfmt) {
  EXPECT_EQ(log_line(LogFormat::text, Level::warning, "a \"b\" \\ c\nd\x01", "2026-01-02T03:04:05Z"),
            "time=\"2026-01-02T03:04:05Z\" level=warning msg=\"a \\\"b\\\" \\\\ c\\nd\\x01\"\n");
}

TEST(CliLog, RefusesUnknownWords) {
  EXPECT_TRUE(Log::make("", "", "", false).ok());
  EXPECT_TRUE(Log::make("file:/l", "json", "warning", false).ok());
  EXPECT_FALSE(Log::make("", "xml", "", false).ok());
  EXPECT_FALSE(Log::make("", "", "loud", false).ok());
}

TEST(CliTable, ListHasTheColumnsOfRunc) {
  spec::State state;
  state.id = "a-rather-long-container-id";
  state.pid = 7;
  state.status = spec::Status::running;
  state.bundle = "/b";
  state.created = "2026-01-02T03:04:05.000000001Z";
  state.owner = "root";
  EXPECT_EQ(list_table({state}),
            "ID                           PID         STATUS      BUNDLE      CREATED                        "
            "  OWNER\n"
            "a-rather-long-container-id   7           running     /b          2026-01-02T03:04:05.000000001Z "
            "  root\n");
  EXPECT_EQ(list_table({}), "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
}

TEST(CliPs, KeepsTheRowsOfTheContainer) {
  const char* output =
      "UID   PID  PPID CMD\n"
      "root    1     0 init 42\n"
      "root   42     1 sleep 1\n"
      "root  142    42 sh\n";
  const auto kept = filter_ps(output, {42, 142});
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(*kept, "UID   PID  PPID CMD\nroot   42     1 sleep 1\nroot  142    42 sh\n");
  EXPECT_FALSE(filter_ps("USER COMMAND\nroot init\n", {1}).ok());
}

}  // namespace
}  // namespace davit::cli
