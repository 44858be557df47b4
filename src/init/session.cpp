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

}  // namespace

Status perform(Context& /*context*/, const program::NewSession& /*operation*/) {
  const long session = syscall(__NR_setsid);
  if (session == -EPERM && syscall(__NR_getsid, 0) == syscall(__NR_getpid)) return kDone;
  return check(session);
}

Status perform(Context& context, const program::JoinKeyring& operation) {
  const long result = syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, context.text(operation.name));
  return result == -ENOSYS || result == -EPERM ? kDone : check(result);
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
