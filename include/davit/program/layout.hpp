// SPDX-License-Identifier: Apache-2.0
// The language between host and init: what happens inside a container, as a flat list of small operations.
//
// A program is one block of memory: Header, records, data. Every reference is an offset into the data, so
// that init maps it (MAP_PRIVATE) and runs it without parsing or allocating. Records are PODs that begin with
// Operation; host and init are built from the same sources and always travel together.
//
// Descriptors are named by slots. A slot either holds a descriptor inherited from davit (its number stands in
// the slot table from the beginning) or is filled by an operation. close_descriptors sees to it that none
// survives execve. Paths called `target` or `path` lie in the container and are resolved below the `root`
// slot with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS); only fields that say "host path" are anything
// else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace davit::program {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

/// NUL-terminated bytes in the data; length does not count the NUL. Offset 0 is the empty string.
struct Str {
  u32 offset = 0;
  u32 length = 0;
};

/// `count` items of T, 8-byte aligned.
template <typename T>
struct List {
  u32 offset = 0;
  u32 count = 0;
};

/// Index into the slot table.
enum class Slot : u16 {};
inline constexpr Slot kNoSlot{0xffff};

/// Every kind of record. The order is of no meaning; the names appear in `davit explain`.
enum class Op : u16 {
  // stage and channel (init/channel.cpp, init/stage.cpp)
  await_host = 1,
  tell_host,
  attach_cgroup,
  join_namespaces,
  join_process,
  unshare,
  become_namespace_root,
  set_time_offsets,
  fork_init,
  // session (init/session.cpp)
  new_session,
  join_keyring,
  loopback_up,
  set_hostname,
  set_domainname,
  // mounts (init/mounts.cpp, init/paths.cpp, init/copy_up.cpp)
  enter_place,
  set_propagation,
  open_tree,
  attach_root,
  mount_filesystem,
  mount_tree,
  remount,
  make_device,
  make_symlink,
  make_directory,
  mask_path,
  protect_path,
  seal_root,
  pivot_root,
  change_root,
  enter_root,
  detach_mount,
  // console (init/console.cpp)
  open_console,
  take_terminal,
  own_stdio,
  // kernel settings (init/settings.cpp)
  open_proc,
  write_sysctl,
  write_label,
  set_scheduler,
  set_io_priority,
  set_memory_policy,
  set_affinity,
  set_personality,
  set_limit,
  // identity (init/identity.cpp)
  set_umask,
  drop_bounding,
  become_user,
  set_capabilities,
  release_capabilities,
  no_new_privileges,
  load_seccomp,
  // execution (init/execution.cpp, init/hooks.cpp)
  change_directory,
  check_directory,
  set_home,
  run_hook,
  find_program,
  wait_start,
  close_descriptors,
  execute,
};

/// Head of every record.
struct Operation {
  Op op{};
  u16 size = 0;   ///< of the whole record, a multiple of 8
  u32 index = 0;  ///< counts from 0; the key of the source map and of failure messages
};

inline constexpr u32 kMagic = 0x54564144;  // "DAVT"

struct Header {
  u32 magic = kMagic;
  u32 size = 0;            ///< of the program in bytes
  u32 records = 0;         ///< offset of the first record
  u32 records_end = 0;     ///< offset past the last one
  u32 data = 0;            ///< offset of the data; Str and List count from there
  List<i32> slots;         ///< descriptor numbers; -1: not filled yet
  Slot channel = kNoSlot;  ///< SOCK_SEQPACKET to davit
  u16 padding = 0;
  u32 flags = 0;  ///< kTrace
  u32 reserved = 0;
  u64 ignored_signals =
      0;  ///< bit n-1: signal n is ignored by davit's caller and must not be by the container
};
static_assert(sizeof(Header) % 8 == 0);
inline constexpr u32 kTrace = 1;  ///< send a Message::reached after every operation

}  // namespace davit::program
