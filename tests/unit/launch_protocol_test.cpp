// SPDX-License-Identifier: Apache-2.0
// Messages from inside are input: which one is believed, from whom, when, and how often.
#include "launch/protocol.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "davit/program/process_operations.hpp"
#include "davit/program/setting_operations.hpp"
#include "davit/program/stage_operations.hpp"
#include "davit/sys/socket.hpp"

namespace davit::launch {
namespace {

using program::Detail;
using program::MessageType;
using program::Point;

constexpr pid_t kStage = 100;
constexpr pid_t kInit = 101;

struct ProtocolTest : testing::Test {
  enum : std::uint32_t { kKeyring, kConsole, kFork, kTell, kCapabilities, kHook };

  ProtocolTest() {
    program::Builder builder;
    builder.emit(program::JoinKeyring{});
    builder.emit(program::OpenConsole{});
    builder.emit(program::ForkInit{});
    program::TellHost tell;
    tell.point = Point::ready;
    builder.emit(tell);
    builder.emit(program::SetCapabilities{});
    builder.emit(program::RunHook{});
    program = builder.finish();
  }
  static Incoming message(MessageType type, std::uint32_t operation, pid_t sender) {
    Incoming incoming;
    incoming.message.type = type;
    incoming.message.operation = operation;
    incoming.sender = sender;
    return incoming;
  }
  static Incoming reached(Point point, std::uint32_t operation, pid_t sender) {
    Incoming incoming = message(MessageType::reached, operation, sender);
    incoming.message.point = point;
    return incoming;
  }
  static Incoming slow_hook() {
    Incoming incoming = message(MessageType::warning, kHook, kInit);
    incoming.message.detail = Detail::hook_slow;
    return incoming;
  }
  static Incoming with_descriptor(Incoming incoming) {
    incoming.descriptor = sys::UniqueFd::adopt(::dup(2));
    return incoming;
  }
  bool takes(const Incoming& incoming, pid_t expected) {
    return protocol.check(program, incoming, expected).ok();
  }

  program::Program program;
  Protocol protocol;
};

TEST_F(ProtocolTest, WhatTheProgramSendsIsTaken) {
  EXPECT_TRUE(takes(message(MessageType::warning, kKeyring, kStage), kStage));
  EXPECT_TRUE(takes(with_descriptor(message(MessageType::console, kConsole, kStage)), kStage));
  EXPECT_TRUE(takes(message(MessageType::child, kFork, kStage), kStage));
  EXPECT_TRUE(takes(reached(Point::ready, kTell, kInit), kInit));
  Incoming left = message(MessageType::capabilities_left, kCapabilities, kInit);
  left.message.detail = Detail::set_capabilities;
  EXPECT_TRUE(takes(left, kInit));
  left.message.detail = Detail::raise_ambient;
  EXPECT_TRUE(takes(left, kInit));
  EXPECT_FALSE(takes(left, kInit)) << "twice";
  EXPECT_TRUE(takes(slow_hook(), kInit));
  EXPECT_FALSE(takes(slow_hook(), kInit)) << "twice";
  EXPECT_TRUE(takes(message(MessageType::failed, kHook, kInit), kInit));
  EXPECT_FALSE(takes(message(MessageType::failed, kHook, kInit), kInit)) << "after its last words";
}

TEST_F(ProtocolTest, OnlyWhoeverTheProgramRunsInMaySpeak) {
  EXPECT_FALSE(takes(message(MessageType::child, kFork, kInit), kStage));
  EXPECT_FALSE(takes(message(MessageType::child, kFork, 0), kStage)) << "nobody knows who";
  EXPECT_FALSE(takes(reached(Point::ready, kTell, kInit + 1), kInit));
}

TEST_F(ProtocolTest, EachMessageIsTheOneOfItsOperation) {
  EXPECT_FALSE(takes(message(MessageType::child, kTell, kInit), kInit)) << "no fork_init";
  EXPECT_FALSE(takes(message(MessageType::console, kConsole, kStage), kStage)) << "without a descriptor";
  EXPECT_FALSE(takes(with_descriptor(message(MessageType::child, kFork, kStage)), kStage)) << "with one";
  EXPECT_FALSE(takes(reached(Point::limits, kTell, kInit), kInit)) << "another point";
  EXPECT_FALSE(takes(reached(Point::none, kTell, kInit), kInit)) << "nobody asked for a trace";
  EXPECT_FALSE(takes(message(MessageType::seccomp_listener, kFork, kStage), kStage));
  EXPECT_FALSE(takes(message(MessageType::warning, 77, kStage), kStage)) << "no such operation";
  EXPECT_FALSE(takes(message(static_cast<MessageType>(99), kTell, kInit), kInit));
}

TEST_F(ProtocolTest, TheyComeInOrderAndOnce) {
  EXPECT_TRUE(takes(message(MessageType::child, kFork, kStage), kStage));
  EXPECT_FALSE(takes(message(MessageType::child, kFork, kInit), kInit)) << "a second child";
  EXPECT_TRUE(takes(reached(Point::ready, kTell, kInit), kInit));
  EXPECT_FALSE(takes(message(MessageType::child, kFork, kInit), kInit)) << "after the fact";
}

TEST(Channel, TheKernelSaysWhoSentWhatAndOnlyWholeMessagesAreTaken) {
  const auto channel = make_channel();
  ASSERT_TRUE(channel.ok());
  char bytes[sizeof(program::Message) + 8] = {};
  ASSERT_TRUE(sys::send_with_fd(channel->second, bytes, sizeof(program::Message), sys::FdRef::of(2)).ok());
  const auto received = receive(channel->first);
  ASSERT_TRUE(received.ok());
  EXPECT_EQ(received->sender, ::getpid());
  EXPECT_TRUE(received->descriptor.valid());
  for (const std::size_t size : {sizeof bytes, sizeof(program::Message) - 1}) {
    ASSERT_TRUE(sys::send_with_fd(channel->second, bytes, size, {}).ok());
    EXPECT_FALSE(receive(channel->first).ok()) << size;
  }
}

/// One that fails while it waits is gone before it is told anything, or when it has been told.
TEST(Channel, AnInitThatIsGoneIsHeardBeforeItsAbsenceIsAnError) {
  for (const bool has_left_words_unread : {false, true}) {
    auto channel = make_channel();
    ASSERT_TRUE(channel.ok());
    if (has_left_words_unread) {
      ASSERT_TRUE(tell(channel->first, Point::starting).ok());
    }
    program::Message last;
    last.type = MessageType::failed;
    ASSERT_TRUE(sys::send_with_fd(channel->second, &last, sizeof last, {}).ok());
    channel->second.reset();
    EXPECT_TRUE(tell(channel->first, Point::start).ok());
    const auto heard = receive(channel->first);
    ASSERT_TRUE(heard.ok());
    EXPECT_FALSE(heard->closed);
    EXPECT_EQ(heard->message.type, MessageType::failed);
  }
}

TEST_F(ProtocolTest, AnInitThatAnotherDavitMadeCanOnlyFailOrBeSlow) {
  program = {};
  EXPECT_TRUE(takes(slow_hook(), kInit));
  EXPECT_FALSE(takes(message(MessageType::warning, kKeyring, kInit), kInit));
  EXPECT_FALSE(takes(message(MessageType::child, kFork, kInit), kInit));
  EXPECT_FALSE(takes(reached(Point::limits, kTell, kInit), kInit));
  EXPECT_TRUE(takes(message(MessageType::failed, kFork, kInit), kInit));
}

TEST_F(ProtocolTest, NoMeetingIsLeftOut) {
  Incoming left = message(MessageType::capabilities_left, kCapabilities, kInit);
  left.message.detail = Detail::set_capabilities;
  EXPECT_FALSE(takes(left, kInit)) << "ready is before it";
  EXPECT_TRUE(takes(message(MessageType::child, kFork, kStage), kStage));
  EXPECT_FALSE(takes(left, kInit));
  EXPECT_FALSE(protocol.check_end(program).ok());
  EXPECT_TRUE(takes(reached(Point::ready, kTell, kInit), kInit));
  EXPECT_TRUE(protocol.check_end(program).ok());
  EXPECT_TRUE(takes(left, kInit));
}

}  // namespace
}  // namespace davit::launch
