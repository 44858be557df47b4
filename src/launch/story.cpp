// SPDX-License-Identifier: Apache-2.0
// What init does, as davit hears of it: for --debug and --trace.
#include <sched.h>

#include <algorithm>
#include <cstdio>

#include "davit/base/story.hpp"
#include "davit/program/printer.hpp"
#include "davit/program/process_operations.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "launch/describe.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

using program::Op;

/// On which CPUs a process may run, as a number whose lowest bit is the first one.
std::string affinity_of(pid_t pid) {
  constexpr int kProcessors = 8192;
  cpu_set_t* set = CPU_ALLOC(kProcessors);
  if (set == nullptr) return "unknown";
  const std::size_t size = CPU_ALLOC_SIZE(kProcessors);
  std::string digits;
  if (::sched_getaffinity(pid, size, set) == 0)
    for (int nibble = kProcessors / 4 - 1; nibble >= 0; --nibble) {
      unsigned value = 0;
      for (int bit = 0; bit < 4; ++bit)
        if (CPU_ISSET_S(static_cast<std::size_t>(nibble) * 4 + static_cast<std::size_t>(bit), size, set))
          value |= 1U << bit;
      if (value != 0 || !digits.empty()) digits += "0123456789abcdef"[value];
    }
  CPU_FREE(set);
  return digits.empty() ? "unknown" : "0x" + digits;
}

/// The plan and the index in it that a message is about; a plan that does not know it prints its number.
const plan::Plan& plan_of(Session& session, const program::Message& message, std::uint32_t& index) {
  index = message.operation;
  if (!session.plan.program.image.empty()) return session.plan;
  if (!session.later)
    session.later = plan::compile_after_start(session.subject.config,
                                              {.id = session.subject.id, .bundle = session.subject.bundle});
  index -= static_cast<std::uint32_t>(std::clamp<program::i32>(message.pid, 0, INT32_MAX));
  return *session.later;
}

/// What the operation did, without its name.
std::string operands_of(const plan::Plan& plan, std::uint32_t index) {
  const auto* operation = program::find_operation(plan.program.image, index);
  if (operation == nullptr) return {};
  const std::string line = program::print_operation(plan.program.image, *operation);
  const std::size_t operands = line.find(' ');
  return operands == std::string::npos ? std::string() : line.substr(operands + 1);
}

}  // namespace

void tell_plan(const plan::Plan& plan) {
  if (!story::is_listening()) return;
  story::tell(story::Actor::davit, "affinity", affinity_of(0));
  program::for_each_operation(plan.program.image, [](const program::Operation& operation) {
    if (operation.op != Op::load_seccomp) return;
    const auto flags = static_cast<const program::LoadSeccomp&>(operation).flags;
    story::tell(story::Actor::davit, "seccomp filter flags: " + std::to_string(flags));
  });
}

void tell_operation(Session& session, const Incoming& incoming) {
  if (!story::is_listening()) return;
  std::uint32_t index = 0;
  const plan::Plan& plan = plan_of(session, incoming.message, index);
  const bool is_stage = session.stage_pid > 0;
  story::Event event;
  event.actor = is_stage ? story::Actor::stage : story::Actor::init;
  // Before the start, an init that another davit's call has made can only have waited for it.
  const bool is_waiting = session.plan.program.image.empty() && incoming.message.pid == 0;
  event.name = is_waiting ? program::name(Op::await_host) : operation_name(plan.program, index);
  event.detail = operands_of(plan, index);
  // What init says of the time is not to be relied on.
  const std::int64_t now = story::now();
  event.begin = std::min(session.heard_at, now);
  event.end = std::clamp(static_cast<std::int64_t>(incoming.message.value), event.begin, now);
  session.heard_at = event.end;
  story::tell(event);
  // In the words of runc, whose callers look for them.
  if (event.name == program::name(Op::set_affinity))
    story::tell(event.actor, "nsexec: affinity", affinity_of(incoming.sender));
}

void tell_waits(const Session& session) {
  constexpr int kLong = 50;    // milliseconds
  constexpr int kRounds = 40;  // whoever waits longer is looked after elsewhere
  std::string last;
  for (int round = 0; round < kRounds; ++round) {
    const auto heard = sys::wait_end(session.channel, kLong);
    if (!heard.ok() || *heard) return;
    const auto ended = sys::wait_end(session.launched.pidfd, 0);
    if (!ended.ok() || *ended) return;
    const pid_t pid = session.stage_pid > 0 ? session.stage_pid : session.launched.pid;
    auto channel = sys::read_record("/proc/" + std::to_string(pid) + "/wchan");
    if (!channel.ok() || channel->empty() || *channel == "0" || *channel == last) continue;
    last = std::move(*channel);
    story::tell(session.stage_pid > 0 ? story::Actor::stage : story::Actor::init, "waits in the kernel",
                last);
  }
}

}  // namespace davit::launch
