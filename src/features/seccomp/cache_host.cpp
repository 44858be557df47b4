#include <fcntl.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "davit/features/seccomp.hpp"
#include "davit/sys/file.hpp"

namespace davit::seccomp {
namespace {

constexpr std::size_t kMaxEntries = 64;
constexpr std::string_view kSuffix = ".bpf";
constexpr std::uint64_t kMagic = 0x3146504254564144;  // "DAVTBPF1"

/// In front of the instructions in a file.
struct Head {
  std::uint64_t magic = kMagic;
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;  ///< against a file that the disk has not kept whole; not against malice
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

bool is_trusted_directory(sys::FdRef directory) {
  const auto status = sys::stat_of(directory);
  return status.ok() && S_ISDIR(status->st_mode) && is_ours(*status);
}

std::optional<Filter> parse(std::string_view bytes) {
  Head head;
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  bytes.remove_prefix(sizeof head);
  if (head.magic != kMagic || head.count == 0 || head.count > BPF_MAXINSNS ||
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

/// Removes the oldest entries beyond the limit; temporary files count too, so that none stays for ever.
void prune(sys::FdRef directory) {
  const auto names = sys::list_directory(directory);
  if (!names.ok() || names->size() <= kMaxEntries) return;
  std::vector<Entry> entries;
  for (const std::string& name : *names) {
    if (name.find(kSuffix) == std::string::npos) continue;
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

std::optional<Filter> load(sys::FdRef cache_directory, const Key& key) {
  if (!is_trusted_directory(cache_directory)) return std::nullopt;
  const auto file =
      sys::open_at(cache_directory, key.hex().append(kSuffix), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!file.ok()) return std::nullopt;
  const auto status = sys::stat_of(*file);
  if (!status.ok() || !S_ISREG(status->st_mode) || !is_ours(*status) || status->st_nlink != 1)
    return std::nullopt;
  const auto bytes = sys::read_all(*file, sizeof(Head) + BPF_MAXINSNS * sizeof(std::uint64_t));
  return bytes.ok() ? parse(*bytes) : std::nullopt;
}

Result<void> store(sys::FdRef cache_directory, const Key& key, const Filter& filter) {
  if (!is_trusted_directory(cache_directory))
    return make_error(Code::system, "the seccomp cache directory belongs to somebody else");
  Head head;
  head.count = filter.instructions.size();
  head.checksum = checksum(filter.instructions);
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(filter.instructions.data()),
               filter.instructions.size() * sizeof(std::uint64_t));
  const std::string name = key.hex().append(kSuffix);
  // Writers of the same key do not meet: each has a temporary file of its own, and the last rename wins.
  const std::string temporary = "." + name + "." + std::to_string(::getpid());
  {
    const sys::UniqueFd file =
        TRY(sys::open_at(cache_directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    auto written = sys::write_all(file, bytes);
    if (!written.ok()) {
      (void)sys::unlink_at(cache_directory, temporary);
      return written.error();
    }
  }
  if (::renameat(cache_directory.number(), temporary.c_str(), cache_directory.number(), name.c_str()) < 0) {
    const int errno_value = errno;
    (void)sys::unlink_at(cache_directory, temporary);
    return system_error(errno_value, "rename " + temporary);
  }
  prune(cache_directory);
  return {};
}

}  // namespace davit::seccomp
