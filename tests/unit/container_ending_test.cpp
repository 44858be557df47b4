// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/table.hpp"
#include "davit/container/record.hpp"
#include "davit/spec/state.hpp"

namespace davit::container {
namespace {

TEST(Ending, IsOnRecordAsFarAsItIsKnown) {
  Record record;
  record.id = "c";
  record.bundle = "/b";
  EXPECT_FALSE(parse_record(record_json(record), "state.json")->ending);
  Ending& ending = record.ending.emplace();
  ending.finished = "2026-01-02T03:04:05.000000006Z";
  ending.exit_code = 137;
  ending.signal = 9;
  ending.oom_killed = true;
  const auto read = parse_record(record_json(record), "state.json");
  ASSERT_TRUE(read.ok());
  ASSERT_TRUE(read->ending);
  EXPECT_EQ(read->ending->finished, ending.finished);
  EXPECT_EQ(read->ending->exit_code, 137);
  EXPECT_EQ(read->ending->signal, 9);
  EXPECT_EQ(read->ending->oom_killed, true);
  record.ending = Ending{};
  record.ending->failed_step = "find_program";
  const auto failed = parse_record(record_json(record), "state.json");
  ASSERT_TRUE(failed.ok());
  EXPECT_FALSE(failed->ending->exit_code);
  EXPECT_FALSE(failed->ending->oom_killed);
  EXPECT_EQ(failed->ending->failed_step, "find_program");
}

TEST(Ending, OfAStateHasOnlyWhatIsKnown) {
  spec::State state;
  state.id = "c";
  state.status = spec::Status::stopped;
  EXPECT_EQ(spec::state_json(state, spec::JsonStyle::compact).find("exit"), std::string::npos);
  EXPECT_NE(cli::long_table({state}).find("unknown"), std::string::npos);
  state.exit_code = 0;
  state.oom_killed = false;
  EXPECT_NE(spec::state_json(state, spec::JsonStyle::compact).find("\"exitCode\":0,\"oomKilled\":false"),
            std::string::npos);
}

}  // namespace
}  // namespace davit::container
