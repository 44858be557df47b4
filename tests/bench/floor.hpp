// SPDX-License-Identifier: Apache-2.0
// What the parts of the floor share. The floor makes the two containers of the benchmark, and only these,
// with as few system calls as this kernel needs for it: what it costs is what any runtime must pay. It parses
// no config and checks nothing; facts come in the environment, from the bundle tool. x86_64 only.
#pragma once

#include <linux/types.h>
#include <sys/types.h>

namespace davit::bench::floor {

constexpr const char* kCgroups = "/sys/fs/cgroup/";
constexpr unsigned long long kIntoCgroup = 0x200000000ULL;

// One run of the program.
struct Request {
  const char* root;  // --root
  const char* id;
  const char* program;  // what the container or exec executes
  bool podman;
  bool wait_for_start;  // create, not run
  int start_fifo;
};

// Ends the process with a message unless the system call went well; gives its result.
long must(long result, const char* what);

// openat, close-on-exec; not by way of the libc, as musl adds a call.
int open_file(const char* path, int flags, unsigned mode = 0);

// clone3 with a stack of its own; the child runs `entry`, which must not return. VM is always shared.
long clone_to(void (*entry)(), unsigned long long flags, int cgroup, int* pidfd, int* ready);

// The cgroups of one container.
void make_cgroups(const Request& request);
int open_unified_cgroup(const Request& request);  // for CLONE_INTO_CGROUP; -1 if there is none
void join_v1_cgroups(const Request& request);     // by the child itself: its own thread, so no grace period
void remove_cgroups(const Request& request);
bool cgroup_is_v2();

// exec into a v1 container: the files are opened before its mount namespace is entered, and written to after.
int open_v1_tasks(const Request& request, int* files, int room);

// Gives up what the container must not have and executes the program.
[[noreturn]] void become(const Request& request, bool first_process);

// The first process of a container, after it has joined its cgroups.
void build_rootfs(const Request& request);

// After create: says that everything is ready and waits for start. After run: returns at once.
void wait_if_created();

// A FLOOR_ variable; empty if it is not set.
const char* fact(const char* name);

}  // namespace davit::bench::floor
