// SPDX-License-Identifier: Apache-2.0
// The way into namespaces, before the container's first process exists.
#include "init/paths.hpp"

namespace davit::init {
namespace {

/// The types of namespaces whose joining changes our credentials.
constexpr u32 kChangesCredentials = CLONE_NEWUSER;

Status enter_user_namespace(Context& context) {
  context.is_root = false;  // not what the ids were
  return guard(context);
}

Status join(Context& context, FdRef descriptor, u32 types) {
  INIT_TRY(check(syscall(__NR_setns, descriptor, types)));
  context.joined |= types;
  return (types & kChangesCredentials) != 0 ? enter_user_namespace(context) : kDone;
}

/// A child of davit. Filters that look at flags send everybody from clone3(2), which has them in memory, to
/// clone(2).
long fork_with(u32 types) {
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | types;
  const long pid = syscall(__NR_clone3, &arguments, sizeof arguments);
  if (pid != -ENOSYS && pid != -EPERM) return pid;
  return syscall(__NR_clone, CLONE_PARENT | types, nullptr, nullptr, nullptr, nullptr);
}

/// What the child of fork_init does before it goes on: it must not say anything before the stage has said who
/// it is. EOF without the byte means that the stage died.
Status begin_child(const Context& context, FdRef starter) {
  char byte = 0;
  long got;
  do got = syscall(__NR_read, starter, &byte, 1);
  while (got == -EINTR);
  if (got != 1) exit_process(1);
  INIT_TRY(guard(context));
  if (context.channel.is_open() && is_host_gone(context)) exit_process(1);
  return kDone;
}

/// By read(2), as the child waits: a filter that lets that one through needs to allow no more. False if davit
/// has given up.
bool await_owner(const Context& context) {
  Message message;
  long got;
  do got = syscall(__NR_read, context.channel, &message, sizeof message);
  while (got == -EINTR);
  return got == sizeof message && message.type == MessageType::reached && message.point == Point::owned;
}

}  // namespace

Status perform(Context& context, const program::AttachCgroup& operation) {
  if (operation.host_path.length == 0)
    return check(syscall(__NR_write, context.slot(operation.file), "0", 1));
  const long opened =
      syscall(__NR_openat, kWorkingDirectory, context.text(operation.host_path), O_WRONLY | O_CLOEXEC);
  INIT_TRY(check(opened));
  const SweptFd file(opened);
  return check(syscall(__NR_write, FdRef(file), "0", 1));
}

Status perform(Context& context, const program::JoinNamespaces& operation) {
  for (const program::NamespaceRef& reference : context.items(operation.namespaces)) {
    // A configuration names each type once, so that the type says whether an earlier list joined it.
    if ((context.joined & reference.type) != 0) continue;
    const Status status = join(context, context.slot(reference.slot), reference.type);
    if (status.error == EPERM && operation.may_lack_privilege != 0) continue;
    if (status.failed()) context.message.value = reference.type;
    INIT_TRY(status);
  }
  return kDone;
}

Status perform(Context& context, const program::JoinProcess& operation) {
  return join(context, context.slot(operation.pidfd), operation.types);
}

Status perform(Context& context, const program::Unshare& operation) {
  INIT_TRY(check(syscall(__NR_unshare, operation.types)));
  return (operation.types & kChangesCredentials) != 0 ? enter_user_namespace(context) : kDone;
}

Status perform(Context& context, const program::BecomeNamespaceRoot& operation) {
  // "deny" in /proc/PID/setgroups forbids it; the groups then are the caller's own, and unmapped.
  const long groups = syscall(__NR_setgroups, 0, nullptr);
  INIT_TRY(groups == -EPERM ? check_groups_unmapped(operation.gid) : check(groups, Detail::set_groups));
  INIT_TRY(check(syscall(__NR_setresgid, operation.gid, operation.gid, operation.gid), Detail::set_gid));
  INIT_TRY(check(syscall(__NR_setresuid, operation.uid, operation.uid, operation.uid), Detail::set_uid));
  return guard(context);
}

Status perform(Context& context, const program::ForkInit& operation) {
  i32 starter[2];
  INIT_TRY(check(syscall(__NR_pipe2, starter, O_CLOEXEC)));
  Fd reader(starter[0]);
  Fd writer(starter[1]);
  const long pid = fork_with(operation.types);
  INIT_TRY(check(pid));
  if (pid == 0) {
    writer.reset();
    return begin_child(context, reader);
  }
  context.message.pid = static_cast<i32>(pid);
  // A child that davit does not know of must not go on: without the byte it ends.
  INIT_TRY(send(context, MessageType::child, operation));
  if (operation.awaits_owner != 0 && !await_owner(context)) exit_process(1);
  exit_process(syscall(__NR_write, FdRef(writer), "", 1) == 1 ? 0 : 1);
}

}  // namespace davit::init
