// Session, keyring, loopback and the names of the container.
#include "init/context.hpp"

namespace davit::init {
namespace {

constexpr u32 kSetInterfaceFlags = 0x8914;  // SIOCSIFFLAGS
constexpr std::int16_t kInterfaceUp = 1;    // IFF_UP

/// struct ifreq with the one member of its union that is used here.
struct InterfaceRequest {
  char name[16];
  std::int16_t flags;
  char rest[22];
};

/// Whether a keyring belongs to who we are now: keyctl(2) describes it as "type;uid;gid;permissions;name".
/// One that we may not look at, or that ends just now, is somebody else's.
Status look_at_owner(long keyring, bool& is_own) {
  is_own = false;
  char text[kPathMax];
  const long size = syscall(__NR_keyctl, KEYCTL_DESCRIBE, keyring, text, sizeof text - 1);
  constexpr i32 kForeign[] = {EACCES, EKEYREVOKED, EKEYEXPIRED, ENOKEY};
  for (const i32 error : kForeign)
    if (size == -error) return kDone;
  INIT_TRY(check(size));
  if (static_cast<u64>(size) > sizeof text - 1) return kDone;
  text[size] = '\0';
  const char* at = text;
  while (*at != '\0' && *at != ';') ++at;
  if (*at == '\0') return kDone;
  long owner = 0;
  for (++at; *at >= '0' && *at <= '9'; ++at) owner = owner * 10 + (*at - '0');
  const long user = syscall(__NR_geteuid);
  is_own = *at == ';' && owner == user;
  return check(user);
}

}  // namespace

Status perform(Context& /*context*/, const program::NewSession& /*operation*/) {
  const long session = syscall(__NR_setsid);
  if (session == -EPERM && syscall(__NR_getsid, 0) == syscall(__NR_getpid)) return kDone;
  return check(session);
}

Status perform(Context& context, const program::JoinKeyring& operation) {
  const long joined = syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, context.text(operation.name));
  // A kernel without keyrings: there is nothing to be kept apart, and the peers go on as well.
  if (joined == -ENOSYS) return send(context, MessageType::warning, operation, check(joined));
  INIT_TRY(check(joined));
  // Anybody may have made one of this name before, and would share it with us.
  bool is_own = false;
  INIT_TRY(look_at_owner(joined, is_own));
  return is_own ? kDone : check(syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr));
}

Status perform(Context& /*context*/, const program::LoopbackUp& /*operation*/) {
  // Interface requests work on a socket of any family; this one needs no module and no IPv4.
  const long opened = syscall(__NR_socket, kAfUnix, kSockDgram | kSockCloexec, 0);
  INIT_TRY(check(opened));
  const SweptFd socket(opened);
  // The flags of a loopback that nobody has touched; of these, IFF_UP is the only one that can be set.
  const InterfaceRequest request{{'l', 'o'}, kInterfaceUp, {}};
  return check(syscall(__NR_ioctl, FdRef(socket), kSetInterfaceFlags, &request));
}

Status perform(Context& context, const program::SetHostname& operation) {
  return check(syscall(__NR_sethostname, context.text(operation.name), operation.name.length));
}

Status perform(Context& context, const program::SetDomainname& operation) {
  return check(syscall(__NR_setdomainname, context.text(operation.name), operation.name.length));
}

}  // namespace davit::init
