#include "launch/describe.hpp"

namespace davit::launch {
namespace {

const program::Operation* operation_at(const program::Program& program, std::uint32_t index) {
  if (program.image.size() < sizeof(program::Header)) return nullptr;
  const auto& header = *reinterpret_cast<const program::Header*>(program.image.data());
  for (std::uint32_t at = header.records; at < header.records_end;) {
    const auto* operation = reinterpret_cast<const program::Operation*>(program.image.data() + at);
    if (operation->index == index) return operation;
    at += operation->size;
  }
  return nullptr;
}

}  // namespace

std::uint32_t find_operation(const program::Program& program, program::Op op) {
  for (std::uint32_t index = 0; index < program.origins.size(); ++index)
    if (const auto* operation = operation_at(program, index); operation != nullptr && operation->op == op)
      return index;
  return 0;
}

std::string operation_name(const program::Program& program, std::uint32_t index) {
  const auto* operation = operation_at(program, index);
  return operation == nullptr ? "operation" : "operation " + std::to_string(static_cast<int>(operation->op));
}

std::string print_operation(const program::Program& program, std::uint32_t index) {
  return std::to_string(index) + " " + operation_name(program, index);
}

Failure describe_failure(const program::Program& program, const program::Message& message) {
  Failure failure;
  failure.text.append(operation_name(program, message.operation));
  failure.text.append(" detail ").append_number(static_cast<int>(message.detail));
  if (message.text[0] != 0) failure.text.append(": ").append(message.text);
  return failure;
}

}  // namespace davit::launch
