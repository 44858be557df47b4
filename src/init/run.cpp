// SPDX-License-Identifier: Apache-2.0
// The loop: one record after the other, and one report if one fails.
#include "davit/program/all.hpp"
#include "init/context.hpp"
#include "init/start.hpp"

namespace davit::init {
namespace {

using Performer = Status (*)(Context&, const Operation&);

template <typename T>
Status perform_as(Context& context, const Operation& operation) {
  return perform(context, static_cast<const T&>(operation));
}

struct Table {
  Performer by_op[program::kOpCount] = {};

  template <typename... Types>
  constexpr explicit Table(program::TypeList<Types...> /*types*/) {
    ((by_op[static_cast<u32>(Types::kOp)] = &perform_as<Types>), ...);
  }
};

constexpr Table kPerformers{program::AllOperations{}};

/// With --trace every operation says when it was done.
Status trace(Context& context, const Operation& operation) {
  __kernel_timespec now{};
  syscall(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
  context.message.value = static_cast<u64>(now.tv_sec) * 1000000000U + static_cast<u64>(now.tv_nsec);
  return send(context, MessageType::reached, operation);
}

}  // namespace

Status execute_one(Context& context, const Operation& operation) {
  const auto op = static_cast<u32>(operation.op);
  if (op >= program::kOpCount || kPerformers.by_op[op] == nullptr) return {ENOSYS};
  return kPerformers.by_op[op](context, operation);
}

Status run_records(Context& context) {
  const program::Header& header = context.header();
  bool is_traced = (header.flags & program::kTrace) != 0;
  for (u32 at = header.records; at < header.records_end;) {
    const auto& operation = *reinterpret_cast<const Operation*>(context.base + at);
    const Status status = execute_one(context, operation);
    if (status.failed()) {
      // Unheard, davit still sees that init has ended and has not executed anything.
      if (send(context, MessageType::failed, operation, status).failed()) exit_process(1);
      return status;
    }
    // A filter may not let us speak any more, and nobody needs to hear this.
    if (operation.op == program::Op::load_seccomp) is_traced = false;
    if (is_traced) (void)trace(context, operation);
    at += operation.size;
  }
  return kDone;
}

#ifdef DAVIT_INIT_HOSTED
Message perform_all(std::byte* image) {
  Context context;
  context.base = image;
  context.channel = context.slot(context.header().channel);
  const program::Header& header = context.header();
  for (u32 at = header.records; at < header.records_end;) {
    const auto& operation = *reinterpret_cast<const Operation*>(image + at);
    const Status status = execute_one(context, operation);
    if (status.failed()) {
      Message message = context.message;
      message.type = MessageType::failed;
      message.operation = operation.index;
      message.error = status.error;
      message.detail = status.detail;
      return message;
    }
    at += operation.size;
  }
  return Message{};
}
#endif

}  // namespace davit::init
