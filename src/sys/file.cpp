// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "sys/call.hpp"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace davit::sys {

void UniqueFd::reset() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

void SpentFds::add(UniqueFd file) {
  if (!file.valid()) return;
  if (count_ == numbers_.size()) close();
  numbers_[count_++] = file.release();
}

void SpentFds::close() {
  std::sort(numbers_.begin(), numbers_.begin() + static_cast<std::ptrdiff_t>(count_));
  for (std::size_t begin = 0, end = 0; begin < count_; begin = end) {
    for (end = begin + 1; end < count_ && numbers_[end] == numbers_[end - 1] + 1;) ++end;
    const auto first = static_cast<unsigned>(numbers_[begin]);
    const auto last = static_cast<unsigned>(numbers_[end - 1]);
    if (last > first && ::syscall(SYS_close_range, first, last, 0U) == 0) continue;
    for (std::size_t i = begin; i < end; ++i) ::close(numbers_[i]);
  }
  count_ = 0;
}

FdRef current_directory() {
  return FdRef::of(AT_FDCWD);
}

Result<UniqueFd> open_at(FdRef directory, const std::string& path, int flags, mode_t mode) {
  const int number =
      retry([&] { return ::openat(directory.number(), path.c_str(), flags | O_CLOEXEC, mode); });
  if (number < 0) return failed("open", path);
  return UniqueFd::adopt(number);
}

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode) {
  return open_at(current_directory(), path, flags, mode);
}

Result<UniqueFd> open_at2(FdRef directory, const std::string& path, int flags, std::uint64_t resolve,
                          mode_t mode) {
  struct open_how how = {};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  long number = -1;
  for (int attempt = 0; attempt < 128; ++attempt) {
    number =
        retry([&] { return ::syscall(SYS_openat2, directory.number(), path.c_str(), &how, sizeof how); });
    if (number >= 0 || errno != EAGAIN) break;
  }
  if (number < 0) return failed("open", path);
  return UniqueFd::adopt(static_cast<int>(number));
}

namespace {

/// `size`: what fstat(2) says; 0: not known.
Result<std::string> read_to_end(FdRef file, std::size_t limit, std::size_t size) {
  std::string content;
  // Before anything is allocated for it.
  if (size > limit) return system_error(EFBIG, "read file");
  const bool has_size = size > 0;
  std::size_t room = has_size ? size + 1 : 4096;
  for (;;) {
    const std::size_t have = content.size();
    if (have > limit) {
      errno = EFBIG;
      return failed("read", "file");
    }
    content.resize(have + room);
    const ssize_t count = retry([&] { return ::read(file.number(), content.data() + have, room); });
    if (count < 0) return failed("read", "file");
    content.resize(have + static_cast<std::size_t>(count));
    if (count == 0 || (has_size && static_cast<std::size_t>(count) < room)) return content;
    room = 4096;
  }
}

}  // namespace

Result<std::string> read_all(FdRef file, std::size_t limit) {
  return read_all(file, stat_of(file).value_or({}), limit);
}

Result<std::string> read_all(FdRef file, const struct stat& status, std::size_t limit) {
  const bool has_size = S_ISREG(status.st_mode) && status.st_size > 0;
  return read_to_end(file, limit, has_size ? static_cast<std::size_t>(status.st_size) : 0);
}

Result<std::string> read_records(const std::string& path, std::size_t limit) {
  const UniqueFd file = TRY(open(path, O_RDONLY));
  auto content = read_to_end(file, limit, 0);
  if (!content.ok()) content.error().message = Text<768>("read ").append(path);
  return content;
}

namespace {

Error named(Error error, std::string_view path) {
  error.message = Text<768>("read ").append(path);
  if (error.errno_value == EFBIG) error.advise("no such file needs to be that large");
  return error;
}

/// Never waits for whoever may be at the other end of a pipe or device.
Result<UniqueFd> open_to_read(FdRef directory, const std::string& path) {
  return open_at(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

Error not_regular(const std::string& path) {
  return make_error(Code::invalid_argument, path + " is not a regular file");
}

/// Reads a pipe to its end; a writer that goes silent is given up.
Result<std::string> read_pipe(FdRef pipe, std::size_t limit) {
  constexpr int kPatience = 10'000;  // milliseconds
  std::string content;
  for (;;) {
    struct pollfd entry = {pipe.number(), POLLIN, 0};
    const int ready = retry([&] { return ::poll(&entry, 1, kPatience); });
    if (ready < 0) return failed("poll", "pipe");
    if (ready == 0) return system_error(ETIMEDOUT, "wait for the writer of the pipe");
    char block[4096];
    const ssize_t count = retry([&] { return ::read(pipe.number(), block, sizeof block); });
    if (count < 0 && errno == EAGAIN) continue;
    if (count < 0) return failed("read", "pipe");
    if (count == 0) return content;
    content.append(block, static_cast<std::size_t>(count));
    if (content.size() > limit) return system_error(EFBIG, "read pipe");
  }
}

}  // namespace

Result<std::string> read_file_at(FdRef directory, const std::string& path, std::size_t limit) {
  const UniqueFd file = TRY(open_to_read(directory, path));
  const struct stat status = TRY(stat_of(file));
  if (!S_ISREG(status.st_mode)) return not_regular(path);
  auto content = read_all(file, status, limit);
  if (!content.ok()) return named(content.error(), path);
  return content;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  return read_file_at(current_directory(), path, limit);
}

Result<std::string> read_file_or_pipe(const std::string& path, std::size_t limit) {
  const UniqueFd file = TRY(open_to_read(current_directory(), path));
  const struct stat status = TRY(stat_of(file));
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) return not_regular(path);
  auto content = S_ISFIFO(status.st_mode) ? read_pipe(file, limit) : read_all(file, status, limit);
  if (!content.ok()) return named(content.error(), path);
  return content;
}

Result<std::string> read_record(const std::string& path) {
  const UniqueFd file = TRY(open(path, O_RDONLY));
  std::string content;
  for (std::size_t room = 4096;; room *= 2) {
    content.resize(room);
    const ssize_t count = retry([&] { return ::pread(file.number(), content.data(), room, 0); });
    if (count < 0) return failed("read", path);
    content.resize(static_cast<std::size_t>(count));
    if (content.size() < room) return content;
  }
}

Result<void> write_all(FdRef file, std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = retry([&] { return ::write(file.number(), data.data(), data.size()); });
    if (count < 0) return failed("write", "file");
    data.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

namespace {

Result<void> write_once(FdRef file, const std::string& path, std::string_view data) {
  if (retry([&] { return ::write(file.number(), data.data(), data.size()); }) < 0) {
    const int errno_value = errno;
    Text<768> message("write ");
    message.append(path).append(": '").append(data.substr(0, 200)).append("'");
    return system_error(errno_value, message);
  }
  return {};
}

}  // namespace

Result<void> write_file_at(FdRef directory, const std::string& path, std::string_view data) {
  const UniqueFd file = TRY(open_at(directory, path, O_WRONLY));
  return write_once(file, path, data);
}

Result<void> write_file(const std::string& path, std::string_view data) {
  return write_file_at(current_directory(), path, data);
}

Result<void> write_file(const std::string& path, std::string_view data, SpentFds& spent) {
  UniqueFd file = TRY(open(path, O_WRONLY));
  auto written = write_once(file, path, data);
  spent.add(std::move(file));
  return written;
}

namespace {

/// Writes a file that is to take the place of `name`; on failure it is gone.
Result<void> fill_and_rename(FdRef directory, const UniqueFd& file, const std::string& temporary,
                             const std::string& name, std::string_view data) {
  auto done = write_all(file, data);
  if (done.ok() && ::renameat(directory.number(), temporary.c_str(), directory.number(), name.c_str()) < 0)
    done = failed("rename", temporary);
  if (!done.ok()) ::unlinkat(directory.number(), temporary.c_str(), 0);
  return done;
}

}  // namespace

Result<void> replace_file_at(FdRef directory, const std::string& name, std::string_view data, mode_t mode) {
  const std::string temporary = "." + name;
  auto file = open_at(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  if (!file.ok() && file.error().errno_value == EEXIST) {
    // A writer that was killed half-way left it; the caller holds the lock, so nobody is writing now.
    TRY(unlink_at(directory, temporary));
    return replace_file_at(directory, name, data, mode);
  }
  if (!file.ok()) return file.error();
  return fill_and_rename(directory, *file, temporary, name, data);
}

Result<void> replace_file(const std::string& path, std::string_view data, mode_t mode) {
  const FdRef here = current_directory();
  const auto present = stat_at(here, path, AT_SYMLINK_NOFOLLOW);
  // A device or a socket would be lost.
  if (present.ok() && !S_ISREG(present->st_mode) && !S_ISLNK(present->st_mode))
    return make_error(Code::invalid_argument, path + " is there, and is no regular file");
  const std::size_t slash = path.rfind('/');
  const std::size_t base = slash == std::string::npos ? 0 : slash + 1;
  const std::string start = path.substr(0, base) + "." + path.substr(base) + "." + std::to_string(::getpid());
  constexpr int kAttempts = 100;
  for (int attempt = 0;; ++attempt) {
    // What has this name may be anybody's: it stays, and another one is tried.
    const std::string temporary = attempt == 0 ? start : start + "." + std::to_string(attempt);
    auto file = open_at(here, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (file.ok()) return fill_and_rename(here, *file, temporary, path, data);
    if (file.error().errno_value != EEXIST || attempt == kAttempts) return file.error();
  }
}

Result<void> make_directory_at(FdRef directory, const std::string& path, mode_t mode) {
  if (::mkdirat(directory.number(), path.c_str(), mode) < 0) return failed("mkdir", path);
  return {};
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return failed("mkdir", path);
  const std::string::size_type slash = path.find_last_of('/');
  if (slash == std::string::npos || slash == 0) return failed("mkdir", path);
  TRY(make_directories(path.substr(0, slash), mode));
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return failed("mkdir", path);
  return {};
}

Result<void> unlink_at(FdRef directory, const std::string& path, int flags) {
  if (::unlinkat(directory.number(), path.c_str(), flags) < 0)
    return failed((flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", path);
  return {};
}

Result<struct stat> stat_at(FdRef directory, const std::string& path, int flags) {
  struct stat status = {};
  if (::fstatat(directory.number(), path.c_str(), &status, flags) < 0) return failed("stat", path);
  return status;
}

Result<struct stat> stat_of(FdRef file) {
  struct stat status = {};
  if (::fstat(file.number(), &status) < 0) return failed("fstat", "");
  return status;
}

Result<bool> is_same_file(const std::string& left, const std::string& right) {
  const struct stat one = TRY(stat_at(current_directory(), left));
  const struct stat other = TRY(stat_at(current_directory(), right));
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

Result<std::vector<std::string>> list_directory(FdRef directory) {
  UniqueFd again = TRY(open_at(directory, ".", O_RDONLY | O_DIRECTORY));
  DIR* stream = ::fdopendir(again.number());
  if (stream == nullptr) return failed("list", "directory");
  (void)again.release();
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(stream);
  return names;
}

Result<std::string> read_link(const std::string& path) {
  std::string content(PATH_MAX, '\0');
  const ssize_t size = ::readlink(path.c_str(), content.data(), content.size());
  if (size < 0) return failed("readlink", path);
  content.resize(static_cast<std::size_t>(size));
  return content;
}

Result<std::string> real_path(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return failed("resolve", path);
  std::string text = resolved;
  ::free(resolved);  // NOLINT: realpath allocates
  return text;
}

Result<void> lock(FdRef file) {
  if (retry([&] { return ::flock(file.number(), LOCK_EX); }) < 0) return failed("lock", "");
  return {};
}

Result<bool> try_lock(FdRef file) {
  if (retry([&] { return ::flock(file.number(), LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return failed("lock", "");
}

void unlock(FdRef file) {
  ::flock(file.number(), LOCK_UN);
}

Result<pid_t> lock_holder(FdRef file) {
  const struct stat status = TRY(stat_of(file));
  char wanted[64];
  std::snprintf(wanted, sizeof wanted, "%02x:%02x:%llu", major(status.st_dev), minor(status.st_dev),
                static_cast<unsigned long long>(status.st_ino));
  const std::string locks = TRY(read_file("/proc/locks", 16 << 20));
  for (std::size_t begin = 0; begin < locks.size();) {
    const std::size_t end = std::min(locks.find('\n', begin), locks.size());
    const std::string line =
        locks.substr(begin, end - begin);  // 7: FLOCK  ADVISORY  WRITE 812 08:02:1234 0 EOF
    int pid = 0;
    char place[64] = {};
    // NOLINTNEXTLINE(cert-err34-c): the kernel writes no number that does not fit
    if (std::sscanf(line.c_str(), "%*d: FLOCK ADVISORY WRITE %d %63s", &pid, place) == 2 &&
        std::string_view(place) == wanted)
      return pid;
    begin = end + 1;
  }
  return 0;
}

Result<void> rename_new(const std::string& from, const std::string& to) {
  // By number: C libraries only offer renameat2 in GNU mode.
  if (::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 1u /* RENAME_NOREPLACE */) < 0)
    return failed("rename", from);
  return {};
}

Result<UniqueFd> sealed_memory(const char* name, std::initializer_list<std::span<const std::byte>> content,
                               bool executable) {
  const unsigned flags = MFD_ALLOW_SEALING | (executable ? 0 : MFD_CLOEXEC);
  int number = ::memfd_create(name, flags | (executable ? MFD_EXEC : 0));
  // MFD_EXEC is refused with EINVAL before Linux 6.3, where every memfd is executable.
  if (number < 0 && errno == EINVAL) number = ::memfd_create(name, flags);
  if (number < 0) return failed("memfd_create", name);
  UniqueFd file = UniqueFd::adopt(number);
  std::vector<struct iovec> parts;
  std::size_t size = 0;
  for (const std::span<const std::byte> part : content) {
    parts.push_back({const_cast<std::byte*>(part.data()), part.size()});
    size += part.size();
  }
  const ssize_t written =
      retry([&] { return ::writev(number, parts.data(), static_cast<int>(parts.size())); });
  // Memory files come out short for one reason only.
  if (written >= 0 && static_cast<std::size_t>(written) != size) errno = ENOMEM;
  if (written < 0 || static_cast<std::size_t>(written) != size) return failed("write memfd", name);
  if (::fcntl(number, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
    return failed("seal memfd", name);
  return file;
}

Result<UniqueFd> duplicate(FdRef file, int at_least) {
  const int number = ::fcntl(file.number(), F_DUPFD_CLOEXEC, at_least);
  if (number < 0) return failed("duplicate descriptor", "");
  return UniqueFd::adopt(number);
}

}  // namespace davit::sys
