// SPDX-License-Identifier: Apache-2.0
// Operations on the process: who it is, and how it comes to run its program.
#pragma once

#include "davit/program/layout.hpp"

namespace davit::program {

// ---- identity ----------------------------------------------------------------------------------------

struct SetUmask : Operation {
  static constexpr Op kOp = Op::set_umask;
  u32 mask = 0;
  u32 padding = 0;
};

/// PR_CAPBSET_DROP for every capability the kernel knows that is not in keep.
struct DropBounding : Operation {
  static constexpr Op kOp = Op::drop_bounding;
  u64 keep = 0;
  u32 last = 63;  ///< the highest that the kernel knows
  u32 padding = 0;
};

/// PR_SET_KEEPCAPS, setgroups, setresgid, setresuid.
struct BecomeUser : Operation {
  static constexpr Op kOp = Op::become_user;
  u32 uid = 0;
  u32 gid = 0;
  List<u32> groups;
  u32 keep_groups = 0;         ///< do not call setgroups
  u32 allow_no_setgroups = 0;  ///< EPERM of setgroups with an empty list is fine (user namespace, deny)
};

/// capset(2) and ambient raise. Capabilities that cannot be granted are left out and reported as warnings.
struct SetCapabilities : Operation {
  static constexpr Op kOp = Op::set_capabilities;
  u64 effective = 0;
  u64 permitted = 0;
  u64 inheritable = 0;
  u64 ambient = 0;
  u64 held = 0;  ///< also effective and permitted, as far as they are there, until release_capabilities
};

/// capset(2): gives up what set_capabilities held back. No other system call, as a filter may be in force.
struct ReleaseCapabilities : Operation {
  static constexpr Op kOp = Op::release_capabilities;
};

struct NoNewPrivileges : Operation {
  static constexpr Op kOp = Op::no_new_privileges;
};

/// seccomp(SECCOMP_SET_MODE_FILTER). With SECCOMP_FILTER_FLAG_NEW_LISTENER the listener goes to the host
/// (Message::seccomp_listener), sent by a helper task that is not under the filter, and init goes on at
/// Point::owned.
struct LoadSeccomp : Operation {
  static constexpr Op kOp = Op::load_seccomp;
  u32 flags = 0;                 ///< SECCOMP_FILTER_FLAG_*
  Slot filter = kNoSlot;         ///< a sealed memfd of struct sock_filter
  Slot pid_namespace = kNoSlot;  ///< with a listener: joined after that task was made, as none can be then
};

// ---- execution ---------------------------------------------------------------------------------------

/// Enters the working directory: first as root, who may not be allowed to (FUSE, NFS); the retry after
/// become_user does something only then.
struct ChangeDirectory : Operation {
  static constexpr Op kOp = Op::change_directory;
  Str path;
  u32 is_retry = 0;
  u32 make_missing = 0;  ///< make it first, as the peers do
};

/// getcwd(2) must lie inside the root (CVE-2024-21626).
struct CheckDirectory : Operation {
  static constexpr Op kOp = Op::check_directory;
};

/// Sets HOME in the environment of the later `execute` from the container's /etc/passwd: the entry that is
/// exactly "HOME=" is replaced, or one is added in the free entry that the compiler left; unknown users get
/// "/".
struct SetHome : Operation {
  static constexpr Op kOp = Op::set_home;
  u32 uid = 0;
  u32 padding = 0;
};

/// Runs a hook and waits for it: createContainer before pivot_root, startContainer after wait_start.
/// stdin: `state_before_pid`, the pid as seen here, `state_after_pid`. Output (the end of it) becomes the
/// detail.
struct RunHook : Operation {
  static constexpr Op kOp = Op::run_hook;
  Str path;
  List<Str> arguments;  ///< argv, at least one
  List<Str> environment;
  Str state_before_pid;
  Str state_after_pid;
  u32 timeout_seconds = 0;  ///< 0: none
  u32 is_filtered = 0;      ///< it loads the filter of the container's process itself, before it executes
  u32 filter_flags = 0;     ///< as of LoadSeccomp
  Slot filter = kNoSlot;    ///< as of LoadSeccomp
  u16 releases = 0;         ///< and then does as ReleaseCapabilities does
};

/// Finds the program (execvp semantics, PATH of the process) and keeps the result for execute.
struct FindProgram : Operation {
  static constexpr Op kOp = Op::find_program;
  Str name;
  Str search_path;  ///< value of PATH; empty with has_path 0
  u32 has_path = 0;
  u32 padding = 0;
};

/// Waits on a listening SOCK_SEQPACKET for a connection that says Point::start; from then on failures go
/// there. A connection that closes before is as if it never was... unless it sent start.
struct WaitStart : Operation {
  static constexpr Op kOp = Op::wait_start;
  Slot listener = kNoSlot;
  u16 padding[3] = {};
};

/// With `sweep`, closes everything from `first` on but the channel and what is still needed: before `ready`,
/// so that a waiting init holds on to nothing. Without, makes all of it close-on-exec.
struct CloseDescriptors : Operation {
  static constexpr Op kOp = Op::close_descriptors;
  u32 first = 3;
  u32 sweep = 0;
  List<Slot> keep;  ///< what a sweep leaves open besides the channel: slots that are still to be used
};

/// execve(2) of what find_program found. Success closes the channel; a failure is explained (missing
/// interpreter, wrong architecture, CRLF, noexec, no x bit) with an ExecProblem in the message.
/// Lists that become an argv or an environment come from Builder::texts (here and in RunHook).
struct Execute : Operation {
  static constexpr Op kOp = Op::execute;
  List<Str> arguments;
  List<Str> environment;  ///< with set_home before: the last entry is empty and left for HOME
};

}  // namespace davit::program
