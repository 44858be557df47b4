// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/table.hpp"
#include "container/ending.hpp"
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

TEST(Ending, NamesTheLimitOfCgroupV2ThatWasReached) {
  char name[] = "/tmp/davit-ending-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  const std::string directory = name;
  std::ofstream(directory + "/memory.max") << "67108864\n";
  const auto write_events = [&](const char* events) {
    std::ofstream(directory + "/memory.events.local") << events;
  };
  Record record;
  record.cgroup.directories.push_back({{}, directory, "/sys/fs/cgroup"});
  Ending ending;
  EXPECT_FALSE(death_by_memory(record, ending));
  ending.oom_killed = true;
  write_events("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
  const auto own = death_by_memory(record, ending);
  write_events("low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n");
  const auto of_host = death_by_memory(record, ending);
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(own && of_host);
  EXPECT_EQ(describe(*own).view(),
            "the OOM killer ended it: it had reached memory.max of " + directory + ", 67108864 bytes");
  EXPECT_NE(own->advice.view().find("linux.resources.memory"), std::string_view::npos);
  EXPECT_EQ(describe(*of_host).view(),
            "the OOM killer ended it: the host, or a cgroup above the container's, ran out of memory");
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
