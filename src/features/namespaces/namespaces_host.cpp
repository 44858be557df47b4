// SPDX-License-Identifier: Apache-2.0
// Opening namespaces, and user namespaces that only carry mappings.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "davit/features/namespaces.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"

namespace davit::namespaces {
namespace {

const char* type_name(std::uint32_t type) {
  switch (type) {
    case CLONE_NEWNS:
      return "mount";
    case CLONE_NEWPID:
      return "pid";
    case CLONE_NEWNET:
      return "network";
    case CLONE_NEWUTS:
      return "uts";
    case CLONE_NEWIPC:
      return "ipc";
    case CLONE_NEWUSER:
      return "user";
    case CLONE_NEWCGROUP:
      return "cgroup";
    case CLONE_NEWTIME:
      return "time";
    default:
      return "unknown";
  }
}

bool is_same(const struct stat& left, const struct stat& right) {
  return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

/// Sleeps until it is killed, at the latest with davit. Runs in davit's memory, so it makes raw system calls
/// and nothing else.
int hold_namespace(void* parent) {
  syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (syscall(SYS_getppid) != *static_cast<const pid_t*>(parent)) return 1;  // it was faster
  for (;;) syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 8);
}

/// A child that does nothing but exist in a new user namespace; killed and reaped with this object.
class Holder {
 public:
  static Result<Holder> make() {
    Holder holder;
    constexpr int kFlags = CLONE_VM | CLONE_NEWUSER | SIGCHLD;
    char* top = holder.stack_->data() + holder.stack_->size();
    holder.pid_ = ::clone(hold_namespace, top, kFlags, &holder.stack_->parent);
    if (holder.pid_ < 0) return system_error(errno, "clone a helper with a new user namespace");
    return holder;
  }
  Holder(Holder&& other) noexcept : stack_(std::move(other.stack_)), pid_(std::exchange(other.pid_, -1)) {}
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  Holder& operator=(Holder&&) = delete;
  ~Holder() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  // 16 kB, aligned for any ABI.
  struct alignas(64) Stack : std::array<char, 16384> {
    pid_t parent = ::getpid();
  };
  Holder() : stack_(std::make_unique<Stack>()) {}
  std::unique_ptr<Stack> stack_;
  pid_t pid_ = -1;
};

}  // namespace

Result<sys::UniqueFd> open_namespace(const std::string& path, std::uint32_t type) {
  const std::string what = std::string(type_name(type)) + " namespace " + path;
  auto opened = sys::open(path, O_RDONLY);
  if (!opened) return opened.error().wrap("join the " + what);
  const int found = ioctl(opened->number(), NS_GET_NSTYPE);
  if (found < 0) {
    Error error = system_error(errno, path + " is not a namespace");
    return error.advise("a namespace path looks like /proc/PID/ns/net or /run/netns/NAME");
  }
  if (static_cast<std::uint32_t>(found) != type)
    return make_error(Code::invalid_config, path + " is a " + type_name(static_cast<std::uint32_t>(found)) +
                                                " namespace, not a " + type_name(type) + " namespace");
  return opened;
}

Result<Owner> owner_of(sys::FdRef file) {
  const struct stat own = TRY(sys::stat_at(sys::current_directory(), "/proc/self/ns/user"));
  const auto owner = sys::UniqueFd::adopt(ioctl(file.number(), NS_GET_USERNS));
  // Those above or beside ours the kernel does not show.
  if (!owner.valid() && errno == EPERM) return Owner::other;
  if (!owner.valid()) return system_error(errno, "find the owner of a namespace");
  if (is_same(TRY(sys::stat_of(owner)), own)) return Owner::own;
  const auto parent = sys::UniqueFd::adopt(ioctl(owner.number(), NS_GET_PARENT));
  return parent.valid() && is_same(TRY(sys::stat_of(parent)), own) ? Owner::child : Owner::other;
}

bool can_mount_procfs_of(const std::string& path) {
  const auto number = static_cast<int>(::syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC));
  if (number < 0) return false;
  const sys::UniqueFd filesystem = sys::UniqueFd::adopt(number);
  return ::syscall(SYS_fsconfig, filesystem.number(), FSCONFIG_SET_STRING, "pidns", path.c_str(), 0) == 0;
}

bool is_own_mount_namespace(const std::string& path) {
  return sys::is_same_file(path, "/proc/self/ns/mnt").value_or(false);
}

Result<sys::UniqueFd> make_idmap_namespace(const Mappings& mappings) {
  auto holder = Holder::make();
  if (!holder) return holder.error();
  auto written = write_mappings(holder->pid(), mappings, true);
  if (!written) return written.error().wrap("idmapped mount");
  return sys::open("/proc/" + std::to_string(holder->pid()) + "/ns/user", O_RDONLY);
}

}  // namespace davit::namespaces
