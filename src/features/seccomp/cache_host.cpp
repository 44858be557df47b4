// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "davit/features/seccomp.hpp"
#include "davit/sys/file.hpp"

namespace davit::seccomp {
namespace {

constexpr std::size_t kMaxEntries = 64;
constexpr std::string_view kSuffix = ".bpf";
constexpr std::uint64_t kMagic = 0x3246504254564144;  // "DAVTBPF2"

/// In front of the instructions in a file.
struct Head {
  std::uint64_t magic = kMagic;
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;  ///< against a file that the disk has not kept whole; not against malice
  std::array<std::uint8_t, 32> key = {};  ///< whose filter it is, whatever the file is called
};

std::uint64_t checksum(const std::vector<std::uint64_t>& instructions) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const std::uint64_t instruction : instructions) sum = (sum ^ instruction) * 0x100000001b3;
  return sum;
}

/// Whether only we can have written it: a filter from there decides what a container may do.
bool is_ours(const struct stat& status) {
  return status.st_uid == ::getauxval(AT_EUID) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The cache, made if it is missing; ours alone.
Result<sys::UniqueFd> open_directory(const std::string& path) {
  const auto made = sys::make_directory_at(sys::current_directory(), path, 0700);
  if (!made.ok() && made.error().errno_value != EEXIST) return made.error();
  sys::UniqueFd directory = TRY(sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const struct stat status = TRY(sys::stat_of(directory));
  if (!is_ours(status))
    return make_error(Code::system, "the seccomp cache directory belongs to somebody else");
  return directory;
}

std::optional<Filter> parse(std::string_view bytes, const Key& key) {
  Head head;
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  bytes.remove_prefix(sizeof head);
  if (head.magic != kMagic || head.key != key.digest || head.count == 0 || head.count > BPF_MAXINSNS ||
      bytes.size() != head.count * sizeof(std::uint64_t))
    return std::nullopt;
  Filter filter;
  filter.instructions.resize(head.count);
  std::memcpy(filter.instructions.data(), bytes.data(), bytes.size());
  if (checksum(filter.instructions) != head.checksum) return std::nullopt;
  return filter;
}

struct Entry {
  struct timespec time;
  std::string name;
};

/// Whether store() gives such names: the hexadecimal key, or a temporary file of it.
bool is_entry(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  constexpr std::size_t kDigits = 2 * sizeof(Key::digest);
  return name.find_first_not_of("0123456789abcdef") == kDigits && name.substr(kDigits).starts_with(kSuffix);
}

/// Removes the oldest entries beyond the limit; temporary files count too, so that none stays for ever.
void prune(sys::FdRef directory) {
  const auto names = sys::list_directory(directory);
  if (!names.ok() || names->size() <= kMaxEntries) return;
  std::vector<Entry> entries;
  for (const std::string& name : *names) {
    if (!is_entry(name)) continue;
    const auto status = sys::stat_at(directory, name, AT_SYMLINK_NOFOLLOW);
    if (status.ok()) entries.push_back({status->st_mtim, name});
  }
  if (entries.size() <= kMaxEntries) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
    return left.time.tv_sec != right.time.tv_sec ? left.time.tv_sec < right.time.tv_sec
                                                 : left.time.tv_nsec < right.time.tv_nsec;
  });
  for (std::size_t i = 0; i < entries.size() - kMaxEntries; ++i)
    (void)sys::unlink_at(directory, entries[i].name);
}

}  // namespace

/// A file that is ours alone and says whose filter it is was put there by store(), whoever may have moved it.
std::optional<Filter> load(const std::string& cache_directory, const Key& key) {
  constexpr std::size_t kMaxSize = sizeof(Head) + BPF_MAXINSNS * sizeof(std::uint64_t);
  const auto file = sys::open(cache_directory + "/" + key.hex().append(kSuffix),
                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!file.ok()) return std::nullopt;
  const auto status = sys::stat_of(*file);
  if (!status.ok() || !S_ISREG(status->st_mode) || !is_ours(*status) || status->st_nlink != 1)
    return std::nullopt;
  const auto bytes = sys::read_all(*file, *status, kMaxSize);
  return bytes.ok() ? parse(*bytes, key) : std::nullopt;
}

Result<void> store(const std::string& cache_directory, const Key& key, const Filter& filter) {
  const sys::UniqueFd directory = TRY(open_directory(cache_directory));
  Head head;
  head.count = filter.instructions.size();
  head.key = key.digest;
  head.checksum = checksum(filter.instructions);
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(filter.instructions.data()),
               filter.instructions.size() * sizeof(std::uint64_t));
  const std::string name = key.hex().append(kSuffix);
  // Writers of the same key do not meet: each has a temporary file of its own, and the last rename wins.
  const std::string temporary = "." + name + "." + std::to_string(::getpid());
  {
    const sys::UniqueFd file =
        TRY(sys::open_at(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    auto written = sys::write_all(file, bytes);
    if (!written.ok()) {
      (void)sys::unlink_at(directory, temporary);
      return written.error();
    }
  }
  if (::renameat(directory.number(), temporary.c_str(), directory.number(), name.c_str()) < 0) {
    const int errno_value = errno;
    (void)sys::unlink_at(directory, temporary);
    return system_error(errno_value, "rename " + temporary);
  }
  prune(directory);
  return {};
}

}  // namespace davit::seccomp
