// SPDX-License-Identifier: Apache-2.0
#include "davit/sys/process.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#include "davit/sys/file.hpp"
#include "davit/sys/mount.hpp"
#include "sys/call.hpp"

namespace davit::sys {

namespace {

/// As the initial user namespace's root; other ways to be allowed to are not worth the look.
bool may_trace_anybody() {
  if (::geteuid() != 0) return false;
  const auto map = read_record("/proc/self/uid_map");
  if (!map.ok()) return false;
  char* end = nullptr;
  const unsigned long inside = std::strtoul(map->c_str(), &end, 10);
  const unsigned long outside = std::strtoul(end, &end, 10);
  // All ids: an absent number is read as 0, which is too few.
  return inside == 0 && outside == 0 && std::strtoul(end, nullptr, 10) == UINT32_MAX;
}

}  // namespace

Result<UniqueFd> open_pidfd(pid_t pid) {
  const long number = ::syscall(SYS_pidfd_open, pid, 0);
  // So older kernels say that the process has just gone, or that its number is only a group's by now.
  if (number < 0 && errno == EINVAL && pid > 0) errno = ESRCH;
  if (number < 0) return failed("pidfd_open", std::to_string(pid));
  return UniqueFd::adopt(static_cast<int>(number));
}

Result<std::uint64_t> pidfd_number(FdRef pidfd) {
  constexpr long kPidfs = 0x50494446;  // PID_FS_MAGIC; before, all pidfds shared one inode
  if (TRY(filesystem_type(pidfd)) != kPidfs) return std::uint64_t{0};
  return std::uint64_t{TRY(stat_of(pidfd)).st_ino};
}

Result<void> send_signal(FdRef pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.number(), signal, nullptr, 0) < 0)
    return failed("send signal", std::to_string(signal));
  return {};
}

Result<int> wait_for(pid_t pid) {
  int status = 0;
  if (retry([&] { return ::waitpid(pid, &status, __WALL); }) < 0)
    return failed("wait for", std::to_string(pid));
  return status;
}

bool is_child(pid_t pid) {
  siginfo_t info = {};
  return pid > 0 && ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

Result<struct rlimit> limit_of(pid_t pid, int resource) {
  struct rlimit limit = {};
  if (::prlimit(pid, static_cast<__rlimit_resource>(resource), nullptr, &limit) < 0)
    return failed("prlimit", "");
  return limit;
}

Result<void> set_limit(pid_t pid, int resource, const struct rlimit& limit) {
  const auto which = static_cast<__rlimit_resource>(resource);
  if (::prlimit(pid, which, &limit, nullptr) < 0) return failed("prlimit", "");
  return {};
}

Result<bool> wait_end(FdRef pidfd, int milliseconds) {
  struct pollfd entry = {pidfd.number(), POLLIN, 0};
  const int count = retry([&] { return ::poll(&entry, 1, milliseconds); });
  if (count < 0) return failed("poll pidfd", "");
  return count > 0;
}

std::optional<int> reaped_status(FdRef pidfd) {
  // struct pidfd_info of linux/pidfd.h, which older systems do not have.
  struct Information {
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::uint32_t ids[11];
    std::int32_t exit_code;
  };
  constexpr std::uint64_t kExit = 1U << 3;  // PIDFD_INFO_EXIT
  Information information = {};
  information.mask = kExit;
  const bool is_known = ::ioctl(pidfd.number(), _IOWR(0xFF, 11, Information), &information) == 0;
  if (!is_known || (information.mask & kExit) == 0) return std::nullopt;
  return information.exit_code;
}

std::optional<int> zombie_status(pid_t pid) {
  const auto content = read_record("/proc/" + std::to_string(pid) + "/stat");
  if (!content.ok()) return std::nullopt;
  const std::string::size_type last = content->rfind(' ');
  int status = 0;
  if (last == std::string::npos) return std::nullopt;
  const auto [end, failure] =
      std::from_chars(content->data() + last + 1, content->data() + content->size(), status);
  // To those who may not trace it the kernel says 0, whatever it is.
  const bool is_told = status != 0 || may_trace_anybody();
  return failure == std::errc() && is_told ? std::optional(status) : std::nullopt;
}

Result<Sign> wait_sign(FdRef socket, FdRef pidfd, int milliseconds) {
  struct pollfd entries[] = {{socket.number(), POLLIN, 0}, {pidfd.number(), POLLIN, 0}};
  const int ready = retry([&] { return ::poll(entries, 2, milliseconds); });
  if (ready < 0) return failed("poll socket", "");
  if (ready == 0) return Sign::none;
  // What it said last may have come between the looks at the two.
  if (entries[0].revents == 0 && retry([&] { return ::poll(entries, 1, 0); }) < 0)
    return failed("poll socket", "");
  return entries[0].revents != 0 ? Sign::word : Sign::end;
}

Result<ProcessStat> process_stat(pid_t pid) {
  const std::string content = TRY(read_record("/proc/" + std::to_string(pid) + "/stat"));
  // The command name may hold anything, so count from the last parenthesis: state is field 3, start time 22.
  std::string::size_type at = content.rfind(')');
  ProcessStat stat;
  if (at == std::string::npos || at + 2 >= content.size())
    return make_error(Code::internal, "malformed /proc/PID/stat");
  stat.state = content[at + 2];
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = content.find(' ', at + 1);
  if (at == std::string::npos) return make_error(Code::internal, "malformed /proc/PID/stat");
  std::from_chars(content.data() + at + 1, content.data() + content.size(), stat.start_time);
  return stat;
}

Result<std::uint64_t> ignored_signals() {
  const std::string status = TRY(read_record("/proc/self/status"));
  constexpr std::string_view kField = "SigIgn:\t";
  const std::string::size_type at = status.find(kField);
  std::uint64_t signals = 0;
  if (at == std::string::npos) return make_error(Code::internal, "no SigIgn in /proc/self/status");
  const char* first = status.data() + at + kField.size();
  std::from_chars(first, status.data() + status.size(), signals, 16);
  return signals;
}

}  // namespace davit::sys
