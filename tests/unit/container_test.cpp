// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "container/paths.hpp"
#include "davit/container/id.hpp"
#include "davit/container/signals.hpp"
#include "davit/container/status.hpp"
#include "davit/container/time.hpp"

namespace davit::container {
namespace {

TEST(ContainerId, IsOneHarmlessFileName) {
  for (const char* good : {"a", "web", "Web_1+2.3-4", ".hidden", "-dash", "0"})
    EXPECT_TRUE(check_id(good).ok()) << good;
  for (const char* bad : {"", ".", "..", "a/b", "../x", "a b", "ä", "a\nb", "a:b", "@1"})
    EXPECT_FALSE(check_id(bad).ok()) << bad;
  EXPECT_TRUE(check_id(std::string(250, 'a')).ok());
  EXPECT_FALSE(check_id(std::string(251, 'a')).ok());
  EXPECT_NE(std::string(check_id("..").error().message.view()).find("invalid container ID format"),
            std::string::npos);
}

TEST(ContainerId, IsMadeFromAPath) {
  EXPECT_EQ(id_from_path("bundles/web/"), "web");
  EXPECT_EQ(id_from_path("/my web!"), "my-web-");
  EXPECT_EQ(id_from_path("/"), "container");
  EXPECT_EQ(id_from_path("../.."), "container");
  EXPECT_EQ(id_from_path("/x/.cache"), "cache");
  for (const std::string& path :
       {std::string("/ä/ö"), std::string("///"), std::string(400, 'x'), std::string("-rf")})
    EXPECT_TRUE(check_id(id_from_path(path)).ok()) << path;
}

TEST(ContainerSignals, NamesAndNumbers) {
  const std::pair<const char*, int> kGood[] = {
      {"TERM", 15},    {"SIGTERM", 15}, {"sigkill", 9},  {"9", 9},           {"37", 37},
      {"0", 0},        {"RTMIN", 34},   {"RTMIN+3", 37}, {"SIGRTMIN+3", 37}, {"RTMAX", 64},
      {"RTMAX-1", 63}, {"64", 64},      {"USR1", 10},    {"WINCH", 28},      {"SYS", 31},
  };
  for (const auto& [text, number] : kGood) {
    const auto parsed = parse_signal(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, number) << text;
  }
  for (const char* bad :
       {"", "65", "-9", "9x", "NOPE", "SIG", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMIN+", "SIG9"})
    EXPECT_FALSE(parse_signal(bad).ok()) << bad;
}

TEST(ContainerPaths, AreCleanedAsText) {
  EXPECT_EQ(clean_path("/a//b/./c/../d/"), "/a/b/d");
  EXPECT_EQ(clean_path("/../.."), "/");
  EXPECT_EQ(below("/b", "rootfs"), "/b/rootfs");
  EXPECT_EQ(below("/b", "/abs/"), "/abs");
}

TEST(ContainerTime, IsRfc3339) {
  const std::string now = utc_now(Precision::nanoseconds);
  EXPECT_EQ(now.size(), std::string("2026-01-02T03:04:05.123456789Z").size());
  EXPECT_EQ(utc_now(Precision::seconds).size(), std::string("2026-01-02T03:04:05Z").size());
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now.back(), 'Z');
}

struct Facts : Evidence {
  bool init = true, creator = false, alive = true, socket = false, is_frozen = false;
  bool has_init() override { return init; }
  bool being_created() override { return creator; }
  bool init_alive() override { return alive; }
  bool waits_for_start() override { return socket; }
  bool frozen() override { return is_frozen; }
};

TEST(ContainerStatus, IsDerivedFromWhatIsThere) {
  Facts running;
  EXPECT_EQ(derive_status(running), spec::Status::running);
  Facts created;
  created.socket = true;
  EXPECT_EQ(derive_status(created), spec::Status::created);
  Facts paused = created;
  paused.is_frozen = true;
  EXPECT_EQ(derive_status(paused), spec::Status::paused);
  Facts dead = paused;
  dead.alive = false;
  EXPECT_EQ(derive_status(dead), spec::Status::stopped);
  Facts creating;
  creating.init = false;
  creating.creator = true;
  EXPECT_EQ(derive_status(creating), spec::Status::creating);
  creating.creator = false;
  EXPECT_EQ(derive_status(creating), spec::Status::stopped) << "its creator was killed";
}

std::string refusal(Operation operation, spec::Status status) {
  const auto allowed = check_allowed(operation, status, "web");
  if (allowed.ok()) return "";
  EXPECT_EQ(allowed.error().code, Code::wrong_state);
  return std::string(allowed.error().message.view());
}

TEST(ContainerStatus, RefusesInTheWordsThatEnginesLookFor) {
  using spec::Status;
  EXPECT_EQ(refusal(Operation::start, Status::created), "");
  EXPECT_EQ(refusal(Operation::start, Status::running), "cannot start an already running container");
  EXPECT_EQ(refusal(Operation::start, Status::stopped), "cannot start a container that has stopped");
  EXPECT_NE(refusal(Operation::start, Status::paused), "");
  EXPECT_EQ(refusal(Operation::exec, Status::running), "");
  EXPECT_EQ(refusal(Operation::exec, Status::created), "");
  EXPECT_EQ(refusal(Operation::exec, Status::stopped), "cannot exec in a stopped container");
  EXPECT_EQ(refusal(Operation::exec, Status::paused),
            "cannot exec in a paused container (use --ignore-paused to override)");
  EXPECT_EQ(refusal(Operation::kill, Status::stopped), "container not running");
  EXPECT_EQ(refusal(Operation::kill, Status::creating), "container not running");
  EXPECT_EQ(refusal(Operation::kill, Status::paused), "");
  EXPECT_EQ(refusal(Operation::remove, Status::stopped), "");
  EXPECT_EQ(refusal(Operation::remove, Status::created), "");
  EXPECT_EQ(refusal(Operation::remove, Status::running),
            "cannot delete container web that is not stopped: running");
  EXPECT_EQ(refusal(Operation::remove, Status::paused),
            "cannot delete container web that is not stopped: paused");
  EXPECT_NE(refusal(Operation::resume, Status::running), "");
  EXPECT_EQ(refusal(Operation::resume, Status::paused), "");
  EXPECT_EQ(refusal(Operation::pause, Status::running), "");
  EXPECT_NE(refusal(Operation::pause, Status::paused), "");
  for (const Status status :
       {Status::creating, Status::created, Status::running, Status::paused, Status::stopped})
    EXPECT_EQ(refusal(Operation::force_remove, status), "");
}

}  // namespace
}  // namespace davit::container
