// SPDX-License-Identifier: Apache-2.0
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u32 kMaxLinks = 40;
constexpr u32 kDirectoryMode = 0755;
constexpr u32 kFileMode = 0644;

/// What a missing path becomes.
struct Making {
  program::TargetKind kind = program::TargetKind::directory;
  u32 mode = kDirectoryMode;
  u64 resolve = 0;     ///< RESOLVE_* on top
  bool follow = true;  ///< a symlink in the last component
};

/// A path being walked; rewritten when a dangling symlink on the way is replaced by what it says.
struct Walk {
  char path[kPathMax];
  u32 links = 0;
};

bool is_name(const char* name) {
  return name[0] != '\0' && !is_equal(name, ".") && !is_equal(name, "..") && !contains(name, '/');
}

/// End of the component that begins at (or after the slashes at) `from`.
u32 component_end(const char* path, u32 from) {
  while (path[from] == '/') ++from;
  while (path[from] != '\0' && path[from] != '/') ++from;
  return from;
}

bool is_last(const char* path, u32 end) {
  while (path[end] == '/') ++end;
  return path[end] == '\0';
}

/// Opens the first `end` bytes of the path.
long open_prefix(FdRef root, Walk& walk, u32 end, u64 flags, u64 resolve) {
  const char saved = walk.path[end];
  walk.path[end] = '\0';
  const long opened = open_below(root, walk.path[0] == '\0' ? "/" : walk.path, flags, resolve);
  walk.path[end] = saved;
  return opened;
}

/// The component [begin, end) exists but leads nowhere: a dangling symlink. Goes on with what it says, as
/// images with /etc/resolv.conf -> ../run/... expect. openat2 still decides where that lies.
Status follow_dangling(Walk& walk, FdRef parent, u32 begin, u32 end) {
  if (++walk.links > kMaxLinks) return {ELOOP, Detail::create_target};
  char link[1024];
  const char saved = walk.path[end];
  walk.path[end] = '\0';
  const long length = syscall(__NR_readlinkat, parent, walk.path + begin, link, sizeof link);
  walk.path[end] = saved;
  // Not a symlink after all: somebody made it in the meantime, so simply look again.
  if (length == -EINVAL || length == -ENOENT) return kDone;
  INIT_TRY(check(length, Detail::create_target));
  if (length == sizeof link) return {ENAMETOOLONG, Detail::create_target};

  const u32 rest = length_of(walk.path + end);
  const u32 kept = link[0] == '/' ? 0 : begin;
  if (kept + static_cast<u32>(length) + rest >= kPathMax) return {ENAMETOOLONG, Detail::create_target};
  __builtin_memmove(walk.path + kept + length, walk.path + end, rest + 1);
  __builtin_memcpy(walk.path + kept, link, static_cast<u64>(length));
  return kDone;
}

/// Makes one missing component below `parent`. EEXIST comes back as an error.
long make_component(FdRef parent, const char* name, bool is_file, u32 mode) {
  if (!is_file) return syscall(__NR_mkdirat, parent, name, mode);
  const long made =
      syscall(__NR_openat, parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  const Fd closed_again(made);  // at once: an open writer keeps the root from becoming read-only
  return made < 0 ? made : 0;
}

/// Makes the last component where all above it is there, as it mostly is: one look at the whole way instead
/// of one at each step of it. Whatever stands against that is left to who goes step by step.
bool make_last(FdRef root, const char* path, const Making& making) {
  char directory[kPathMax];
  const char* name = nullptr;
  if (split(path, directory, name).failed()) return false;
  const SweptFd parent(open_below(root, directory, O_PATH | O_DIRECTORY, making.resolve));
  const bool is_file = making.kind == program::TargetKind::file;
  return parent.is_open() && make_component(parent, name, is_file, making.mode) >= 0;
}

/// Makes what is missing of the path, component by component. Every round opens the longest prefix anew from
/// the root, so that a symlink somebody plants meanwhile can lead nowhere else.
Status make_missing(Context& context, FdRef root, Walk& walk, const Making& making) {
  u32 end = 0;
  for (u32 rounds = 0; !is_last(walk.path, end); ++rounds) {
    if (rounds > kPathMax) return {ELOOP, Detail::create_target};
    const u32 parent_end = end;
    u32 begin = end;
    while (walk.path[begin] == '/') ++begin;
    end = component_end(walk.path, begin);
    const bool last = is_last(walk.path, end);
    const long found =
        open_prefix(root, walk, end, O_PATH | (last && !making.follow ? O_NOFOLLOW : 0), making.resolve);
    const SweptFd existing(found);
    if (existing.is_open()) continue;
    if (found != -ENOENT) return check(found, Detail::resolve_target);

    const long opened = open_prefix(root, walk, parent_end, O_PATH | O_DIRECTORY, making.resolve);
    INIT_TRY(check(opened, Detail::create_target));
    const SweptFd parent(opened);
    const char saved = walk.path[end];
    walk.path[end] = '\0';
    const bool valid = is_name(walk.path + begin);
    const bool is_file = last && making.kind == program::TargetKind::file;
    const long made = make_component(parent, walk.path + begin, is_file, last ? making.mode : kDirectoryMode);
    if (made < 0) say(context, walk.path);
    walk.path[end] = saved;
    if (made == -EEXIST && valid && (making.resolve & RESOLVE_NO_SYMLINKS) == 0) {
      INIT_TRY(follow_dangling(walk, parent, begin, end));
      end = 0;
      continue;
    }
    INIT_TRY(check(made, Detail::create_target));
  }
  context.message.text[0] = '\0';
  return kDone;
}

Status open_making(Context& context, FdRef root, const char* path, const Making& making, bool must_exist,
                   Fd& opened) {
  const bool is_directory = making.kind == program::TargetKind::directory;
  const u64 flags = O_PATH | (making.follow ? 0 : O_NOFOLLOW) | (is_directory ? O_DIRECTORY : 0);
  long result = open_below(root, path, flags, making.resolve);
  if (result == -ENOENT && !must_exist) {
    Walk walk;
    walk.links = 0;
    const u32 length = length_of(path);
    if (length >= kPathMax) return {ENAMETOOLONG, Detail::resolve_target};
    __builtin_memcpy(walk.path, path, length + 1);
    if (!make_last(root, walk.path, making)) INIT_TRY(make_missing(context, root, walk, making));
    result = open_below(root, walk.path, flags, making.resolve);
  }
  INIT_TRY(check(result, Detail::resolve_target));
  opened = Fd(result);
  return kDone;
}

Status mount_of(FdRef file, u64& id) {
  struct statx info;
  INIT_TRY(check(syscall(__NR_statx, file, "", AT_EMPTY_PATH, STATX_MNT_ID, &info), Detail::resolve_target));
  id = info.stx_mnt_id;
  return kDone;
}

/// The kernel's interface to security settings stays the real one (CVE-2019-16884).
Status check_outside_proc(FdRef root, FdRef target) {
  struct statfs filesystem;
  INIT_TRY(check(syscall(__NR_fstatfs, target, &filesystem), Detail::resolve_target));
  if (filesystem.f_type != PROC_SUPER_MAGIC) return kDone;
  const SweptFd proc(open_below(root, "/proc", O_PATH));
  if (!proc.is_open()) return kDone;
  u64 own = 0;
  u64 found = 0;
  INIT_TRY(mount_of(proc, own));
  INIT_TRY(mount_of(target, found));
  return own == found ? Status{EPERM, Detail::inside_proc} : kDone;
}

}  // namespace

long open_below(FdRef root, const char* path, u64 flags, u64 resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS | resolve;
  if ((resolve & RESOLVE_BENEATH) == 0) how.resolve |= RESOLVE_IN_ROOT;
  long opened = -EAGAIN;
  for (u32 attempt = 0; attempt < 128 && (opened == -EAGAIN || opened == -EINTR); ++attempt)
    opened = syscall(__NR_openat2, root, path, &how, sizeof how);
  return opened;
}

Status look(FdRef file, Node& node) {
  return look(file, "", node);
}

Status look(FdRef directory, const char* path, Node& node) {
  struct statx info;
  const u32 flags = path[0] == '\0' ? AT_EMPTY_PATH : 0;
  const u32 wanted = STATX_TYPE | STATX_MODE | STATX_UID;
  INIT_TRY(check(syscall(__NR_statx, directory, path, flags, wanted, &info)));
  node = {info.stx_mode, info.stx_rdev_major, info.stx_rdev_minor, info.stx_uid};
  return kDone;
}

Status split(const char* path, char (&directory)[kPathMax], const char*& name) {
  u32 begin = 0;
  for (u32 at = 0; path[at] != '\0'; ++at)
    if (path[at] == '/') begin = at + 1;
  name = path + begin;
  if (!is_name(name)) return {EINVAL, Detail::resolve_target};
  if (begin >= sizeof directory) return {ENAMETOOLONG, Detail::resolve_target};
  directory[0] = '/';
  directory[1] = '\0';
  if (begin > 0) {
    __builtin_memcpy(directory, path, begin);
    directory[begin] = '\0';
  }
  return kDone;
}

Status open_target(Context& context, FdRef root, const program::Target& target, Fd& opened) {
  const bool is_ordinary = (target.flags & program::kTargetMustBeOrdinary) != 0;
  Making making;
  making.kind = target.kind;
  making.resolve = is_ordinary ? RESOLVE_NO_SYMLINKS : 0;
  making.follow = (target.flags & program::kTargetNoFollow) == 0;
  const bool must_exist = (target.flags & program::kTargetMustExist) != 0;
  // That a file is no place for a directory's mount, and the other way round, move_mount finds by itself.
  Status status = open_making(context, root, context.text(target.path), making, must_exist, opened);
  if (is_ordinary && (status.error == ELOOP || status.error == ENOTDIR))
    status.detail = Detail::not_ordinary_directory;
  const bool may_be_in_proc = (target.flags & program::kTargetInProc) != 0;
  if (status.failed() || is_ordinary || may_be_in_proc) return status;
  return check_outside_proc(root, opened);
}

Status make_directories(Context& context, FdRef root, const char* path, u32 mode, Fd& opened) {
  Making making;
  making.mode = mode;
  return open_making(context, root, path, making, false, opened);
}

Status make_file(Context& context, FdRef root, const char* path, Fd& opened) {
  Making making;
  making.kind = program::TargetKind::file;
  making.follow = false;
  return open_making(context, root, path, making, false, opened);
}

Status open_parent(Context& context, FdRef root, const char* path, Fd& parent, const char*& name) {
  char directory[kPathMax];
  INIT_TRY(split(path, directory, name));
  return make_directories(context, root, directory, kDirectoryMode, parent);
}

Status open_root(Fd& root) {
  const long opened = syscall(__NR_openat, kWorkingDirectory, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  root = Fd(opened);
  return check(opened);
}

}  // namespace davit::init
