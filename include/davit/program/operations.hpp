// The language between host and init: what happens inside a container, as a flat list of small operations.
//
// A program is one block of memory: Header, records, data. Every reference is an offset into the data, so
// that init maps it (MAP_PRIVATE) and runs it without parsing or allocating. Records are PODs that begin with
// Operation; host and init are built from the same sources and always travel together.
//
// Descriptors are named by slots. A slot either holds a descriptor inherited from davit (its number stands in
// the slot table from the beginning) or is filled by an operation. All descriptors in slots are close-on-exec
// in init. Paths called `target` or `path` lie in the container and are resolved below the `root` slot with
// openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS); only fields that say "host path" are anything else.
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
  // console (init/console.cpp)
  open_console,
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

// ---- rendezvous -----------------------------------------------------------------------------------------

/// Where init and davit meet. Both sides know from the program which comes next.
enum class Point : u32 {
  none,
  started,         ///< init -> host: the stage runs (it waits for what davit does to it from outside)
  user_namespace,  ///< init -> host: the user namespace exists, map ids now; host -> init: ids are mapped
  attached,        ///< host -> init: cgroups, network devices and the like are in place
  mounts,          ///< init -> host: the mount namespace is complete; host -> init: runtime hooks have run
  limits,          ///< init -> host: rlimits of this process may be set now; host -> init: they are
  seccomp,         ///< host -> init: the filter, as a sealed memfd (SCM_RIGHTS)
  ready,           ///< init -> host: everything but the program itself is done
  created,         ///< host -> init: the container is on record; from now on init outlives davit
  start,           ///< host -> init: execute the program
  starting,        ///< host -> init: nobody else can say "start" from here on
};

/// Waits for the host's message for `point`. With `slot`, the message carries one descriptor that fills it.
struct AwaitHost : Operation {
  static constexpr Op kOp = Op::await_host;
  Point point{};
  Slot slot = kNoSlot;
  u16 padding = 0;
};

/// Tells the host that `point` is reached.
struct TellHost : Operation {
  static constexpr Op kOp = Op::tell_host;
  Point point{};
  u32 padding = 0;
};

// ---- stage ----------------------------------------------------------------------------------------------

/// Writes "0" to an open cgroup v1 `tasks` (or v2 `cgroup.procs`) file: moves the caller in (cgroups(7)).
struct AttachCgroup : Operation {
  static constexpr Op kOp = Op::attach_cgroup;
  Slot file = kNoSlot;
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

/// Becomes uid 0 and gid 0 of the user namespace just entered, without supplementary groups where allowed.
struct BecomeNamespaceRoot : Operation {
  static constexpr Op kOp = Op::become_namespace_root;
};

/// Writes /proc/<own pid>/timens_offsets (time_namespaces(7)); before fork_init, after
/// unshare(CLONE_NEWTIME).
struct SetTimeOffsets : Operation {
  static constexpr Op kOp = Op::set_time_offsets;
  Str text;
};

/// clone3(CLONE_PARENT | CLONE_PIDFD | types): the child goes on with the next operation; the stage sends
/// Message::child with the pid (and the pidfd, SCM_RIGHTS) and exits 0.
struct ForkInit : Operation {
  static constexpr Op kOp = Op::fork_init;
  u32 types = 0;  ///< CLONE_NEW* for the child
  u32 padding = 0;
};

// ---- session --------------------------------------------------------------------------------------------

/// setsid(2).
struct NewSession : Operation {
  static constexpr Op kOp = Op::new_session;
};

/// keyctl(KEYCTL_JOIN_SESSION_KEYRING, name); ENOSYS and EPERM are tolerated, EDQUOT is not.
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

// ---- mounts ---------------------------------------------------------------------------------------------

/// mount(NULL, "/", NULL, flags): MS_SLAVE|MS_REC and the like, on the root of the mount namespace.
struct SetPropagation : Operation {
  static constexpr Op kOp = Op::set_propagation;
  u64 flags = 0;
};

/// open_tree(host path, OPEN_TREE_CLONE): for a davit without the privilege to clone mounts itself. Must come
/// before pivot_root; ENOENT and ENOTDIR are errors.
struct OpenTree : Operation {
  static constexpr Op kOp = Op::open_tree;
  Str host_path;
  u32 recursive = 0;
  Slot tree = kNoSlot;  ///< filled
  u16 padding = 0;
};

/// A set of changes for mount_setattr(2); propagation is 0 or one of MS_{SHARED,SLAVE,PRIVATE,UNBINDABLE}.
struct MountAttributes {
  u64 set = 0;    ///< MOUNT_ATTR_*
  u64 clear = 0;  ///< MOUNT_ATTR_*
  u64 propagation = 0;
};

/// Attaches a detached tree over the root of the mount namespace and keeps it in `tree` as the root of all
/// later container paths; `attributes` are applied before. pivot_root or change_root goes there later.
struct AttachRoot : Operation {
  static constexpr Op kOp = Op::attach_root;
  Slot tree = kNoSlot;
  u16 padding[3] = {};
  MountAttributes attributes;            ///< not recursive
  MountAttributes recursive_attributes;  ///< AT_RECURSIVE
};

enum class TargetKind : u8 {
  directory,  ///< missing: made, with missing parents (0755)
  file,       ///< missing: an empty file is made (0644... 0755 parents)
};

enum TargetFlags : u32 {
  kTargetMustBeOrdinary = 1,  ///< no symlink anywhere on the way: /proc and /sys (CVE-2019-19921)
  kTargetMustExist = 2,
  kTargetNoFollow = 4,  ///< do not follow a symlink in the last component (dest-nofollow)
  kTargetInProc = 8,    ///< may be in the procfs at /proc; others may not, whatever symlink leads there
};

/// Where a mount goes.
struct Target {
  Str path;  ///< absolute, in the container
  TargetKind kind{};
  u8 padding[3] = {};
  u32 flags = 0;  ///< TargetFlags
};

struct FilesystemOption {
  Str key;
  Str value;
  u32 is_flag = 0;  ///< 1: FSCONFIG_SET_FLAG, value unused
  u32 padding = 0;
};

enum MountFlags : u32 {
  kMountCopyUp = 1,    ///< tmpcopyup: copy what lies at the target into the new filesystem first
  kMountKeepSlot = 2,  ///< keep the fsmount descriptor in `mount`
  kMountSysfsFallback =
      4  ///< EPERM/EINVAL (user namespace without own network namespace): bind the host's /sys
};

/// fsopen, fsconfig, fsmount, move_mount. On failure the kernel's own message (fsopen log) becomes the
/// detail.
struct MountFilesystem : Operation {
  static constexpr Op kOp = Op::mount_filesystem;
  Str type;
  Str source;
  List<FilesystemOption> options;
  Target target;
  MountAttributes attributes;
  u32 flags = 0;  ///< MountFlags
  Slot root = kNoSlot;
  Slot mount = kNoSlot;  ///< filled with kMountKeepSlot
};

/// Puts a detached tree (slot `tree`, empty afterwards) at the target: bind mounts, devices in user
/// namespaces.
struct MountTree : Operation {
  static constexpr Op kOp = Op::mount_tree;
  Slot tree = kNoSlot;
  Slot root = kNoSlot;
  u16 keep_tree = 0;  ///< the slot stays filled: the tree is the root of later paths
  u16 padding = 0;
  Target target;
  MountAttributes attributes;
  MountAttributes recursive_attributes;
};

/// Changes the mount that is at the target (option `remount`, or flags that must come after all mounts).
struct Remount : Operation {
  static constexpr Op kOp = Op::remount;
  Slot root = kNoSlot;
  u16 padding[3] = {};
  Target target;
  MountAttributes attributes;
  MountAttributes recursive_attributes;
  List<FilesystemOption> options;  ///< for the filesystem itself (fspick); none: it stays as it is
};

/// mknodat below root; an existing node must be of the same type and number. Missing parents are made (0755).
/// Where mknod is not allowed (user namespaces: EPERM, or at once with `bind`) the host's node `host_path` is
/// checked to be of the same type and number and bound onto an empty file. Before pivot_root.
struct MakeDevice : Operation {
  static constexpr Op kOp = Op::make_device;
  Str path;
  Str host_path;
  u32 bind = 0;
  u32 mode = 0;  ///< S_IFCHR|S_IFBLK|S_IFIFO and permission bits
  u32 uid = 0;
  u32 gid = 0;
  u32 major = 0;
  u32 minor = 0;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// symlinkat below root. An existing symlink with the same content is fine; anything else at that place stays
/// untouched when `keep_existing`, and is an error otherwise.
struct MakeSymlink : Operation {
  static constexpr Op kOp = Op::make_symlink;
  Str content;
  Str path;
  Slot root = kNoSlot;
  u16 keep_existing = 0;
  u32 replace = 0;  ///< 1: an existing regular file, device or symlink is removed first (dev/ptmx)
};

/// Makes a directory (and its parents, 0755) if it is missing.
struct MakeDirectory : Operation {
  static constexpr Op kOp = Op::make_directory;
  Str path;
  u32 mode = 0;
  Slot root = kNoSlot;
  u16 padding = 0;
};

/// Hides a path: a directory below an empty read-only tmpfs (one, shared), a file below the host's /dev/null
/// (verified to be c 1:3, CVE-2025-31133). A missing path is fine. Before pivot_root.
struct MaskPath : Operation {
  static constexpr Op kOp = Op::mask_path;
  Str path;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// Makes a path read-only (bind onto itself, recursive clone, flags kept). A missing path is fine.
struct ProtectPath : Operation {
  static constexpr Op kOp = Op::protect_path;
  Str path;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// mount_setattr on the root mount itself: read-only root, and its final propagation.
struct SealRoot : Operation {
  static constexpr Op kOp = Op::seal_root;
  Slot root = kNoSlot;
  u16 recursive_propagation = 0;
  u32 padding = 0;
  MountAttributes attributes;
};

/// fchdir(root), pivot_root(".", "."), umount2(".", MNT_DETACH), chdir("/").
struct PivotRoot : Operation {
  static constexpr Op kOp = Op::pivot_root;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// --no-pivot: fchdir(root), MS_MOVE onto "/", chroot("."), and the host's /proc and /sys are detached first.
struct ChangeRoot : Operation {
  static constexpr Op kOp = Op::change_root;
  Slot root = kNoSlot;
  u16 padding[3] = {};
};

/// exec into a container made with --no-pivot, or without mount namespace: fchdir(slot), chroot(".").
struct EnterRoot : Operation {
  static constexpr Op kOp = Op::enter_root;
  Slot directory = kNoSlot;
  u16 padding[3] = {};
};

// ---- console --------------------------------------------------------------------------------------------

/// Opens a new pty in the container's devpts (checked to be one; TIOCGPTPEER, CVE-2025-52565), sends the
/// master with Message::console, makes the slave stdin, stdout, stderr and the controlling terminal, clears
/// ONLCR, sets the size, gives it to uid, and with `bind_console` mounts it on /dev/console. After
/// pivot_root.
struct OpenConsole : Operation {
  static constexpr Op kOp = Op::open_console;
  u16 rows = 0;  ///< 0: leave
  u16 columns = 0;
  u32 uid = 0;
  u32 bind_console = 0;
  u32 padding = 0;
};

/// fchown(2) stdin, stdout and stderr to uid, as far as the kernel lets us; never /dev/null (it is the
/// host's).
struct OwnStdio : Operation {
  static constexpr Op kOp = Op::own_stdio;
  u32 uid = 0;
  u32 padding = 0;
};

// ---- kernel settings ------------------------------------------------------------------------------------

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

/// sched_setaffinity(2).
struct SetAffinity : Operation {
  static constexpr Op kOp = Op::set_affinity;
  List<u64> mask;
};

/// personality(2).
struct SetPersonality : Operation {
  static constexpr Op kOp = Op::set_personality;
  u64 persona = 0;
};

// ---- identity -------------------------------------------------------------------------------------------

struct SetUmask : Operation {
  static constexpr Op kOp = Op::set_umask;
  u32 mask = 0;
  u32 padding = 0;
};

/// PR_CAPBSET_DROP for every capability the kernel knows that is not in keep.
struct DropBounding : Operation {
  static constexpr Op kOp = Op::drop_bounding;
  u64 keep = 0;
  u32 last = 63;  ///< the highest that the kernel knows, or more
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

/// seccomp(SECCOMP_SET_MODE_FILTER). The filter stands in the program, or in the sealed memfd in `late`. With
/// SECCOMP_FILTER_FLAG_NEW_LISTENER the listener goes to the host (Message::seccomp_listener), sent by a
/// helper task that is not under the filter.
struct LoadSeccomp : Operation {
  static constexpr Op kOp = Op::load_seccomp;
  List<u64> filter;  ///< struct sock_filter each
  u32 flags = 0;     ///< SECCOMP_FILTER_FLAG_*
  Slot late = kNoSlot;
  u16 padding = 0;
};

// ---- execution ------------------------------------------------------------------------------------------

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
  u32 padding = 0;
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

// ---- messages -------------------------------------------------------------------------------------------

enum class MessageType : u32 {
  failed = 1,         ///< init -> host: operation, error, detail, text; the sender exits 1 next
  warning,            ///< init -> host: operation, error, detail, text; goes on
  reached,            ///< both ways: point (or, with kTrace, operation)
  child,              ///< stage -> host: pid; SCM_RIGHTS: pidfd
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
  set_attributes,
  copy_up,
  clone_tree,
  wrong_device,
  not_dev_null,
  make_node,
  // console
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
  i32 pid = 0;  ///< child: its pid; failed: index of the operation that waited for the start, or 0
  u64 value = 0;
  char text[480] = {};  ///< NUL-terminated: a path, kernel log, or output of a hook
};
static_assert(sizeof(Message) == 512);

}  // namespace davit::program
