// SPDX-License-Identifier: Apache-2.0
// The conversation with init, from the clone to "created" or to the program's execution.
#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <csignal>

#include "davit/base/notice.hpp"
#include "davit/base/story.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/features/network.hpp"
#include "davit/features/scheduling.hpp"
#include "davit/features/terminal.hpp"
#include "davit/program/printer.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/interruption.hpp"
#include "davit/sys/process.hpp"
#include "davit/sys/socket.hpp"
#include "launch/session.hpp"

namespace davit::launch {
namespace {

using program::MessageType;
using program::Point;

constexpr int kEndTimeout = 10000;  // milliseconds, for a process that has nothing left to do

Result<void> hand_over_console(Session& session) {
  if (session.options.console_socket.empty() || !session.launched.console_master.valid()) return {};
  const sys::UniqueFd master = std::move(session.launched.console_master);
  return terminal::send_descriptor(session.options.console_socket, master, session.console_name);
}

Result<void> hand_over_listener(Session& session) {
  if (!session.listener.valid()) return {};
  const sys::UniqueFd listener = std::move(session.listener);
  const pid_t process = session.launched.pid;
  spec::State state = state_of(session.subject, process);
  // config-linux.md, "The Container Process State": the container's, while `pid` is the process's.
  if (session.container_pid > 0) {
    state.status = spec::Status::running;
    state.pid = session.container_pid;
  }
  return seccomp::send_listener(*session.subject.config.linux.seccomp, state, process, listener);
}

/// A filter that a stage loads is that of the process, whose number nobody knows yet.
Result<void> take_listener(Session& session, Incoming& incoming) {
  if (!session.subject.config.linux.seccomp) return make_error(Code::internal, "unexpected seccomp listener");
  session.listener = std::move(incoming.descriptor);
  if (session.stage_pid < 0) TRY(hand_over_listener(session));
  return tell(session.channel, Point::owned);
}

/// What waited for the process to have a number; its program must not run without.
Result<void> settle_child(Session& session) {
  if (session.plan.scheduler) {
    auto set = scheduling::set_scheduler(session.launched.pid, *session.plan.scheduler);
    if (!set.ok()) return spec::at(session.subject.process->scheduler->position, {}, set.error());
  }
  TRY(hand_over_listener(session));
  TRY(hand_over_console(session));
  return session.plan.awaits_owner ? tell(session.channel, Point::owned) : Result<void>();
}

/// The stage has forked the real init: from now on that one is ours to watch.
Result<void> adopt_child(Session& session, const program::Message& message) {
  // A number is all that it says: only a child of ours can be meant, and nobody else's process.
  if (message.pid == session.stage_pid || !sys::is_child(message.pid))
    return make_error(Code::internal, "the stage named a process that is no child of davit");
  auto pidfd = sys::open_pidfd(message.pid);
  if (!pidfd.ok()) {
    // It would go on, and nobody would know of it.
    (void)::kill(message.pid, SIGKILL);
    (void)sys::wait_for(message.pid);
    return pidfd.error();
  }
  const sys::UniqueFd stage = std::exchange(session.launched.pidfd, std::move(*pidfd));
  session.launched.pid = message.pid;
  if (story::is_listening()) session.heard_at = story::now();
  auto settled = settle_child(session);
  if (!settled.ok()) (void)sys::send_signal(stage, SIGKILL);
  const pid_t stage_pid = std::exchange(session.stage_pid, -1);
  if (!TRY(sys::wait_end(stage, kEndTimeout)))
    return make_error(Code::internal, "the stage does not end: is the container's cgroup frozen?");
  TRY(sys::wait_for(stage_pid));
  return settled;
}

/// A stage may still fail, and another one be tried: its console is nobody's business.
Result<void> take_console(Session& session, Incoming& incoming) {
  session.launched.console_master = std::move(incoming.descriptor);
  session.console_name = incoming.message.text;
  return session.stage_pid > 0 ? Result<void>() : hand_over_console(session);
}

/// In the words of runc, whose callers look for them.
Text<64> adding(pid_t pid) {
  Text<64> words("error adding pid ");
  return words.append_number(pid).append(" to cgroups");
}

Result<void> attach_to_cgroups(const Session& session) {
  auto attached = cgroup::attach(session.place, session.entrance, session.launched.pid);
  if (attached.ok()) return attached;
  attached.error().advise(
      "the pids limit of the container's cgroup left no room for the process to be born there");
  return attached.error().wrap(adding(session.launched.pid));
}

Result<void> move_network_devices(Session& session) {
  const std::string path = "/proc/" + std::to_string(session.launched.pid) + "/ns/net";
  const sys::UniqueFd network = TRY(namespaces::open_namespace(path, CLONE_NEWNET));
  return network::move_devices(session.subject.config.linux.net_devices, network, session.undo);
}

/// What it is about was checked: the program says so, and init had the word.
Result<void> hand_over_source(Session& session, std::uint32_t operation) {
  const auto* tell_host =
      static_cast<const program::TellHost*>(program::find_operation(session.plan.program.image, operation));
  const sys::UniqueFd source = TRY(open_source(session, tell_host->slot));
  return tell(session.channel, Point::source, source);
}

/// Does the host's part at a point that init has reached, and lets init go on.
Result<void> meet(Session& session, const program::Message& message) {
  const Point point = message.point;
  const story::Span span(story::Actor::davit, "meet init", program::name(point));
  switch (point) {
    case Point::user_namespace: {
      const pid_t stage = session.stage_pid > 0 ? session.stage_pid : session.launched.pid;
      const spec::Linux& config = session.subject.config.linux;
      TRY(namespaces::write_mappings(stage, {config.uid_mappings, config.gid_mappings},
                                     session.facts.privileged));
      break;
    }
    case Point::attached:
      TRY(attach_to_cgroups(session));
      break;
    case Point::network:
      TRY(move_network_devices(session));
      break;
    case Point::limits:
      TRY(restore_descriptors(session));
      TRY(limits::apply(session.launched.pid, *session.subject.process, !session.facts.privileged,
                        session.stage_pid > 0));
      break;
    case Point::seccomp:
      return tell(session.channel, point, session.filter);
    case Point::source:
      return hand_over_source(session, message.operation);
    default:
      return {};
  }
  return tell(session.channel, point);
}

Error failure_heard(const Session& session, const Incoming& incoming) {
  const program::Message& message = incoming.message;
  if (session.plan.program.origins.empty()) return failure_after_start(session.subject, message);
  Error error = failure_of(session.plan, session.subject, message);
  if (error.step.view() == program::name(program::Op::attach_cgroup))
    error.wrap(adding(incoming.sender).view());
  return error;
}

/// Handles one message, which was expected; true when it was `until`.
Result<bool> handle(Session& session, Incoming& incoming, Point until) {
  const program::Message& message = incoming.message;
  switch (message.type) {
    case MessageType::failed:
      return failure_heard(session, incoming);
    case MessageType::warning:
      if (message.detail == program::Detail::hook_slow) {
        announce(session.plan.program.origins.empty() ? failure_after_start(session.subject, message)
                                                      : warning_of(session.plan, message));
        return false;
      }
      [[fallthrough]];
    case MessageType::capabilities_left:
      session.launched.warnings.push_back(warning_of(session.plan, message));
      return false;
    case MessageType::child:
      TRY(adopt_child(session, message));
      return false;
    case MessageType::console:
      TRY(take_console(session, incoming));
      return false;
    case MessageType::seccomp_listener:
      TRY(take_listener(session, incoming));
      return false;
    case MessageType::reached:
      if (message.point == Point::none) return tell_operation(session, incoming), false;
      if (until != Point::none && message.point == until) return true;
      TRY(meet(session, message));
      return false;
  }
  return make_error(Code::internal, "init sent an unknown message");
}

constexpr int kLook = 10000;  // milliseconds between looks at an init that says nothing
// How long one may be silent before that is strange; an exec runs no hooks and mounts nothing.
constexpr int kSilence = 60000;

/// Also where a hybrid machine's containers are paused by v1, and init has gone into a cgroup below.
bool is_frozen_on_v2(const Session& session) {
  const sys::FdRef joined = session.entrance.v2_directory.ref();
  if (joined.valid()) return cgroup::is_frozen(joined);
  for (const cgroup::Directory& directory : session.place.directories) {
    if (!directory.controllers.empty()) continue;
    const auto opened = sys::open(directory.path, O_PATH | O_DIRECTORY);
    if (opened.ok() && cgroup::is_frozen(*opened)) return true;
  }
  return false;
}

/// What a process that does not go on may be waiting for.
std::string_view guess_obstacle(const Session& session, char state) {
  if (cgroup::frozen(session.place).value_or(false)) return "its cgroup is frozen: resume the container";
  if (is_frozen_on_v2(session))
    return "its cgroup is frozen, perhaps by whoever is in the container: thaw or kill it";
  if (state == 'D') return "it waits in the kernel, perhaps for a filesystem that does not answer";
  return "it may wait for a filesystem, or a seccomp agent, that does not answer";
}

/// What keeps init from going on, where processes of a container see it and may do as they like with it.
Result<void> check_going(const Session& session, int silence) {
  if (session.waits_for_thaw) return {};
  const auto stat = sys::process_stat(session.launched.pid);
  if (!stat.ok()) return {};  // it has just ended
  if (stat->state == 'T') {
    Error error = system_error(ETIMEDOUT, "the process has been stopped on its way into the container");
    return error.advise("somebody, perhaps in the container, has sent it SIGSTOP");
  }
  if (silence < kSilence) return {};
  Error error = system_error(ETIMEDOUT, "the process does not go on, on its way into the container");
  error.advise(guess_obstacle(session, stat->state));
  const bool is_exec = session.container_pid > 0;
  if (is_exec) return error;
  // It may have hooks to wait for, or much to copy: whoever waits is told once.
  if (silence == kSilence) announce(error.wrap("still waiting"));
  return {};
}

/// What init says next. Its end counts even where somebody who could trace it has taken hold of the channel.
Result<Incoming> hear(const Session& session) {
  if (story::is_listening()) tell_waits(session);
  for (int silence = kLook;; silence += kLook) {
    const sys::Sign sign = TRY(sys::wait_sign(session.channel, session.launched.pidfd, kLook));
    if (sign == sys::Sign::word) return receive(session.channel);
    if (sign == sys::Sign::end) break;
    TRY(check_going(session, silence));
  }
  Incoming incoming;
  incoming.closed = true;
  return incoming;
}

}  // namespace

Result<void> serve(Session& session, Point until) {
  for (;;) {
    Incoming incoming = TRY(hear(session));
    if (incoming.closed) {
      // Not init's end: it may be busy with anything, and is about to be killed.
      if (sys::Interruption::has_come()) return make_error(Code::system, "interrupted");
      // The channel is close-on-exec, and nobody but an execve or the end closes it.
      if (until == Point::none && session.stage_pid < 0) {
        TRY(check_executed(session));
        return session.protocol.check_end(session.plan.program);
      }
      return post_mortem(session);
    }
    session.birth_score.reset();
    const pid_t sender = session.stage_pid > 0 ? session.stage_pid : session.launched.pid;
    TRY(session.protocol.check(session.plan.program, incoming, sender));
    TRY(complete(session.subject));
    if (TRY(handle(session, incoming, until))) return {};
  }
}

Result<void> start_init(Session& session) {
  session.plan.program.set_ignored_signals(TRY(sys::ignored_signals()));
  session.birth_score.emplace(session.subject.process, session.facts.privileged);
  const sys::FdRef cgroup = session.is_attached ? sys::FdRef() : session.entrance.v2_directory.ref();
  Spawned spawned = TRY(spawn(session.plan.program, session.plan.clone_flags, cgroup));
  session.launched.pid = spawned.pid;
  session.launched.pidfd = std::move(spawned.pidfd);
  if (session.plan.staged) session.stage_pid = spawned.pid;
  if (story::is_listening()) session.heard_at = story::now();
  session.undo.push([&session] {
    if (session.launched.pidfd.valid()) {
      (void)sys::send_signal(session.launched.pidfd, 9);
      // In a frozen cgroup of v1 it ends with the thaw.
      auto ended = sys::wait_end(session.launched.pidfd, kEndTimeout);
      if (ended.ok() && *ended) (void)sys::wait_for(session.launched.pid);
    }
  });
  // What init inherited is its own now; and our copy of its channel end would hide its death from us.
  session.init_channel.reset();
  session.resources.clear();
  if (!session.is_attached) session.entrance.task_files.clear();
  if (session.callers_descriptors) TRY(sys::set_limit(0, RLIMIT_NOFILE, *session.callers_descriptors));
  return {};
}

}  // namespace davit::launch
