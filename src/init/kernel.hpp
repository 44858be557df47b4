// SPDX-License-Identifier: Apache-2.0
// What the kernel's own headers do not say but every libc does: init has no libc to ask.
#pragma once

#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/socket.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/uio.h>

#include "davit/program/operations.hpp"

namespace davit::init {

using program::i32;
using program::i64;
using program::u16;
using program::u32;
using program::u64;
using program::u8;

inline constexpr i32 kAfUnix = 1;
inline constexpr i32 kSockDgram = 2;
inline constexpr i32 kSockCloexec = O_CLOEXEC;
inline constexpr i32 kScmRights = 1;
inline constexpr u32 kMsgNosignal = 0x4000;
inline constexpr u32 kMsgCmsgCloexec = 0x40000000;

/// struct msghdr and struct cmsghdr as the kernel reads them on 64-bit machines.
struct MessageHeader {
  void* name;
  i32 name_length;
  iovec* parts;
  u64 part_count;
  void* control;
  u64 control_length;
  u32 flags;
};

struct ControlDescriptor {
  u64 length;
  i32 level;
  i32 type;
  i32 descriptor;
  i32 padding;
};

struct PeerCredentials {
  i32 pid;
  u32 uid;
  u32 gid;
};

struct DirectoryEntry {
  u64 inode;
  i64 offset;
  u16 size;
  u8 type;
  char name[];
};

/// struct sigaction of the system call.
struct SignalAction {
  void* handler;
  u64 flags;
  void* restorer;
  u64 mask;
};

inline constexpr u32 kMountDetach = 2;
inline constexpr u32 kUnmountNoFollow = 8;

// linux/stat.h hides these from anybody who has seen a header of glibc.
inline constexpr u32 kTypeMask = 0170000;
inline constexpr u32 kTypeFifo = 0010000;
inline constexpr u32 kTypeCharacter = 0020000;
inline constexpr u32 kTypeDirectory = 0040000;
inline constexpr u32 kTypeBlock = 0060000;
inline constexpr u32 kTypeRegular = 0100000;
inline constexpr u32 kTypeLink = 0120000;
inline constexpr u32 kPathMax = 4096;

}  // namespace davit::init
