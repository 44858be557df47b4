// SPDX-License-Identifier: Apache-2.0
// What hostile programs in containers have done to runtimes.
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "probe.hpp"

namespace probe {
namespace {

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Calls `visit` with every pid but our own and 1, again and again for that long or until there is a /stop.
template <typename Visit>
void watch(double seconds, Visit visit) {
  const double end = now() + seconds;
  while (now() < end && access("/stop", F_OK) != 0) {
    DIR* dir = opendir("/proc");
    while (const dirent* entry = readdir(dir)) {
      const long pid = strtol(entry->d_name, nullptr, 10);
      if (pid > 1 && pid != getpid()) visit(static_cast<int>(pid));
    }
    closedir(dir);
  }
}

double seconds_of(int argc, char** argv) {
  return argc > 0 ? strtod(argv[0], nullptr) : 1;
}

}  // namespace

/// CVE-2019-5736: reports the device:inode of each executable seen and whether it could be opened for
/// writing.
int scan_exe(int argc, char** argv) {
  puts("ready");
  long seen = 0;
  watch(seconds_of(argc, argv), [&](int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    const int exe = open(path, O_RDONLY | O_CLOEXEC);
    if (exe < 0) return;
    struct stat status {};
    fstat(exe, &status);
    ++seen;
    printf("exe %llu:%llu\n", static_cast<unsigned long long>(status.st_dev),
           static_cast<unsigned long long>(status.st_ino));
    char again[64];
    snprintf(again, sizeof again, "/proc/self/fd/%d", exe);
    const int writable = open(again, O_WRONLY | O_CLOEXEC);
    // Busy means that it runs now; what matters is that it can never be written.
    if (writable >= 0) {
      printf("WRITABLE %llu:%llu\n", static_cast<unsigned long long>(status.st_dev),
             static_cast<unsigned long long>(status.st_ino));
      close(writable);
    }
    close(exe);
  });
  printf("seen %ld\n", seen);
  return 0;
}

/// CVE-2016-9962: descriptors of a process of the runtime through which the host can be reached.
int scan_ptrace(int argc, char** argv) {
  puts("ready");
  watch(seconds_of(argc, argv), [&](int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    char exe[4096] = {};
    const ssize_t readable = readlink(path, exe, sizeof exe - 1);
    if (readable < 0) return;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR* dir = opendir(path);
    if (dir == nullptr) return;
    while (const dirent* entry = readdir(dir)) {
      // From a directory outside of our root, ".." is not stopped by it: the host's files can be reached.
      char host[512];
      snprintf(host, sizeof host, "/proc/%d/fd/%s/../../../../../../../../../../etc/debian_version", pid,
               entry->d_name);
      if (entry->d_name[0] != '.' && access(host, F_OK) == 0) printf("HOST %s fd %s\n", exe, entry->d_name);
    }
    closedir(dir);
  });
  puts("done");
  return 0;
}

/// A "Key:\thex" line of a process's status; 0 if it is gone.
unsigned long long mask_of(const char* pid, const char* key) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/status", pid);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  char text[4096] = {};
  const bool has_text = file >= 0 && read(file, text, sizeof text - 1) > 0;
  if (file >= 0) close(file);
  const char* found = has_text ? strstr(text, key) : nullptr;
  return found != nullptr ? strtoull(found + strlen(key) + 1, nullptr, 16) : 0;
}

/// Descriptors of files that have a name, besides stdio: the container's own programs have none.
void look_at_descriptors(const char* pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/fd", pid);
  DIR* dir = opendir(path);
  if (dir == nullptr) return;
  while (const dirent* entry = readdir(dir)) {
    if (strtol(entry->d_name, nullptr, 10) < 3) continue;
    char link[512];
    char target[512] = {};
    snprintf(link, sizeof link, "/proc/%s/fd/%s", pid, entry->d_name);
    if (readlink(link, target, sizeof target - 1) < 0) continue;
    const bool is_memory = strncmp(target, "/memfd:", 7) == 0;
    if ((target[0] == '/' && !is_memory) || strncmp(target, "anon_inode:[pidfd", 17) == 0)
      printf("HOLDS %s fd %s\n", target, entry->d_name);
  }
  closedir(dir);
}

/// Sends SIGSTOP to every process that appears, as early as it can.
int stop_newborn(int argc, char** argv) {
  puts("ready");
  watch(seconds_of(argc, argv), [&](int pid) { kill(pid, SIGSTOP); });
  return 0;
}

/// CVE-2016-9962: stops every process that appears, as early as it can, and says what it has more than we
/// have.
int scan_newborn(int argc, char** argv) {
  constexpr const char* kSets[] = {"CapPrm:", "CapEff:", "CapInh:", "CapBnd:", "CapAmb:"};
  unsigned long long own[5];
  for (int i = 0; i < 5; ++i) own[i] = mask_of("self", kSets[i]);
  long seen = 0;
  int last = 0;
  puts("ready");
  watch(seconds_of(argc, argv), [&](int pid) {
    if (pid == last) return;
    const bool is_stopped = ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0 &&
                            ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0 &&
                            waitpid(pid, nullptr, __WALL) == pid;
    char number[16];
    snprintf(number, sizeof number, "%d", pid);
    for (int i = 0; i < 5; ++i)
      if (const auto more = mask_of(number, kSets[i]) & ~own[i]; more != 0)
        printf("GAINED %s %llx pid %d\n", kSets[i], more, pid);
    look_at_descriptors(number);
    last = pid;
    if (!is_stopped) return;
    ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    if (++seen % 10 == 1) printf("stopped %ld\n", seen);
  });
  return 0;
}

/// CVE-2021-30465: exchanges two names as fast as it can, for ever.
int swap_paths(int argc, char** argv) {
  if (argc < 2) return 2;
  puts("ready");
  for (;;)
    if (syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) != 0 && errno != ENOENT)
      return 1;
}

}  // namespace probe
