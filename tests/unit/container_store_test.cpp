// SPDX-License-Identifier: Apache-2.0
#include "davit/container/store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "davit/container/lifecycle.hpp"

namespace davit::container {
namespace {

Record sample() {
  Record record;
  record.id = "web";
  record.bundle = "/b \"1\"";
  record.rootfs = "/b/rootfs";
  record.created = "2026-01-02T03:04:05.000000006Z";
  record.owner = 1000;
  record.init = {4711, 18446744073709551615u, 18446744073709551614u, "0-1-2"};
  record.cgroup.mode = host::CgroupMode::hybrid;
  record.cgroup.directories = {{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu/web", "/sys/fs/cgroup/cpu"},
                               {{}, "/sys/fs/cgroup/unified/web", "/sys/fs/cgroup/unified"}};
  record.annotations = {{"org.example/key", "value\n"}, {"", "x"}};
  record.own_pid_namespace = false;
  record.no_pivot = true;
  record.poststop_hooks = true;
  record.starts_plainly = true;
  record.descriptors = {"pipe:[1]", "", "/dev/null"};
  return record;
}

TEST(ContainerRecord, SurvivesTheRoundTrip) {
  const Record before = sample();
  const auto after = parse_record(record_json(before), "state.json");
  ASSERT_TRUE(after.ok()) << after.error().message.view();
  EXPECT_EQ(record_json(*after), record_json(before));
  EXPECT_EQ(after->init.start_time, before.init.start_time);
  EXPECT_EQ(after->init.number, before.init.number);
  EXPECT_EQ(after->cgroup.directories[0].controllers, before.cgroup.directories[0].controllers);
  EXPECT_EQ(after->annotations, before.annotations);
  EXPECT_EQ(after->descriptors, before.descriptors);
  EXPECT_FALSE(after->own_pid_namespace);
  EXPECT_TRUE(after->no_pivot);
  EXPECT_TRUE(after->poststop_hooks);
  EXPECT_TRUE(after->starts_plainly);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ContainerRecord, RefusesWhatItDidNotWriteInOneLine) {
  const std::string good = record_json(sample());
  const std::string bad[] = {
      "",
      "{",
      "[]",
      "null",
      "{\"ociVersion\":\"1.0.0\",\"id\":\"web\",\"init_process_pid\":1}",
      good.substr(0, good.size() / 2),
      replaced(good, "\"davit\":1", "\"davit\":2"),
      replaced(good, "\"davit\":1", "\"davit\":\"1\""),
      replaced(good, "\"pid\":4711", "\"pid\":-4711"),
      replaced(good, "\"pid\":4711", "\"pid\":99999999999"),
      replaced(good, "\"mode\":\"hybrid\"", "\"mode\":\"v3\""),
      replaced(good, "/sys/fs/cgroup/cpu/web", "/sys/fs/cgroup/cpu"),
      replaced(good, "\"owner\":1000,", ""),
      replaced(good, "\"x\"", "7"),
  };
  for (const std::string& text : bad) {
    const auto parsed = parse_record(text, "state.json");
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().message.view().find('\n'), std::string_view::npos);
    EXPECT_NE(parsed.error().message.view().find("state.json"), std::string_view::npos);
    EXPECT_FALSE(parsed.error().advice.empty());
  }
}

class ContainerStore : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/davit-store-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    base_ = name;
    root_ = base_ + "/deep/root";
  }
  void TearDown() override { std::filesystem::remove_all(base_); }
  Store store() { return std::move(*Store::at(root_)); }

  std::string base_;
  std::string root_;
};

TEST_F(ContainerStore, RefusesTheRootDirectory) {
  for (const char* bad : {"/", "//", "/.", "/../", "/a/.."}) EXPECT_FALSE(Store::at(bad).ok()) << bad;
}

TEST_F(ContainerStore, ReservesAnIdOnce) {
  auto entry = store().reserve("web");
  ASSERT_TRUE(entry.ok()) << entry.error().message.view();
  struct stat status = {};
  ASSERT_EQ(::stat(root_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0700u);
  EXPECT_EQ(store().reserve("web").error().code, Code::already_exists) << "while it is being made";
  ASSERT_TRUE(entry->write(sample()).ok());
  entry->unlock();
  EXPECT_EQ(store().reserve("web").error().code, Code::already_exists) << "when it is made";
  EXPECT_FALSE(store().reserve("../web").ok());
}

TEST_F(ContainerStore, TakesOverAnIdWhoseCreatorWasKilled) {
  {
    auto entry = store().reserve("web");
    ASSERT_TRUE(entry.ok());
    ASSERT_TRUE(entry->write_config("{}").ok());
  }  // killed before the record
  auto again = store().reserve("web");
  ASSERT_TRUE(again.ok()) << again.error().message.view();
  EXPECT_TRUE(again->write_config("{}").ok()) << "nothing of the first one is left";
}

TEST_F(ContainerStore, TakesNothingOverWhoseRecordCannotBeSeen) {
  std::filesystem::create_directories(root_ + "/web");
  std::filesystem::create_symlink("state.json", root_ + "/web/state.json");  // ELOOP
  EXPECT_FALSE(store().reserve("web").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(root_ + "/web/state.json"));
}

TEST_F(ContainerStore, FindsWhatWasWritten) {
  {
    auto entry = store().reserve("web");
    ASSERT_TRUE(entry->write(sample()).ok());
    ASSERT_TRUE(entry->write_config("the text").ok());
  }
  auto found = store().open("web");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->read()->bundle, sample().bundle);
  EXPECT_EQ(*found->read_config(), "the text");
  EXPECT_FALSE(found->waits_for_start());
  EXPECT_EQ(*store().ids(), std::vector<std::string>{"web"});
  EXPECT_EQ(store().open("other").error().code, Code::not_found);
}

TEST_F(ContainerStore, AHalfWrittenRecordIsNeverSeen) {
  auto entry = store().reserve("web");
  ASSERT_TRUE(entry->write(sample()).ok());
  std::ofstream(root_ + "/web/.state.json") << "{\"davit\":1,";  // killed in the middle of a replacement
  EXPECT_TRUE(entry->read().ok());
  Record next = sample();
  next.bundle = "/other";
  ASSERT_TRUE(entry->write(next).ok());
  EXPECT_EQ(entry->read()->bundle, "/other");
}

TEST_F(ContainerStore, ARecordOfAnotherContainerIsRefused) {
  auto entry = store().reserve("other");
  ASSERT_TRUE(entry->write(sample()).ok());
  EXPECT_FALSE(entry->read().ok());
}

TEST_F(ContainerStore, DiscardFreesTheIdAtOnce) {
  auto entry = store().reserve("web");
  ASSERT_TRUE(entry->write(sample()).ok());
  ASSERT_TRUE(entry->write_config("{}").ok());
  std::ofstream(root_ + "/web/.state.json") << "x";
  auto waiting = store().open("web");
  ASSERT_TRUE(waiting.ok());
  ASSERT_TRUE(entry->discard().ok());
  EXPECT_EQ(store().open("web").error().code, Code::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
  auto next = store().reserve("web");
  ASSERT_TRUE(next.ok());
  entry->unlock();
  EXPECT_EQ(waiting->try_lock().error().code, Code::not_found)
      << "it waited for another container of that name";
}

TEST_F(ContainerStore, DiscardLeavesWhatIsNotItsOwn) {
  auto entry = store().reserve("web");
  ASSERT_TRUE(entry->write(sample()).ok());
  std::ofstream(root_ + "/web/unexpected") << "x";
  EXPECT_FALSE(entry->discard().ok());
  EXPECT_EQ(store().open("web").error().code, Code::not_found);
  (void)store().ids();
  std::size_t found = 0;
  for (const auto& one : std::filesystem::recursive_directory_iterator(root_))
    found += one.path().filename() == "unexpected" ? 1 : 0;
  EXPECT_EQ(found, 1u);
}

std::size_t files_below(const std::string& path) {
  const auto all = std::filesystem::recursive_directory_iterator(path);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(ContainerStore, TakesOverAndRemovesOnlyWhatItMade) {
  const auto reservation = [&](const char* id) {
    ASSERT_TRUE(store().reserve(id).ok());  // killed
  };
  const std::pair<const char*, std::function<void(const std::string&)>> cases[] = {
      {"empty", [](const std::string& path) { std::filesystem::create_directory(path); }},
      {"private",
       [](const std::string& path) {
         std::filesystem::create_directory(path);
         ::chmod(path.c_str(), 0700);
       }},
      {"bundle",
       [](const std::string& path) {
         std::filesystem::create_directories(path + "/rootfs/bin");
         std::ofstream(path + "/config.json") << "{}";
       }},
      {"of-runc",
       [](const std::string& path) {
         std::filesystem::create_directory(path);
         ::chmod(path.c_str(), 0711);
         std::ofstream(path + "/state.json") << "{\"id\":\"of-runc\"}";
       }},
      {"foreign-file",
       [&](const std::string& path) {
         reservation("foreign-file");
         std::ofstream(path + "/precious") << "x";
       }},
      {"foreign-type",
       [&](const std::string& path) {
         reservation("foreign-type");
         std::filesystem::create_directories(path + "/state.json/precious");
       }},
      {"foreign-below",
       [&](const std::string& path) {
         reservation("foreign-below");
         std::filesystem::create_directory(path + "/notify");
         std::ofstream(path + "/notify/precious") << "x";
       }},
      {"file", [](const std::string& path) { std::ofstream(path) << "x"; }},
  };
  std::filesystem::create_directories(root_);
  for (const auto& [id, make] : cases) make(root_ + "/" + id);
  const std::size_t before = files_below(root_);
  for (const auto& [id, make] : cases) {
    EXPECT_FALSE(store().reserve(id).ok()) << id;
    Context context{store()};
    EXPECT_FALSE(remove(context, id, false).ok()) << id;
    // Where there is no directory at all there is no container, which is what --force asks for.
    EXPECT_EQ(remove(context, id, true).ok(), std::string_view(id) == "file") << id;
    (void)list(context);
    EXPECT_EQ(files_below(root_), before) << id;
  }
}

TEST_F(ContainerStore, SweepsWhatAKilledDeleteLeft) {
  const auto leave_trash = [&] {
    auto entry = store().reserve("web");
    ASSERT_TRUE(entry.ok());
    ASSERT_TRUE(entry->write(sample()).ok());
    struct stat status = {};
    ASSERT_EQ(::stat((root_ + "/web").c_str(), &status), 0);
    std::filesystem::rename(root_ + "/web", root_ + "/@" + std::to_string(status.st_ino));
  };
  leave_trash();
  EXPECT_TRUE(store().ids()->empty());
  EXPECT_TRUE(std::filesystem::is_empty(root_));
  leave_trash();
  Context context{store()};
  ASSERT_TRUE(remove(context, "web", true).ok());
  EXPECT_TRUE(std::filesystem::is_empty(root_));
  EXPECT_FALSE(remove(context, "web", false).ok());
}

TEST_F(ContainerStore, SweepsNothingOfOthers) {
  std::filesystem::create_directories(root_ + "/@1");
  std::filesystem::create_directories(root_ + "/@backup/web");
  std::ofstream(root_ + "/@1/state.json") << "x";
  ASSERT_EQ(::chmod((root_ + "/@1").c_str(), 01700), 0);
  const std::size_t before = files_below(root_);
  EXPECT_TRUE(store().ids()->empty());
  store().sweep();
  EXPECT_EQ(files_below(root_), before);
}

TEST_F(ContainerStore, WhoWaitsForTheLockLearnsWhoHasIt) {
  auto entry = store().reserve("web");
  ASSERT_TRUE(entry.ok());
  auto other = store().open("web");
  ASSERT_TRUE(other.ok());
  const auto locked = other->lock(std::chrono::milliseconds(1));
  ASSERT_FALSE(locked.ok());
  EXPECT_NE(locked.error().message.view().find("pid " + std::to_string(::getpid()) + ": "), std::string::npos)
      << locked.error().message.view();
  entry->unlock();
  EXPECT_TRUE(other->lock().ok());
}

TEST_F(ContainerStore, AnIdHasOneOwnerAtATime) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::atomic<int> owners = 0;
  std::atomic<int> won = 0;
  std::atomic<bool> broken = false;
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      auto entry = store().reserve("web");
      if (!entry.ok()) {
        if (entry.error().code != Code::already_exists) broken = true;
        continue;
      }
      if (++owners != 1) broken = true;
      if (!entry->write_config("{}").ok() || !entry->write(sample()).ok()) broken = true;
      --owners;
      ++won;
      // Half of them are "killed" here: somebody else has to delete what they leave.
      if (i % 2 == 0) continue;
      if (!entry->discard().ok()) broken = true;
    }
  };
  const auto sweep = [&] {
    for (int i = 0; i < kThreads * kRounds; ++i) {
      auto entry = store().open("web");
      if (!entry.ok()) continue;
      if (auto locked = entry->try_lock(); !locked.ok() || !*locked) continue;
      if (entry->read().ok() && !entry->discard().ok()) broken = true;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work);
  threads.emplace_back(sweep);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(broken);
  EXPECT_GT(won, 0);
}

TEST_F(ContainerStore, AMissingRootOfTheUserIsAnError) {
  EXPECT_FALSE(store().ids().ok());
}

}  // namespace
}  // namespace davit::container
