// SPDX-License-Identifier: Apache-2.0
#include "launch/protocol.hpp"

#include <optional>

#include "davit/program/printer.hpp"
#include "davit/program/process_operations.hpp"
#include "davit/program/stage_operations.hpp"

namespace davit::launch {
namespace {

using program::Detail;
using program::MessageType;
using program::Op;

/// A message that operations of one kind (all, if there is none) may send, each of them once.
struct Rule {
  MessageType type;
  std::optional<Op> operation{};
  bool has_descriptor = false;
  std::optional<Detail> detail{};
};

constexpr Rule kRules[] = {
    {.type = MessageType::failed},
    {.type = MessageType::warning, .operation = Op::join_keyring},
    {.type = MessageType::warning, .operation = Op::run_hook, .detail = Detail::hook_slow},
    {.type = MessageType::reached, .operation = Op::tell_host},
    {.type = MessageType::child, .operation = Op::fork_init},
    {.type = MessageType::console, .operation = Op::open_console, .has_descriptor = true},
    {.type = MessageType::seccomp_listener, .operation = Op::load_seccomp, .has_descriptor = true},
    {.type = MessageType::capabilities_left,
     .operation = Op::set_capabilities,
     .detail = Detail::set_capabilities},
    {.type = MessageType::capabilities_left,
     .operation = Op::set_capabilities,
     .detail = Detail::raise_ambient},
};

/// With --trace every operation also says when it was done.
constexpr std::uint32_t kTraced = 1U << std::size(kRules);

bool is_trace(const program::Message& message) {
  return message.type == MessageType::reached && message.point == program::Point::none;
}

bool is_slow_hook(const program::Message& message) {
  return message.type == MessageType::warning && message.detail == Detail::hook_slow;
}

bool fits(const Rule& rule, const program::Operation& operation, const Incoming& incoming) {
  const program::Message& message = incoming.message;
  if (rule.type != message.type || rule.has_descriptor != incoming.descriptor.valid()) return false;
  if (rule.operation && *rule.operation != operation.op) return false;
  if (rule.detail && *rule.detail != message.detail) return false;
  return operation.op != Op::tell_host || message.type != MessageType::reached ||
         static_cast<const program::TellHost&>(operation).point == message.point;
}

/// Which rule allows it, as a bit; 0: none.
std::uint32_t rule_of(const program::Program& program, const Incoming& incoming) {
  const auto* operation = program::find_operation(program.image, incoming.message.operation);
  if (operation == nullptr) return 0;
  const auto& header = *reinterpret_cast<const program::Header*>(program.image.data());
  if (is_trace(incoming.message) && !incoming.descriptor.valid())
    return (header.flags & program::kTrace) != 0 ? kTraced : 0;
  for (std::uint32_t i = 0; i < std::size(kRules); ++i)
    if (fits(kRules[i], *operation, incoming)) return 1U << i;
  return 0;
}

/// How often init meets davit before an operation.
std::uint32_t meetings_before(const program::Program& program, std::uint32_t index) {
  std::uint32_t count = 0;
  program::for_each_operation(program.image, [&](const program::Operation& operation) {
    if (operation.op == Op::tell_host && operation.index < index) ++count;
  });
  return count;
}

Error unexpected(std::string_view what) {
  Text<768> message("init sent a message that ");
  Error error = make_error(Code::internal, message.append(what));
  error.advise("a process in the container may have got hold of davit's channel");
  return error;
}

}  // namespace

Result<void> Protocol::check(const program::Program& program, const Incoming& incoming, pid_t sender) {
  const program::Message& message = incoming.message;
  if (incoming.sender != sender) return unexpected("is another process's");
  if (has_failed_) return unexpected("comes after its last one");
  has_failed_ = message.type == MessageType::failed;
  if (program.image.empty()) {
    const bool is_expected = has_failed_ || is_trace(message) || is_slow_hook(message);
    return is_expected && !incoming.descriptor.valid() ? Result<void>() : unexpected("comes too late");
  }
  const std::uint32_t rule = rule_of(program, incoming);
  if (rule == 0) return unexpected("its program does not have");
  if (message.operation < operation_) return unexpected("comes too late");
  // Whoever leaves out a meeting is not limited, or not in its cgroup.
  if (met_ < meetings_before(program, message.operation)) return unexpected("leaves out one before it");
  if (message.operation > operation_) seen_ = 0;
  if ((seen_ & rule) != 0) return unexpected("comes twice");
  operation_ = message.operation;
  seen_ |= rule;
  if (message.type == MessageType::reached && !is_trace(message)) ++met_;
  return {};
}

Result<void> Protocol::check_end(const program::Program& program) const {
  if (program.image.empty() || met_ == meetings_before(program, UINT32_MAX)) return {};
  return make_error(Code::internal, "init has executed its program without what comes before")
      .advise("a process in the container may have got hold of it");
}

}  // namespace davit::launch
