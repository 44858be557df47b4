// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "features/cgroup/device_rules.hpp"

namespace davit::cgroup {
namespace {

using spec::DeviceRule;
using spec::DeviceRuleType;
using Number = std::optional<std::uint32_t>;

struct Request {
  bool block = false;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t access = 0;
};

DeviceRule rule(bool allow, DeviceRuleType type, Number major, Number minor, const std::string& access) {
  DeviceRule result;
  result.allow = allow;
  result.type = type;
  result.major = major;
  result.minor = minor;
  result.read = access.find('r') != std::string::npos;
  result.write = access.find('w') != std::string::npos;
  result.mknod = access.find('m') != std::string::npos;
  return result;
}

/// Runs a program as the kernel would; anything it does not know, or that runs off the end, aborts the test.
int interpret(const std::vector<bpf_insn>& program, const Request& request) {
  std::uint64_t registers[11] = {};
  const std::uint32_t context[3] = {
      (request.access << 16) | (request.block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR) * 1U, request.major,
      request.minor};
  for (std::size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& now = program[at];
    std::uint64_t& to = registers[now.dst_reg];
    const auto immediate = static_cast<std::uint64_t>(static_cast<std::int64_t>(now.imm));
    bool jump = false;
    switch (now.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        to = context[now.off / 4];
        continue;
      case BPF_ALU64 | BPF_MOV | BPF_X:
        to = registers[now.src_reg];
        continue;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        to = immediate;
        continue;
      case BPF_ALU | BPF_AND | BPF_K:
        to = static_cast<std::uint32_t>(to & immediate);
        continue;
      case BPF_ALU | BPF_RSH | BPF_K:
        to = static_cast<std::uint32_t>(to) >> now.imm;
        continue;
      case BPF_JMP | BPF_JA:
        jump = true;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump = to == immediate;
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        jump = to != immediate;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        jump = (to & immediate) != 0;
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        jump = static_cast<std::uint32_t>(to) == static_cast<std::uint32_t>(now.imm);
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        jump = static_cast<std::uint32_t>(to) != static_cast<std::uint32_t>(now.imm);
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(registers[0]);
      default:
        std::abort();
    }
    if (now.off < 0) std::abort();
    if (jump) at += static_cast<std::size_t>(now.off);
  }
  std::abort();
}

/// The kernel refuses instructions that no path leads to.
bool all_reachable(const std::vector<bpf_insn>& program) {
  std::vector<bool> reached(program.size(), false);
  reached[0] = true;
  for (std::size_t at = 0; at < program.size(); ++at) {
    if (!reached[at]) return false;
    const bool jumps = (program[at].code & 7) == BPF_JMP || (program[at].code & 7) == BPF_JMP32;
    const bool exits = program[at].code == (BPF_JMP | BPF_EXIT);
    if (jumps && !exits) reached.at(at + 1 + static_cast<std::size_t>(program[at].off)) = true;
    if (!exits && program[at].code != (BPF_JMP | BPF_JA)) reached.at(at + 1) = true;
  }
  return true;
}

bool matches(const DeviceRule& one, const Request& request) {
  if (one.type == DeviceRuleType::character && request.block) return false;
  if (one.type == DeviceRuleType::block && !request.block) return false;
  return (!one.major || *one.major == request.major) && (!one.minor || *one.minor == request.minor);
}

/// What the rules mean, said as plainly as possible: every kind of access by its last matching rule.
bool expected(const std::vector<DeviceRule>& rules, const Request& request) {
  for (const std::uint32_t kind : {1U, 2U, 4U}) {
    if ((request.access & kind) == 0) continue;
    bool allowed = false;
    for (const DeviceRule& one : rules)
      if (matches(one, request) &&
          ((kind == 1 && one.mknod) || (kind == 2 && one.read) || (kind == 4 && one.write)))
        allowed = one.allow;
    if (!allowed) return false;
  }
  return true;
}

std::vector<DeviceRule> with_defaults(std::vector<DeviceRule> rules) {
  const auto character = DeviceRuleType::character;
  rules.push_back(rule(true, DeviceRuleType::all, {}, {}, "m"));
  for (const std::uint32_t minor : {3U, 5U, 7U, 8U, 9U})
    rules.push_back(rule(true, character, 1, minor, "rwm"));
  for (const std::uint32_t minor : {0U, 1U, 2U}) rules.push_back(rule(true, character, 5, minor, "rwm"));
  rules.push_back(rule(true, character, 136, {}, "rwm"));
  rules.push_back(rule(true, character, 10, 200, "rwm"));
  return rules;
}

void compare(const std::vector<DeviceRule>& rules) {
  const std::vector<bpf_insn> program = device_program(device_list(rules));
  ASSERT_TRUE(all_reachable(program));
  const std::vector<DeviceRule> all = with_defaults(rules);
  for (const bool block : {false, true})
    for (const std::uint32_t major : {0U, 1U, 5U, 7U, 136U, 0xffffffffU})
      for (const std::uint32_t minor : {0U, 1U, 2U, 3U, 9U, 0x80000000U})
        for (std::uint32_t access = 1; access < 8; ++access) {
          const Request request{block, major, minor, access};
          ASSERT_EQ(interpret(program, request), expected(all, request) ? 1 : 0)
              << (block ? "b " : "c ") << major << ":" << minor << " access " << access;
        }
}

TEST(CgroupDevices, TheUsualRulesMakeASmallProgram) {
  const std::vector<DeviceRule> rules = {rule(false, DeviceRuleType::all, {}, {}, "rwm")};
  compare(rules);
  EXPECT_LE(device_program(device_list(rules)).size(), 34u);
}

TEST(CgroupDevices, PrivilegedNeedsNoProgram) {
  const DeviceList list = device_list({rule(false, DeviceRuleType::all, {}, {}, "rwm"),
                                       rule(false, DeviceRuleType::character, 10, 229, "rwm"),
                                       rule(true, DeviceRuleType::all, {}, {}, "rwm")});
  EXPECT_TRUE(list.allows_everything());
  EXPECT_FALSE(device_list({}).allows_everything());
}

TEST(CgroupDevices, ADenialOfOneKindStopsTheWholeRequest) {
  const std::vector<DeviceRule> rules = {rule(false, DeviceRuleType::all, {}, {}, "rwm"),
                                         rule(true, DeviceRuleType::character, 7, {}, "rwm"),
                                         rule(false, DeviceRuleType::character, 7, 1, "w")};
  compare(rules);
  const auto program = device_program(device_list(rules));
  EXPECT_EQ(interpret(program, {false, 7, 1, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE}), 0);
  EXPECT_EQ(interpret(program, {false, 7, 1, BPF_DEVCG_ACC_READ}), 1);
}

TEST(CgroupDevices, RandomRulesMeanWhatTheySay) {
  std::mt19937 random(20261123);  // NOLINT(cert-msc51-cpp): the same every time
  const Number majors[] = {{}, 0, 1, 5, 7, 136, 0xffffffffU};
  const Number minors[] = {{}, 0, 1, 2, 3, 0x80000000U};
  const char* accesses[] = {"r", "w", "m", "rw", "rm", "wm", "rwm", "rwm", "rwm"};
  for (int round = 0; round < 300; ++round) {
    std::vector<DeviceRule> rules;
    const unsigned count = random() % 8;
    for (unsigned i = 0; i < count; ++i)
      rules.push_back(rule(random() % 2 == 0, static_cast<DeviceRuleType>(random() % 3), majors[random() % 7],
                           minors[random() % 6], accesses[random() % 9]));
    ASSERT_NO_FATAL_FAILURE(compare(rules)) << "round " << round;
  }
}

TEST(CgroupDevices, V1WritesTheBaseFirst) {
  const auto writes = device_writes(device_list(
      {rule(false, DeviceRuleType::all, {}, {}, "rwm"), rule(true, DeviceRuleType::block, 8, {}, "r")}));
  ASSERT_TRUE(writes.ok());
  EXPECT_FALSE(writes->front().allow);
  EXPECT_EQ(writes->front().value, "a");
  EXPECT_EQ(writes->at(1).value, "b 8:* r");
  EXPECT_TRUE(writes->at(1).allow);
  EXPECT_EQ(writes->back().value, "c 10:200 rwm");
}

TEST(CgroupDevices, V1RefusesAnExceptionWithinAnException) {
  const std::vector<DeviceRule> rules = {rule(true, DeviceRuleType::character, 7, {}, "rwm"),
                                         rule(false, DeviceRuleType::character, 7, 1, "w")};
  const auto writes = device_writes(device_list(rules));
  ASSERT_FALSE(writes.ok());
  EXPECT_EQ(writes.error().code, Code::unsupported);
}

}  // namespace
}  // namespace davit::cgroup
