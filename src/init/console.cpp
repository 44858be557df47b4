// SPDX-License-Identifier: Apache-2.0
// The container's terminal, from its own devpts and from nowhere else.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u32 kPtmxMajor = 5;
constexpr u32 kPtmxMinor = 2;

struct WindowSize {
  u16 rows;
  u16 columns;
  u16 width;
  u16 height;
};

/// The multiplexer of a devpts, and nothing that somebody put in its place.
Status check_ptmx(FdRef file) {
  struct statfs filesystem;
  INIT_TRY(check(syscall(__NR_fstatfs, file, &filesystem), Detail::open_ptmx));
  if (filesystem.f_type != DEVPTS_SUPER_MAGIC) return {EINVAL, Detail::not_devpts};
  Node node;
  INIT_TRY(look(file, node));
  const bool is_ptmx = node.type() == kTypeCharacter && node.major == kPtmxMajor && node.minor == kPtmxMinor;
  return is_ptmx ? kDone : Status{EINVAL, Detail::not_devpts};
}

/// Looks before it opens: opening an unknown device may do something.
Status open_ptmx(FdRef root, const char* path, Fd& master) {
  const long found = open_below(root, path, O_PATH);
  INIT_TRY(check(found, Detail::open_ptmx));
  const Fd seen(found);
  INIT_TRY(check_ptmx(seen));
  const long opened = open_below(root, path, O_RDWR | O_NOCTTY);
  INIT_TRY(check(opened, Detail::open_ptmx));
  Fd file(opened);
  INIT_TRY(check_ptmx(file));
  master = static_cast<Fd&&>(file);
  return kDone;
}

Status open_master(FdRef root, Fd& master) {
  const Status first = open_ptmx(root, "/dev/pts/ptmx", master);
  return first.error == ENOENT ? open_ptmx(root, "/dev/ptmx", master) : first;
}

Status open_slave(FdRef master, Fd& slave) {
  const i32 unlocked = 0;
  INIT_TRY(check(syscall(__NR_ioctl, master, TIOCSPTLCK, &unlocked), Detail::grant_pty));
  // By the kernel's own link from master to slave: a path could be redirected.
  const long opened = syscall(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  INIT_TRY(check(opened, Detail::grant_pty));
  slave = Fd(opened);
  return kDone;
}

Status prepare(FdRef slave, const program::OpenConsole& operation) {
  if (operation.clear_onlcr != 0) {
    struct termios mode;
    INIT_TRY(check(syscall(__NR_ioctl, slave, TCGETS, &mode), Detail::grant_pty));
    mode.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    INIT_TRY(check(syscall(__NR_ioctl, slave, TCSETS, &mode), Detail::grant_pty));
  }
  if (operation.rows != 0 || operation.columns != 0) {
    const WindowSize size{operation.rows, operation.columns, 0, 0};
    INIT_TRY(check(syscall(__NR_ioctl, slave, TIOCSWINSZ, &size), Detail::grant_pty));
  }
  return check(syscall(__NR_fchown, slave, operation.uid, -1), Detail::grant_pty);
}

Status bind_console(Context& context, FdRef root, FdRef slave) {
  const long cloned = syscall(__NR_open_tree, slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  INIT_TRY(check(cloned, Detail::bind_console));
  const Fd tree(cloned);
  Fd target;
  const Status opened = make_file(context, root, "/dev/console", target);
  if (opened.failed()) return {opened.error, Detail::bind_console};
  Node node;
  INIT_TRY(look(target, node));
  if (node.type() == kTypeLink || node.type() == kTypeDirectory) return {ELOOP, Detail::bind_console};
  const Status attached = attach(tree, target);
  return {attached.error, attached.failed() ? Detail::bind_console : Detail::none};
}

Status take_over(FdRef slave) {
  for (i32 number = 0; number <= 2; ++number)
    INIT_TRY(check(syscall(__NR_dup3, slave, number, 0), Detail::controlling_terminal));
  return kDone;
}

/// The container's /dev/null, which is the container's business: it may be anything by now.
Status open_null(Fd& null) {
  SweptFd root;
  INIT_TRY(open_root(root));
  constexpr u64 kLookThenOpen[] = {O_PATH, O_RDWR | O_NOCTTY};
  for (const u64 flags : kLookThenOpen) {
    const long opened = open_below(root, "/dev/null", flags);
    INIT_TRY(check(opened, Detail::no_null_device));
    null = Fd(opened);
    Node node;
    INIT_TRY(look(null, node));
    if (!node.is_null_device()) return {ENODEV, Detail::no_null_device};
  }
  return kDone;
}

Status replace_null(Fd& null, i32 number) {
  if (!null.is_open()) INIT_TRY(open_null(null));
  return check(syscall(__NR_dup3, FdRef(null), number, 0), Detail::no_null_device);
}

/// A device has an owner on the host, whom this concerns as well.
Status give(FdRef file, const Node& node, u32 uid) {
  if (node.type() == kTypeCharacter || node.type() == kTypeBlock || node.uid == uid) return kDone;
  const long owned = syscall(__NR_fchown, file, uid, -1);
  // Not ours to give away, or of a filesystem that knows no owners: the process gets along without.
  if (owned == -EPERM || owned == -EINVAL || owned == -EROFS || owned == -EACCES) return kDone;
  return check(owned);
}

}  // namespace

Status perform(Context& context, const program::OpenConsole& operation) {
  SweptFd root;
  INIT_TRY(open_root(root));
  Fd master;
  INIT_TRY(open_master(root, master));
  Fd slave;
  INIT_TRY(open_slave(master, slave));
  INIT_TRY(prepare(slave, operation));
  if (operation.bind_console != 0) INIT_TRY(bind_console(context, root, slave));
  INIT_TRY(take_over(slave));
  u32 index = 0;
  INIT_TRY(check(syscall(__NR_ioctl, FdRef(master), TIOCGPTN, &index), Detail::grant_pty));
  Writer(context.message.text).add("/dev/pts/").add_number(index);
  return send(context, MessageType::console, operation, {}, master);
}

Status perform(Context& /*context*/, const program::TakeTerminal& /*operation*/) {
  return check(syscall(__NR_ioctl, 0, TIOCSCTTY, 0), Detail::controlling_terminal);
}

Status perform(Context& /*context*/, const program::OwnStdio& operation) {
  Fd null;
  for (i32 number = 0; number <= 2; ++number) {
    Node node;
    if (look(FdRef{number}, node).failed()) continue;
    if (node.is_null_device())
      INIT_TRY(replace_null(null, number));
    else
      INIT_TRY(give(FdRef{number}, node, operation.uid));
  }
  return kDone;
}

}  // namespace davit::init
