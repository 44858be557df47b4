// SPDX-License-Identifier: Apache-2.0
// Operations on the console and on settings of the kernel.
#pragma once

#include "davit/program/layout.hpp"

namespace davit::program {

// ---- console -----------------------------------------------------------------------------------------

/// Opens a new pty in the container's devpts (checked to be one; TIOCGPTPEER, CVE-2025-52565), sends the
/// master with Message::console, makes the slave stdin, stdout and stderr, sets the size, gives it to uid,
/// and with `bind_console` mounts it on /dev/console. After pivot_root.
struct OpenConsole : Operation {
  static constexpr Op kOp = Op::open_console;
  u16 rows = 0;  ///< 0: leave
  u16 columns = 0;
  u32 uid = 0;
  u32 bind_console = 0;
  u32 clear_onlcr = 0;  ///< the terminal behind davit's own relay translates by itself
};

/// TIOCSCTTY: stdin becomes the controlling terminal of the session that new_session has made.
struct TakeTerminal : Operation {
  static constexpr Op kOp = Op::take_terminal;
};

/// stdin, stdout and stderr: the host's /dev/null gives way to the container's own, so that nobody reaches
/// the host's inode through /proc/self/fd; all but devices, which are the host's, too, is given to uid by
/// fchown(2), as far as the kernel lets us. After the container's root is "/".
struct OwnStdio : Operation {
  static constexpr Op kOp = Op::own_stdio;
  u32 uid = 0;
  u32 padding = 0;
};

// ---- kernel settings ---------------------------------------------------------------------------------

/// A procfs of our own for writes that must not be redirected (CVE-2025-52881): fsopen("proc"), detached.
/// Where it is refused the slot stays empty; who writes then opens /proc, and checks that it is a procfs.
struct OpenProc : Operation {
  static constexpr Op kOp = Op::open_proc;
  Slot proc = kNoSlot;     ///< filled
  u16 processes_only = 0;  ///< mount option subset=pid, where the kernel has it (5.8)
  u32 padding = 0;
};

/// Writes value to proc/sys/<path> with RESOLVE_BENEATH|NO_XDEV|NO_MAGICLINKS|NO_SYMLINKS.
struct WriteSysctl : Operation {
  static constexpr Op kOp = Op::write_sysctl;
  Str path;  ///< "sys/net/ipv4/…", relative
  Str value;
  Slot proc = kNoSlot;
  u16 padding[3] = {};
};

/// Writes value to proc/<own pid>/attr/<attribute>; tried in order, the next one on ENOENT.
struct WriteLabel : Operation {
  static constexpr Op kOp = Op::write_label;
  Str attribute;  ///< "apparmor/exec"
  Str fallback;   ///< "exec", or empty
  Str value;
  Slot proc = kNoSlot;
  u16 padding[3] = {};
};

/// sched_setattr(2).
struct SetScheduler : Operation {
  static constexpr Op kOp = Op::set_scheduler;
  u32 policy = 0;
  i32 nice = 0;
  u64 flags = 0;
  u32 priority = 0;
  u32 padding = 0;
  u64 runtime = 0;  ///< nanoseconds
  u64 deadline = 0;
  u64 period = 0;
};

/// ioprio_set(2) for the process.
struct SetIoPriority : Operation {
  static constexpr Op kOp = Op::set_io_priority;
  u32 value = 0;  ///< IOPRIO_PRIO_VALUE(class, data)
  u32 padding = 0;
};

/// set_mempolicy(2).
struct SetMemoryPolicy : Operation {
  static constexpr Op kOp = Op::set_memory_policy;
  u32 mode = 0;  ///< with MPOL_F_* flags
  u32 max_node = 0;
  List<u64> nodes;
};

/// sched_setaffinity(2); an empty mask is every processor there is, which the kernel cuts to the cpuset.
struct SetAffinity : Operation {
  static constexpr Op kOp = Op::set_affinity;
  List<u64> mask;
};

/// personality(2).
struct SetPersonality : Operation {
  static constexpr Op kOp = Op::set_personality;
  u64 persona = 0;
};

/// setrlimit(2), for what must not hold yet where davit sets the other limits (features/limits.hpp).
struct SetLimit : Operation {
  static constexpr Op kOp = Op::set_limit;
  u64 soft = 0;
  u64 hard = 0;
  u32 resource = 0;  ///< RLIMIT_*
  u32 padding = 0;
};

}  // namespace davit::program
