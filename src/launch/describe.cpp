// SPDX-License-Identifier: Apache-2.0
#include "launch/describe.hpp"

#include <cerrno>

#include "davit/program/printer.hpp"

namespace davit::launch {
namespace {

const program::Operation* operation_at(const program::Program& program, std::uint32_t index) {
  return program.image.empty() ? nullptr : program::find_operation(program.image, index);
}

}  // namespace

std::string operation_name(const program::Program& program, std::uint32_t index) {
  const auto* operation = operation_at(program, index);
  return operation == nullptr ? "operation" : program::name(operation->op);
}

Failure describe_failure(const program::Program& program, const program::Message& message) {
  Failure failure;
  const auto* operation = operation_at(program, message.operation);
  failure.text.append(program::describe_failure(program, message));
  failure.shows_errno = !program::explains_itself(message.detail);
  if (operation == nullptr) return failure;
  failure.is_label = operation->op == program::Op::write_label;
  if (operation->op == program::Op::fork_init && message.error == EAGAIN)
    failure.advice = "the pids limit of the container's cgroup leaves no room for it";
  if (operation->op == program::Op::join_process && message.error == ESRCH)
    failure.advice = "it has ended in between: container not running";
  if (operation->op == program::Op::join_keyring && message.error == EPERM)
    failure.advice = "a seccomp filter around davit may refuse keyctl(2): create it with --no-new-keyring";
  const bool is_source = operation->op == program::Op::open_tree || operation->op == program::Op::enter_place;
  if (is_source && message.error == ENOENT) failure.advice = "create it, or correct the path in the config";
  if (operation->op == program::Op::set_propagation && message.error == EINVAL)
    failure.advice =
        "davit's own root is no mount point (a chroot?): mount --bind it on itself before entering it";
  if (operation->op == program::Op::detach_mount && message.error == EINVAL)
    failure.advice = "nothing is mounted there: /proc/PID/mountinfo lists the container's mounts";
  const bool is_change = operation->op == program::Op::detach_mount || operation->op == program::Op::remount;
  if (is_change && message.error == ELOOP)
    failure.advice =
        "a symlink leads there, which the container may have put there: name the mount as "
        "/proc/PID/mountinfo does";
  if (operation->op == program::Op::run_hook) failure.code = Code::hook_failed;
  if (operation->op == program::Op::find_program || operation->op == program::Op::execute)
    failure.code = Code::exec_failed;
  return failure;
}

}  // namespace davit::launch
