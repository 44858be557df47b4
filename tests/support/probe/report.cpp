// SPDX-License-Identifier: Apache-2.0
// What the process is: printed as "key value" lines, so that tests compare lines and a person can read them.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "probe.hpp"

namespace probe {
namespace {

struct Limit {
  int resource;
  const char* name;
};
constexpr Limit kLimits[] = {
    {RLIMIT_AS, "AS"},           {RLIMIT_CORE, "CORE"},         {RLIMIT_CPU, "CPU"},
    {RLIMIT_DATA, "DATA"},       {RLIMIT_FSIZE, "FSIZE"},       {RLIMIT_LOCKS, "LOCKS"},
    {RLIMIT_MEMLOCK, "MEMLOCK"}, {RLIMIT_MSGQUEUE, "MSGQUEUE"}, {RLIMIT_NICE, "NICE"},
    {RLIMIT_NOFILE, "NOFILE"},   {RLIMIT_NPROC, "NPROC"},       {RLIMIT_RSS, "RSS"},
    {RLIMIT_RTPRIO, "RTPRIO"},   {RLIMIT_RTTIME, "RTTIME"},     {RLIMIT_SIGPENDING, "SIGPENDING"},
    {RLIMIT_STACK, "STACK"},
};

void print_file_lines(const char* path, const char* prefix, const char* const* wanted) {
  FILE* file = fopen(path, "re");
  char line[4096];
  while (file != nullptr && fgets(line, sizeof line, file) != nullptr)
    for (const char* const* name = wanted; *name != nullptr; ++name)
      if (strncmp(line, *name, strlen(*name)) == 0) {
        char* value = line + strlen(*name);
        value += strspn(value, ": \t");
        printf("%s%s %s", prefix, *name, value);
      }
  if (file != nullptr) fclose(file);
}

void print_ids() {
  uid_t uids[3];
  gid_t gids[3];
  getresuid(&uids[0], &uids[1], &uids[2]);
  getresgid(&gids[0], &gids[1], &gids[2]);
  printf("uid %u %u %u\ngid %u %u %u\ngroups", uids[0], uids[1], uids[2], gids[0], gids[1], gids[2]);
  gid_t groups[1024];
  const int count = getgroups(1024, groups);
  for (int i = 0; i < count; ++i) printf(" %u", groups[i]);
  const mode_t mask = umask(0);
  umask(mask);
  printf("\numask %04o\npid %d\nsid %d\npgid %d\n", mask, getpid(), getsid(0), getpgrp());
}

void print_scheduling() {
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
    std::uint32_t util_min, util_max;
  } attributes = {};
  attributes.size = sizeof attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0)
    printf("sched %u nice %d priority %u flags %llu runtime %llu deadline %llu period %llu\n",
           attributes.policy, attributes.nice, attributes.priority,
           static_cast<unsigned long long>(attributes.flags),
           static_cast<unsigned long long>(attributes.runtime),
           static_cast<unsigned long long>(attributes.deadline),
           static_cast<unsigned long long>(attributes.period));
  const long ioprio = syscall(SYS_ioprio_get, 1, 0);
  printf("ioprio class %ld priority %ld\n", ioprio >> 13, ioprio & 0x1fff);
  cpu_set_t cpus;
  printf("cpus");
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &cpus)) printf(" %d", cpu);
  unsigned long nodes[16] = {};
  int mode = -1;
  syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, nullptr, 0);
  printf("\nmempolicy %d nodes %lx\npersonality %#x\ndumpable %d\nchild_subreaper_parent_death %d\n", mode,
         nodes[0], static_cast<unsigned>(personality(0xffffffff)), prctl(PR_GET_DUMPABLE), [] {
           int signal = 0;
           prctl(PR_GET_PDEATHSIG, &signal);
           return signal;
         }());
}

void print_limits() {
  for (const auto& limit : kLimits) {
    struct rlimit value {};
    if (getrlimit(static_cast<__rlimit_resource>(limit.resource), &value) == 0)
      printf("rlimit %s %llu %llu\n", limit.name, static_cast<unsigned long long>(value.rlim_cur),
             static_cast<unsigned long long>(value.rlim_max));
  }
}

}  // namespace

int fds(int, char**) {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 1;
  while (const dirent* entry = readdir(dir)) {
    const int number = static_cast<int>(strtol(entry->d_name, nullptr, 10));
    if (entry->d_name[0] == '.' || number == dirfd(dir)) continue;
    char target[4096] = {};
    if (readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1) < 0) strcpy(target, "?");
    printf("fd %d %s\n", number, target);
  }
  closedir(dir);
  return 0;
}

int report(int, char**) {
  print_ids();
  constexpr const char* kStatus[] = {"CapInh", "CapPrm",     "CapEff",   "CapBnd",
                                     "CapAmb", "NoNewPrivs", "Seccomp:", "Seccomp_filters",
                                     "SigBlk", "SigIgn",     "SigCgt",   "CoreDumping",
                                     nullptr};
  print_file_lines("/proc/self/status", "", kStatus);
  print_limits();
  print_scheduling();
  constexpr const char* kAny[] = {"", nullptr};
  print_file_lines("/proc/self/oom_score_adj", "oom_score_adj ", kAny);
  utsname names{};
  uname(&names);
  char cwd[4096] = "?";
  if (getcwd(cwd, sizeof cwd) == nullptr) strcpy(cwd, strerror(errno));
  printf("cwd %s\nhostname %s\ndomainname %s\nmachine %s\n", cwd, names.nodename, names.domainname,
         names.machine);
  for (char** entry = environ; *entry != nullptr; ++entry) printf("env %s\n", *entry);
  return fds(0, nullptr);
}

int devices(int argc, char** argv) {
  const char* path = argc > 0 ? argv[0] : "/dev";
  DIR* dir = opendir(path);
  if (dir == nullptr) return 1;
  while (const dirent* entry = readdir(dir)) {
    struct stat status {};
    if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    const char type = S_ISCHR(status.st_mode)    ? 'c'
                      : S_ISBLK(status.st_mode)  ? 'b'
                      : S_ISFIFO(status.st_mode) ? 'p'
                      : S_ISDIR(status.st_mode)  ? 'd'
                      : S_ISLNK(status.st_mode)  ? 'l'
                                                 : '-';
    char target[4096] = {};
    if (type == 'l' && readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1) < 0)
      strcpy(target, "?");
    printf("%s %c %04o %u:%u %u:%u %s\n", entry->d_name, type, status.st_mode & 07777U, status.st_uid,
           status.st_gid, static_cast<unsigned>(status.st_rdev >> 8 & 0xfff),
           static_cast<unsigned>(status.st_rdev & 0xff), target);
  }
  closedir(dir);
  return 0;
}

}  // namespace probe
