// SPDX-License-Identifier: Apache-2.0
// Files and directories: one system call each (or one obvious loop), O_CLOEXEC always, EINTR handled here.
// Every error names the call and its operands.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::sys {

/// openat(2) with O_CLOEXEC added.
Result<UniqueFd> open_at(FdRef directory, const std::string& path, int flags, mode_t mode = 0);
Result<UniqueFd> open(const std::string& path, int flags, mode_t mode = 0);
/// openat2(2) with O_CLOEXEC added; `resolve` is RESOLVE_*. EAGAIN (a racing rename) is tried again.
Result<UniqueFd> open_at2(FdRef directory, const std::string& path, int flags, std::uint64_t resolve,
                          mode_t mode = 0);
/// Reads a whole regular file of at most `limit` bytes; more is an error (EFBIG), before any of it is read
/// where the file tells its size. Anything but a regular file is refused, without waiting for it.
Result<std::string> read_file_at(FdRef directory, const std::string& path, std::size_t limit = 1 << 20);
Result<std::string> read_file(const std::string& path, std::size_t limit = 1 << 20);
/// The same for a file that the user named, which may also be a pipe with a writer (/dev/stdin of a
/// pipeline).
Result<std::string> read_file_or_pipe(const std::string& path, std::size_t limit);
/// Reads what is open, of whatever type, to its end.
Result<std::string> read_all(FdRef file, std::size_t limit = 1 << 20);
/// The same for a file that has been looked at.
Result<std::string> read_all(FdRef file, const struct stat& status, std::size_t limit);
/// Reads a file that the kernel makes in one piece (/proc/PID/stat and its like, which have no size): one
/// read that comes out short is all of it.
Result<std::string> read_record(const std::string& path);
/// Reads a file of many such pieces (/proc/self/mountinfo), to its end.
Result<std::string> read_records(const std::string& path, std::size_t limit);
/// write(2) of everything.
Result<void> write_all(FdRef file, std::string_view data);
/// open(O_WRONLY) and one write(2) of everything: kernel interface files.
Result<void> write_file_at(FdRef directory, const std::string& path, std::string_view data);
Result<void> write_file(const std::string& path, std::string_view data);
Result<void> write_file(const std::string& path, std::string_view data, SpentFds& spent);
/// Replaces a file in a directory of ours by way of `.name`: readers see the old or the new content. The
/// caller sees to it that nobody else writes it.
Result<void> replace_file_at(FdRef directory, const std::string& name, std::string_view data, mode_t mode);
/// The same anywhere: nothing else there is touched, and what is no regular file is not replaced.
Result<void> replace_file(const std::string& path, std::string_view data, mode_t mode);
Result<void> make_directory_at(FdRef directory, const std::string& path, mode_t mode);
/// Makes missing parents too (mode for each); an existing directory is fine.
Result<void> make_directories(const std::string& path, mode_t mode);
Result<void> unlink_at(FdRef directory, const std::string& path, int flags = 0);
Result<struct stat> stat_at(FdRef directory, const std::string& path, int flags = 0);
Result<struct stat> stat_of(FdRef file);
/// Whether two paths lead to one file, which may be a namespace in /proc/PID/ns.
Result<bool> is_same_file(const std::string& left, const std::string& right);
/// Names in a directory, without "." and "..".
Result<std::vector<std::string>> list_directory(FdRef directory);
/// Content of a symlink.
Result<std::string> read_link(const std::string& path);
/// realpath(3); every component must exist.
Result<std::string> real_path(const std::string& path);
/// flock(2) LOCK_EX; waits.
Result<void> lock(FdRef file);
/// flock(2) LOCK_EX | LOCK_NB; false when somebody else has it.
Result<bool> try_lock(FdRef file);
/// flock(2) LOCK_UN.
void unlock(FdRef file);
/// Who holds the lock, as far as /proc/locks tells; 0: nobody.
Result<pid_t> lock_holder(FdRef file);
/// renameat2(2) RENAME_NOREPLACE.
Result<void> rename_new(const std::string& from, const std::string& to);
/// memfd_create(2), filled with the parts one after the other and sealed against any change. One that is to
/// be executed stays open in what is executed from it; any other is close-on-exec.
Result<UniqueFd> sealed_memory(const char* name, std::initializer_list<std::span<const std::byte>> content,
                               bool executable);
/// fcntl(F_DUPFD_CLOEXEC).
Result<UniqueFd> duplicate(FdRef file, int at_least = 0);

}  // namespace davit::sys
