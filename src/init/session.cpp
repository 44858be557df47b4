// SPDX-License-Identifier: Apache-2.0
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

/// The number that begins there, and what follows it.
u64 read_number(const char*& at, u32 base) {
  u64 number = 0;
  for (;; ++at) {
    const u32 digit = *at >= '0' && *at <= '9'   ? static_cast<u32>(*at - '0')
                      : *at >= 'a' && *at <= 'f' ? static_cast<u32>(*at - 'a') + 10
                                                 : base;
    if (digit >= base) return number;
    number = number * base + digit;
  }
}

bool skip(const char*& at, char c) {
  return *at == c && *at++ == c;
}

/// Whether a keyring has been made just now, by who we are: keyctl(2) describes it as
/// "type;uid;gid;permissions;name". One that was there before could only be joined because it lets itself be
/// found (KEY_NEED_SEARCH) by others than its possessor, which new ones do not. One that we may not look at,
/// or that ends just now, is somebody else's.
Status look_whether_new(long keyring, bool& is_new) {
  is_new = false;
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
  if (!skip(at, ';')) return kDone;
  const u64 owner = read_number(at, 10);
  if (!skip(at, ';')) return kDone;
  read_number(at, 10);
  if (!skip(at, ';')) return kDone;
  constexpr u64 kFoundByOthers = 0x00080808;
  const u64 permissions = read_number(at, 16);
  const long user = syscall(__NR_geteuid);
  is_new = *at == ';' && owner == static_cast<u64>(user) && (permissions & kFoundByOthers) == 0;
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
  // Anybody, also the root of another container, may have made one of this name, and would share it with us.
  bool is_new = false;
  INIT_TRY(look_whether_new(joined, is_new));
  return is_new ? kDone : check(syscall(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr));
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
