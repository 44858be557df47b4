// SPDX-License-Identifier: Apache-2.0
// tmpcopyup: what an image has at a place moves into the empty filesystem that is about to cover it.
// The source is hostile and may change meanwhile: everything is opened by single names that are not followed.
#include "init/mounting.hpp"
#include "init/paths.hpp"

namespace davit::init {
namespace {

constexpr u32 kMaxDepth = 64;
constexpr u64 kListSize = 65536;   // XATTR_LIST_MAX
constexpr u64 kValueSize = 65536;  // XATTR_SIZE_MAX

/// Buffers for extended attributes: too large for the stack, and untouched pages cost nothing.
class Buffers {
 public:
  Buffers()
      : base_(syscall(__NR_mmap, nullptr, kListSize + kValueSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  ~Buffers() {
    if (is_good()) syscall(__NR_munmap, base_, kListSize + kValueSize);
  }
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;
  [[nodiscard]] bool is_good() const { return base_ >= 0; }
  [[nodiscard]] char* list() const { return reinterpret_cast<char*>(base_); }
  [[nodiscard]] char* value() const { return reinterpret_cast<char*>(base_) + kListSize; }

 private:
  long base_;
};

struct Copier {
  Context& context;
  Buffers buffers;
};

/// One entry of a directory on both sides.
struct Entry {
  FdRef from;
  FdRef to;
  const char* name;
  struct statx info;
};

Status copied(long result) {
  return check(result, Detail::copy_up);
}

Status write_all(FdRef to, const char* bytes, long size) {
  while (size > 0) {
    const long written = syscall(__NR_write, to, bytes, size);
    if (written == -EINTR) continue;
    INIT_TRY(copied(written));
    bytes += written;
    size -= written;
  }
  return kDone;
}

Status copy_bytes(FdRef from, FdRef to) {
  for (;;) {
    const long sent = syscall(__NR_sendfile, to, from, nullptr, 1 << 30);
    if (sent == 0) return kDone;
    if (sent == -EINVAL || sent == -ENOSYS) break;  // a filesystem that cannot splice
    if (sent != -EINTR) INIT_TRY(copied(sent));
  }
  char block[kPathMax];
  for (;;) {
    const long got = syscall(__NR_read, from, block, sizeof block);
    if (got == 0) return kDone;
    if (got == -EINTR) continue;
    INIT_TRY(copied(got));
    INIT_TRY(write_all(to, block, got));
  }
}

/// As many as the new filesystem takes: a tmpfs may know fewer, and a user namespace may set fewer.
void copy_attributes(const Copier& copier, FdRef from, FdRef to) {
  const long listed = syscall(__NR_flistxattr, from, copier.buffers.list(), kListSize);
  for (long at = 0; at < listed;) {
    const char* name = copier.buffers.list() + at;
    const long size = syscall(__NR_fgetxattr, from, name, copier.buffers.value(), kValueSize);
    if (size >= 0) syscall(__NR_fsetxattr, to, name, copier.buffers.value(), size, 0);
    at += length_of(name) + 1;
  }
}

/// Owner before mode, because a change of owner clears set-id bits; times last.
Status copy_status(const Entry& entry) {
  const struct statx& info = entry.info;
  const long owned =
      syscall(__NR_fchownat, entry.to, entry.name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (owned != -EINVAL) INIT_TRY(copied(owned));  // EINVAL: an owner that has no name in our user namespace
  if ((info.stx_mode & kTypeMask) != kTypeLink)
    INIT_TRY(copied(syscall(__NR_fchmodat, entry.to, entry.name, info.stx_mode & 07777)));
  const __kernel_timespec times[2] = {{info.stx_atime.tv_sec, info.stx_atime.tv_nsec},
                                      {info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec}};
  return copied(syscall(__NR_utimensat, entry.to, entry.name, times, AT_SYMLINK_NOFOLLOW));
}

Status copy_file(const Copier& copier, const Entry& entry) {
  const long opened =
      syscall(__NR_openat, entry.from, entry.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  INIT_TRY(copied(opened));
  const Fd from(opened);
  Node node;
  INIT_TRY(look(from, node));
  if (node.type() != kTypeRegular) return {ESTALE, Detail::copy_up};
  const long made =
      syscall(__NR_openat, entry.to, entry.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  INIT_TRY(copied(made));
  const Fd to(made);
  INIT_TRY(copy_bytes(from, to));
  copy_attributes(copier, from, to);
  return kDone;
}

Status copy_link(const Entry& entry) {
  char content[kPathMax];
  const long length = syscall(__NR_readlinkat, entry.from, entry.name, content, sizeof content);
  INIT_TRY(copied(length));
  if (length == sizeof content) return {ENAMETOOLONG, Detail::copy_up};
  content[length] = '\0';
  return copied(syscall(__NR_symlinkat, content, entry.to, entry.name));
}

Status copy_node(const Entry& entry) {
  const u64 device = (entry.info.stx_rdev_minor & 0xffU) | static_cast<u64>(entry.info.stx_rdev_major) << 8 |
                     static_cast<u64>(entry.info.stx_rdev_minor & ~0xffU) << 12;
  return copied(syscall(__NR_mknodat, entry.to, entry.name, entry.info.stx_mode, device));
}

Status copy_directory(Copier& copier, FdRef from, FdRef to, u32 depth);

Status descend(Copier& copier, const Entry& entry, u32 depth) {
  INIT_TRY(copied(syscall(__NR_mkdirat, entry.to, entry.name, 0700)));
  const u32 flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const long source = syscall(__NR_openat, entry.from, entry.name, flags);
  INIT_TRY(copied(source));
  const Fd from(source);
  const long target = syscall(__NR_openat, entry.to, entry.name, flags);
  INIT_TRY(copied(target));
  const Fd to(target);
  INIT_TRY(copy_directory(copier, from, to, depth + 1));
  copy_attributes(copier, from, to);
  return kDone;
}

Status copy_entry(Copier& copier, Entry& entry, u32 depth) {
  const long seen = syscall(__NR_statx, entry.from, entry.name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
                            STATX_BASIC_STATS, &entry.info);
  if (seen == -ENOENT) return kDone;  // gone since it was listed
  INIT_TRY(copied(seen));
  switch (entry.info.stx_mode & kTypeMask) {
    case kTypeDirectory:
      INIT_TRY(descend(copier, entry, depth));
      break;
    case kTypeRegular:
      INIT_TRY(copy_file(copier, entry));
      break;
    case kTypeLink:
      INIT_TRY(copy_link(entry));
      break;
    default:
      INIT_TRY(copy_node(entry));
      break;
  }
  return copy_status(entry);
}

Status copy_directory(Copier& copier, FdRef from, FdRef to, u32 depth) {
  if (depth > kMaxDepth) return {ELOOP, Detail::copy_up};
  alignas(DirectoryEntry) char listing[1024];
  for (;;) {
    const long got = syscall(__NR_getdents64, from, listing, sizeof listing);
    INIT_TRY(copied(got));
    if (got == 0) return kDone;
    for (long at = 0; at < got;) {
      const auto& found = *reinterpret_cast<const DirectoryEntry*>(listing + at);
      at += found.size;
      if (is_equal(found.name, ".") || is_equal(found.name, "..")) continue;
      Entry entry{from, to, found.name, {}};
      const Status status = copy_entry(copier, entry, depth);
      if (status.failed() && copier.context.message.text[0] == '\0') say(copier.context, found.name);
      INIT_TRY(status);
    }
  }
}

}  // namespace

Status copy_up(Context& context, FdRef from, FdRef to) {
  Copier copier{context, {}};
  if (!copier.buffers.is_good()) return {ENOMEM, Detail::copy_up};
  return copy_directory(copier, from, to, 0);
}

}  // namespace davit::init
