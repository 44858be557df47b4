// SPDX-License-Identifier: Apache-2.0
// Operations on the way into the container: meeting the host, namespaces, the session.
#pragma once

#include "davit/program/messages.hpp"

namespace davit::program {

// ---- rendezvous --------------------------------------------------------------------------------------

/// Waits for the host's message for `point`. With `slot`, the message carries one descriptor that fills it.
struct AwaitHost : Operation {
  static constexpr Op kOp = Op::await_host;
  Point point{};
  Slot slot = kNoSlot;
  u16 padding = 0;
};

/// Tells the host that `point` is reached; with `slot`, that it is about what the host has for that one.
struct TellHost : Operation {
  static constexpr Op kOp = Op::tell_host;
  Point point{};
  Slot slot = kNoSlot;
  u16 padding = 0;
};

// ---- stage -------------------------------------------------------------------------------------------

/// Writes "0" to a cgroup v1 `tasks` file, open already or at a host path: moves the caller in (cgroups(7)).
struct AttachCgroup : Operation {
  static constexpr Op kOp = Op::attach_cgroup;
  Str host_path;        ///< opened by init; empty: `file` is open
  Slot file = kNoSlot;  ///< without host_path
  u16 padding[3] = {};
};

struct NamespaceRef {
  Slot slot = kNoSlot;  ///< opened namespace file
  u16 padding = 0;
  u32 type = 0;  ///< CLONE_NEW*
};

/// setns(2) to each namespace in order.
struct JoinNamespaces : Operation {
  static constexpr Op kOp = Op::join_namespaces;
  List<NamespaceRef> namespaces;
  u32 may_lack_privilege = 0;  ///< 1: EPERM leaves the namespace for a later JoinNamespaces of the same list
  u32 padding = 0;
};

/// setns(2) with a pidfd: all namespaces of a process at once.
struct JoinProcess : Operation {
  static constexpr Op kOp = Op::join_process;
  Slot pidfd = kNoSlot;
  u16 padding = 0;
  u32 types = 0;  ///< CLONE_NEW*
};

/// unshare(2).
struct Unshare : Operation {
  static constexpr Op kOp = Op::unshare;
  u32 types = 0;  ///< CLONE_NEW*
  u32 padding = 0;
};

/// Becomes a uid and gid of the user namespace just entered, without supplementary groups where allowed: 0,
/// or one that is mapped, as nothing can be made with an id that is not. All capabilities stay either way.
struct BecomeNamespaceRoot : Operation {
  static constexpr Op kOp = Op::become_namespace_root;
  u32 uid = 0;
  u32 gid = 0;
};

/// Writes /proc/<own pid>/timens_offsets (time_namespaces(7)); before fork_init, after
/// unshare(CLONE_NEWTIME).
struct SetTimeOffsets : Operation {
  static constexpr Op kOp = Op::set_time_offsets;
  Str text;
};

/// clone3(CLONE_PARENT | types): the child goes on with the next operation; the stage sends Message::child
/// with the pid and exits 0.
struct ForkInit : Operation {
  static constexpr Op kOp = Op::fork_init;
  u32 types = 0;         ///< CLONE_NEW* for the child
  u32 awaits_owner = 0;  ///< the child goes on at Point::owned, when davit has given away what the stage sent
};

// ---- session -----------------------------------------------------------------------------------------

/// setsid(2).
struct NewSession : Operation {
  static constexpr Op kOp = Op::new_session;
};

/// KEYCTL_JOIN_SESSION_KEYRING; anonymous if somebody has made one of that name. ENOSYS becomes a warning.
struct JoinKeyring : Operation {
  static constexpr Op kOp = Op::join_keyring;
  Str name;
};

/// Brings `lo` up in the (new) network namespace.
struct LoopbackUp : Operation {
  static constexpr Op kOp = Op::loopback_up;
};

struct SetHostname : Operation {
  static constexpr Op kOp = Op::set_hostname;
  Str name;
};

struct SetDomainname : Operation {
  static constexpr Op kOp = Op::set_domainname;
  Str name;
};

}  // namespace davit::program
