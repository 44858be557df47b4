// SPDX-License-Identifier: Apache-2.0
// What host and init say to each other, and when.
#pragma once

#include "davit/program/layout.hpp"

namespace davit::program {

/// Where init and davit meet. Both sides know from the program which comes next.
enum class Point : u32 {
  none,
  started,         ///< init -> host: the stage runs (it waits for what davit does to it from outside)
  user_namespace,  ///< init -> host: the user namespace exists, map ids now; host -> init: ids are mapped
  attached,        ///< init -> host: this process may be put into its cgroups now; host -> init: it is there
  mounts,          ///< init -> host: the mount namespace is complete; host -> init: runtime hooks have run
  limits,          ///< init -> host: rlimits of this process may be set now; host -> init: they are
  seccomp,         ///< host -> init: the filter, as a sealed memfd (SCM_RIGHTS)
  ready,           ///< init -> host: everything but the program itself is done
  created,         ///< host -> init: the container is on record; from now on init outlives davit
  start,           ///< host -> init: execute the program
  starting,        ///< host -> init: nobody else can say "start" from here on
  owned,           ///< host -> init: the listener or terminal that it sent has got to where it belongs
  network,         ///< init -> host: network devices may move in; host -> init: they are there
  source,          ///< init -> host: the tree of a slot is mounted next; host -> init: that tree (SCM_RIGHTS)
};

enum class MessageType : u32 {
  failed = 1,         ///< init -> host: operation, error, detail, text; the sender exits 1 next
  warning,            ///< init -> host: operation, error, detail, text; goes on
  reached,            ///< both ways: point (or, with kTrace, operation)
  child,              ///< stage -> host: pid, of a child of davit
  console,            ///< init -> host: SCM_RIGHTS: pty master; text: its name
  seccomp_listener,   ///< init -> host: SCM_RIGHTS: listener
  capabilities_left,  ///< init -> host: warning; value: mask of capabilities that could not be granted
};

/// What failed inside an operation, where the errno alone does not tell.
enum class Detail : u32 {
  none,
  // rootfs
  resolve_target,
  create_target,
  not_ordinary_directory,
  inside_proc,
  open_filesystem,
  configure_filesystem,
  create_filesystem,
  attach_mount,
  file_on_directory,
  directory_on_file,
  set_attributes,
  copy_up,
  clone_tree,
  wrong_device,
  not_dev_null,
  make_node,
  // console
  no_null_device,
  not_devpts,
  open_ptmx,
  grant_pty,
  bind_console,
  controlling_terminal,
  // settings
  not_procfs,
  open_file,
  write_file,
  // identity
  set_groups,
  set_gid,
  set_uid,
  drop_bounding,
  set_capabilities,
  raise_ambient,
  load_filter,
  send_listener,
  // execution
  outside_root,  ///< the working directory lies outside of the container
  hook_exit,
  hook_signal,
  hook_timeout,
  hook_slow,   ///< still running after a while
  hook_start,  ///< value: status, signal, seconds, –; text: output
  // find_program, execute
  not_in_path,
  is_directory,
  no_such_file,
  not_executable,
  no_interpreter,
  interpreter_not_executable,
  crlf_interpreter,
  wrong_architecture,
  bad_format,
  noexec_mount,
};

/// One datagram of the channel; always this size.
struct Message {
  MessageType type{};
  Point point{};
  u32 operation = 0;
  i32 error = 0;  ///< errno, positive
  Detail detail{};
  i32 pid =
      0;  ///< child: its pid; all others of init: index of the operation that waited for the start, or 0
  u64 value = 0;
  char text[480] = {};  ///< NUL-terminated: a path, kernel log, or output of a hook
};
static_assert(sizeof(Message) == 512);

}  // namespace davit::program
