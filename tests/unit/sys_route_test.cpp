// SPDX-License-Identifier: Apache-2.0
// What the kernel answers about network devices, and numbers that others have chosen.
#include "davit/sys/route.hpp"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace davit::sys {
namespace {

constexpr std::uint32_t kSequence = 7;

/// A message whose content is one number.
std::vector<std::byte> message(int type, int flags, std::uint32_t sequence, std::int32_t status) {
  struct nlmsghdr header {};
  header.nlmsg_len = NLMSG_LENGTH(sizeof status);
  header.nlmsg_type = static_cast<std::uint16_t>(type);
  header.nlmsg_flags = static_cast<std::uint16_t>(flags);
  header.nlmsg_seq = sequence;
  std::vector<std::byte> bytes(header.nlmsg_len);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + NLMSG_HDRLEN, &status, sizeof status);
  return bytes;
}

struct Heard {
  bool is_done;
  int error;
  bool operator==(const Heard&) const = default;
};

Heard heard(const std::vector<std::byte>& bytes) {
  Heard heard{};
  heard.is_done = hear(bytes, kSequence, heard.error);
  return heard;
}

TEST(RouteAnswers, EndWellOrWithAnError) {
  EXPECT_EQ(heard(message(NLMSG_ERROR, 0, kSequence, 0)), (Heard{true, 0}));
  EXPECT_EQ(heard(message(NLMSG_ERROR, 0, kSequence, -EBUSY)), (Heard{true, EBUSY}));
  EXPECT_EQ(heard(message(NLMSG_DONE, NLM_F_MULTI, kSequence, 0)), (Heard{true, 0}));
  EXPECT_EQ(heard(message(NLMSG_DONE, NLM_F_MULTI, kSequence, -ENOMEM)), (Heard{true, ENOMEM}));
  EXPECT_EQ(heard(message(NLMSG_DONE, 0, kSequence - 1, -ENOMEM)), (Heard{false, 0})) << "to another";
}

TEST(RouteAnswers, OfAListThatHasChangedMeanwhileAreNotAllThereIs) {
  constexpr int kDevice = 16;  // RTM_NEWLINK
  EXPECT_EQ(heard(message(kDevice, NLM_F_MULTI, kSequence, 0)), (Heard{false, 0}));
  EXPECT_EQ(heard(message(kDevice, NLM_F_MULTI | NLM_F_DUMP_INTR, kSequence, 0)), (Heard{false, EAGAIN}));
}

TEST(RouteAnswers, CutOffSayNothing) {
  std::vector<std::byte> bytes = message(NLMSG_ERROR, 0, kSequence, -EBUSY);
  bytes.resize(NLMSG_HDRLEN + 1);
  EXPECT_EQ(heard(bytes), (Heard{false, 0}));
}

TEST(FreeIndex, IsTheWantedOneOrTheLowest) {
  const std::vector<NetworkDevice> others = {
      {.name = "c", .index = INT_MAX}, {.name = "a", .index = 1}, {.name = "b", .index = 2}};
  EXPECT_EQ(free_index(others, 7), 7);
  EXPECT_EQ(free_index(others, 1), 3);
  EXPECT_EQ(free_index(others, INT_MAX), 3) << "there is no number above it";
}

}  // namespace
}  // namespace davit::sys
