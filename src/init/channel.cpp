// SPDX-License-Identifier: Apache-2.0
// Talking to davit: fixed-size datagrams over one socket.
#include "init/context.hpp"

namespace davit::init {
namespace {

struct PollDescriptor {
  i32 descriptor;
  std::int16_t events;
  std::int16_t returned;
};

/// Receives one message and at most one descriptor. 0 is EOF.
long receive(FdRef socket, Message& message, Fd& attached) {
  iovec part{&message, sizeof message};
  ControlDescriptor control{};
  MessageHeader header{};
  header.parts = &part;
  header.part_count = 1;
  header.control = &control;
  header.control_length = sizeof control;
  long got;
  do got = syscall(__NR_recvmsg, socket, &header, kMsgCmsgCloexec);
  while (got == -EINTR);
  if (got > 0 && header.control_length >= sizeof control - sizeof control.padding &&
      control.level == SOL_SOCKET && control.type == kScmRights)
    attached = Fd(control.descriptor);
  return got;
}

/// Whether a send failed because nobody has the other end any more.
bool is_gone(long sent) {
  return sent == -EPIPE || sent == -ECONNRESET || sent == -ENOTCONN;
}

/// The one uid that may start us: that of the process that listens, which is whoever ran `create`. In a user
/// namespace both may look like the overflow uid; there the mode of the state directory, which no process of
/// the container can reach, is what decides who connects.
Status may_start(FdRef listener, FdRef connection, bool& may) {
  PeerCredentials creator{};
  PeerCredentials peer{};
  u32 size = sizeof creator;
  INIT_TRY(check(syscall(__NR_getsockopt, listener, SOL_SOCKET, SO_PEERCRED, &creator, &size)));
  size = sizeof peer;
  INIT_TRY(check(syscall(__NR_getsockopt, connection, SOL_SOCKET, SO_PEERCRED, &peer, &size)));
  may = peer.uid == creator.uid;
  return kDone;
}

/// Which point the other end says it has reached; none when it says something else, or nothing.
Status hear(FdRef connection, Point& point) {
  Message message;
  Fd attached;
  const long got = receive(connection, message, attached);
  point = got == sizeof message && message.type == MessageType::reached ? message.point : Point::none;
  return got == -ECONNRESET ? kDone : check(got);
}

/// A caller that connects and then says nothing must not keep others from starting or ending us.
Status await_word(FdRef connection, bool& has_spoken) {
  PollDescriptor poll{connection.number, POLLIN, 0};
  const __kernel_timespec patience{30, 0};
  long ready;
  do ready = syscall(__NR_ppoll, &poll, 1, &patience, nullptr, 8);
  while (ready == -EINTR);
  has_spoken = ready > 0;
  return check(ready);
}

/// Whether whoever is at the other end may and does say "start". What it does is never an error; one of our
/// own calls that fails is: the caller may be a davit that waits for our execve.
Status hear_start(FdRef listener, FdRef connection, bool& is_start) {
  is_start = false;
  bool may = false;
  INIT_TRY(may_start(listener, connection, may));
  if (may) INIT_TRY(await_word(connection, may));
  if (!may) return kDone;
  Point point = Point::none;
  INIT_TRY(hear(connection, point));
  if (point == Point::starting) {
    // Nobody else can come any more.
    INIT_TRY(await_word(connection, may));
    if (!may) return {ETIMEDOUT};
    INIT_TRY(hear(connection, point));
    // The caller has removed our address by now: if it was killed over that, nobody will ever come.
    if (point != Point::start) exit_process(1);
  }
  is_start = point == Point::start;
  return kDone;
}

}  // namespace

Status send(Context& context, MessageType type, const Operation& operation, Status status, FdRef attached) {
  Message& message = context.message;
  message.type = type;
  message.operation = operation.index;
  message.error = status.error;
  message.detail = status.detail;
  if (type != MessageType::child) message.pid = static_cast<i32>(context.start_operation);
  iovec part{&message, sizeof message};
  ControlDescriptor control{sizeof control - sizeof control.padding, SOL_SOCKET, kScmRights, attached.number,
                            0};
  MessageHeader header{};
  header.parts = &part;
  header.part_count = 1;
  if (attached.is_open()) {
    header.control = &control;
    header.control_length = sizeof control;
  }
  long sent = 0;
  if (context.channel.is_open()) {
    do sent = syscall(__NR_sendmsg, context.channel, &header, kMsgNosignal);
    while (sent == -EINTR);
    // A filter that refuses it hardly ever refuses write(2), which has no flag against SIGPIPE: for last
    // words, or where davit is known to listen.
    if (sent < 0 && !attached.is_open() && !is_gone(sent))
      sent = syscall(__NR_write, context.channel, &message, sizeof message);
  }
  message = Message{};
  return is_gone(sent) ? kDone : check(sent);
}

Status await_host(Context& context, Point point, Slot slot) {
  Message message;
  Fd attached;
  const long got = receive(context.channel, message, attached);
  // davit is gone or gave up, and knows why; there is nobody left to tell.
  if (got == 0 || got == -ECONNRESET) exit_process(1);
  INIT_TRY(check(got));
  if (got != sizeof message || message.type != MessageType::reached || message.point != point)
    return {EPROTO};
  if (slot == program::kNoSlot) return kDone;
  if (!attached.is_open()) return {EPROTO};
  context.fill(slot, static_cast<Fd&&>(attached));
  return kDone;
}

void say(Context& context, const char* text) {
  Writer(context.message.text).add(text);
}

Status guard(const Context& context) {
  INIT_TRY(check(syscall(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)));
  if (context.outlives_host || !context.channel.is_open()) return kDone;
  return check(syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

Status outlive_host(Context& context) {
  if (context.outlives_host) return kDone;
  context.outlives_host = true;
  return check(syscall(__NR_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

bool is_host_gone(const Context& context) {
  PollDescriptor poll{context.channel.number, 0, 0};
  const __kernel_timespec no_time{};
  const long ready = syscall(__NR_ppoll, &poll, 1, &no_time, nullptr, 8);
  return ready < 0 || (poll.returned & POLLHUP) != 0;
}

FdRef Context::slot(Slot slot) const {
  const auto index = static_cast<u32>(slot);
  const View<i32> slots = items(header().slots);
  return index < slots.count ? FdRef{slots.first[index]} : FdRef{};
}

i32 Context::take(Slot slot) const {
  const auto index = static_cast<u32>(slot);
  const View<i32> slots = items(header().slots);
  if (index >= slots.count) return -1;
  const i32 number = slots.first[index];
  slots.first[index] = -1;
  return number;
}

void Context::fill(Slot slot, Fd descriptor) const {
  const auto index = static_cast<u32>(slot);
  const View<i32> slots = items(header().slots);
  if (index >= slots.count) return;
  const Fd before(slots.first[index]);
  slots.first[index] = descriptor.release();
}

Status perform(Context& context, const program::AwaitHost& operation) {
  INIT_TRY(await_host(context, operation.point, operation.slot));
  if (operation.point == Point::user_namespace) INIT_TRY(guard(context));
  if (operation.point == Point::start) context.start_operation = operation.index;
  return kDone;
}

namespace {

void end_by_signal(i32 signal) {
  exit_process(128 + signal);
}

/// The first process of a pid namespace is spared by signals that it has no handler for; once davit has heard
/// that it is ready, somebody may send one. execve forgets ours.
Status heed_signals() {
  constexpr u64 kHasRestorer = 0x04000000;  // SA_RESTORER: x86 insists on one, and we never return
  SignalAction action{};
  action.handler = reinterpret_cast<void*>(end_by_signal);
  action.restorer = action.handler;
  action.flags = kHasRestorer;
  constexpr i32 kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  for (const i32 signal : kSignals)
    INIT_TRY(check(syscall(__NR_rt_sigaction, signal, &action, nullptr, sizeof action.mask)));
  return kDone;
}

}  // namespace

Status perform(Context& context, const program::TellHost& operation) {
  // A davit without privileges can write our id maps only while /proc/PID/uid_map is its own.
  if (operation.point == Point::user_namespace)
    INIT_TRY(check(syscall(__NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)));
  // davit may end as soon as it has said "created": whether it got that far is then a matter of the channel.
  if (operation.point == Point::ready) INIT_TRY(outlive_host(context));
  if (operation.point == Point::ready) INIT_TRY(heed_signals());
  context.message.point = operation.point;
  return send(context, MessageType::reached, operation);
}

Status perform(Context& context, const program::WaitStart& operation) {
  const FdRef listener = context.slot(operation.listener);
  for (;;) {
    const long accepted = syscall(__NR_accept4, listener, nullptr, nullptr, kSockCloexec);
    // Whatever one caller does must not end the container, but a broken listener would spin for ever.
    if (accepted == -EINTR || accepted == -ECONNABORTED) continue;
    INIT_TRY(check(accepted));
    Fd connection(accepted);
    bool is_start = false;
    const Status heard = hear_start(listener, connection, is_start);
    if (!heard.failed() && !is_start) continue;
    context.channel = {connection.release()};
    context.start_operation = operation.index;
    return heard;
  }
}

}  // namespace davit::init
