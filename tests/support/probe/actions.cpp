// SPDX-License-Identifier: Apache-2.0
// Things that the process tries to do.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "probe.hpp"

namespace probe {
namespace {

struct Call {
  const char* name;
  long (*make)();
};
constexpr Call kCalls[] = {
    {"getppid", [] { return syscall(SYS_getppid); }},
    {"getcwd",
     [] {
       char path[4096];
       return syscall(SYS_getcwd, path, sizeof path);
     }},
    {"mkdir", [] { return syscall(SYS_mkdirat, AT_FDCWD, "/tmp/probe-mkdir", 0755); }},
    {"chmod", [] { return syscall(SYS_fchmodat, AT_FDCWD, "/tmp", 01777); }},
    {"unshare", [] { return syscall(SYS_unshare, CLONE_NEWUTS); }},
    {"personality32", [] { return syscall(SYS_personality, 8UL); }},
    {"personality0", [] { return syscall(SYS_personality, 0UL); }},
    {"kexec_load", [] { return syscall(SYS_kexec_load, 0, 0, nullptr, 0); }},
    {"sync", [] { return syscall(SYS_sync); }},
    {"sethostname", [] { return syscall(SYS_sethostname, "probe", 5); }},
    {"mount", [] { return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr); }},
    {"keyctl", [] { return syscall(SYS_keyctl, 0, -3, 0); }},
    {"unknown", [] { return syscall(9999); }},
    {"mknod-null",
     [] { return syscall(SYS_mknodat, AT_FDCWD, "/tmp/probe-null", S_IFCHR | 0666, 1 << 8 | 3); }},
    {"mknod-kmsg",
     [] { return syscall(SYS_mknodat, AT_FDCWD, "/tmp/probe-kmsg", S_IFCHR | 0666, 1 << 8 | 11); }},
    {"open-kmsg", [] { return syscall(SYS_openat, AT_FDCWD, "/tmp/probe-kmsg", O_RDONLY); }},
    {"open-fuse", [] { return syscall(SYS_openat, AT_FDCWD, "/dev/fuse", O_RDONLY); }},
};

const char* errno_name(int value) {
  static char other[32];
  snprintf(other, sizeof other, "%d", value);
  switch (value) {
    case EPERM:
      return "EPERM";
    case EACCES:
      return "EACCES";
    case ENOSYS:
      return "ENOSYS";
    case EEXIST:
      return "EEXIST";
    case EINVAL:
      return "EINVAL";
    case ENOENT:
      return "ENOENT";
    case ENXIO:
      return "ENXIO";
    case EROFS:
      return "EROFS";
    default:
      return other;
  }
}

}  // namespace

int call(int argc, char** argv) {
  int result = 0;
  for (int i = 0; i < argc; ++i)
    for (const auto& one : kCalls) {
      if (strcmp(one.name, argv[i]) != 0) continue;
      errno = 0;
      const long value = one.make();
      printf("%s %s\n", one.name, value >= 0 ? "ok" : errno_name(errno));
      result |= value < 0 ? 1 : 0;
    }
  return result;
}

int signals(int argc, char** argv) {
  int left = argc > 0 ? static_cast<int>(strtol(argv[0], nullptr, 10)) : 1;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  puts("ready");
  while (left > 0) {
    int number = 0;
    if (sigwait(&all, &number) != 0) return 1;
    if (number == SIGCHLD) continue;
    printf("signal %d\n", number);
    --left;
  }
  return 0;
}

int tty(int, char**) {
  termios settings{};
  winsize size{};
  printf("isatty %d %d %d\n", isatty(0), isatty(1), isatty(2));
  if (tcgetattr(0, &settings) == 0)
    printf("onlcr %d echo %d icanon %d\n", (settings.c_oflag & ONLCR) != 0, (settings.c_lflag & ECHO) != 0,
           (settings.c_lflag & ICANON) != 0);
  if (ioctl(0, TIOCGWINSZ, &size) == 0) printf("rows %u columns %u\n", size.ws_row, size.ws_col);
  pid_t session = 0;
  printf("controlling %d\n", ioctl(0, TIOCGSID, &session) == 0 && session == getsid(0));
  char name[128] = "?";
  printf("ttyname %s\n", ttyname_r(0, name, sizeof name) == 0 ? name : "?");
  struct stat console {};
  if (stat("/dev/console", &console) == 0)
    printf("console %s %u\n", S_ISCHR(console.st_mode) ? "chr" : "other",
           static_cast<unsigned>(console.st_rdev >> 8));
  return 0;
}

int listen_on(int argc, char** argv) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", argc > 0 ? argv[0] : "/tmp/sock");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 1) != 0) return 1;
  puts("ready");
  pause();
  return 0;
}

/// Sends one message to $NOTIFY_SOCKET and stays a moment, as the message is passed on by a process that
/// watches us.
int notify(int argc, char** argv) {
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || argc < 1) return 2;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (sendto(fd, argv[0], strlen(argv[0]), 0, to, sizeof address) < 0) return 1;
  usleep(300000);
  return 0;
}

int spin(int argc, char** argv) {
  const clock_t end = clock() + (argc > 0 ? strtol(argv[0], nullptr, 10) : 100) * (CLOCKS_PER_SEC / 1000);
  while (clock() < end) {
  }
  return 0;
}

int memory(int argc, char** argv) {
  const std::size_t size = static_cast<std::size_t>(argc > 0 ? strtol(argv[0], nullptr, 10) : 1) << 20;
  void* area = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return 1;
  memset(area, 1, size);
  puts("touched");
  return 0;
}

}  // namespace probe
