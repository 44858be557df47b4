// SPDX-License-Identifier: Apache-2.0
// The life cycle of the floor, with the command line of a runtime. State is one file: the pid, then what
// `state` prints. A container is created, not yet running, as long as its init keeps the fifo open.
#include "floor.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace davit::bench::floor {
namespace {

Request request;
const char* pid_file;
bool force;
int ready = 1;  // create: the child clears it, or the kernel does when the child dies
alignas(16) char stack[32768];
int tasks[32], tasks_count;

const char* in_state(const char* name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s/%s", request.root, request.id, name);
  return path;
}

void init_entry() {
  join_v1_cgroups(request);
  build_rootfs(request);
  become(request, true);
}

void exec_entry() {
  for (int i = 0; i < tasks_count; i++) must(write(tasks[i], "0", 1), "tasks");
  become(request, false);
}

void write_state(long pid) {
  char text[512];
  const int size = snprintf(text, sizeof text,
                            "%ld {\"ociVersion\":\"1.0.2\",\"id\":\"%s\",\"pid\":%ld,\"bundle\":\"%s\",", pid,
                            request.id, pid, fact("FLOOR_ROOTFS"));
  const int file = open_file(in_state("state"), O_WRONLY | O_CREAT, 0600);
  must(write(file, text, static_cast<size_t>(size)), "state");
  close(file);
}

int start() {
  const int fifo = open_file(in_state("fifo"), O_WRONLY | O_NONBLOCK);
  must(write(fifo, "x", 1), "fifo");
  return 0;
}

int remove_container() {
  remove_cgroups(request);
  if (request.wait_for_start) unlink(in_state("fifo"));
  must(unlink(in_state("state")), "unlink state");
  must(rmdir(in_state("")), "rmdir state");
  return 0;
}

void write_pid_file(long pid) {
  if (pid_file == nullptr) return;
  char text[16];
  const int size = snprintf(text, sizeof text, "%ld", pid);
  const int file = open_file(pid_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  must(write(file, text, static_cast<size_t>(size)), pid_file);
}

int create_or_run() {
  request.program = fact("FLOOR_PROGRAM");
  request.podman = strcmp(fact("FLOOR_KIND"), "podman") == 0;
  mkdir(request.root, 0700);
  must(mkdir(in_state(""), 0700), "mkdir state");
  make_cgroups(request);
  if (request.wait_for_start) {
    must(mknod(in_state("fifo"), S_IFIFO | 0600, 0), "mkfifo");
    request.start_fifo = open_file(in_state("fifo"), O_RDWR);
  }
  unsigned long long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
  flags |= request.wait_for_start ? CLONE_CHILD_CLEARTID : CLONE_VFORK;
  const int cgroup = open_unified_cgroup(request);
  const long pid = must(clone_to(init_entry, flags, cgroup, nullptr, &ready), "clone3");
  write_state(pid);
  write_pid_file(pid);
  if (request.wait_for_start) {
    while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) == 1)
      syscall(SYS_futex, &ready, 0 /* WAIT */, 1, nullptr);
    return ready == 2 ? 0 : 1;
  }
  int status = 0;
  while (waitpid(static_cast<pid_t>(pid), &status, 0) < 0 && errno == EINTR) continue;
  remove_container();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int exec(long pid) {
  request.podman = strcmp(fact("FLOOR_KIND"), "podman") == 0;
  const int cgroup = open_unified_cgroup(request);
  tasks_count = open_v1_tasks(request, tasks, 32);
  const int pidfd = static_cast<int>(must(syscall(SYS_pidfd_open, pid, 0), "pidfd_open"));
  const int namespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | 0x02000000;
  must(syscall(SYS_setns, pidfd, namespaces), "setns");
  const long child = must(clone_to(exec_entry, CLONE_VFORK, cgroup, nullptr, &ready), "clone3");
  int status = 0;
  while (waitpid(static_cast<pid_t>(child), &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int print_state(long pid, char* text, size_t size) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  const long fifo = pidfd < 0 ? -1 : syscall(SYS_openat, AT_FDCWD, in_state("fifo"), O_WRONLY | O_NONBLOCK);
  const char* status = pidfd < 0 ? "stopped" : fifo >= 0 ? "created" : "running";
  const int added = snprintf(text + size, 64, "\"status\":\"%s\"}\n", status);
  char* object = strchr(text, '{');
  must(write(1, object, static_cast<size_t>(text + size + added - object)), "stdout");
  return 0;
}

int kill_process(long pid, int signal) {
  const int pidfd = static_cast<int>(must(syscall(SYS_pidfd_open, pid, 0), "pidfd_open"));
  must(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0), "pidfd_send_signal");
  if (!force) return 0;
  pollfd gone{pidfd, POLLIN, 0};
  poll(&gone, 1, 3000);
  return 0;
}

int operate(const char* command) {
  if (strcmp(command, "create") == 0 || strcmp(command, "run") == 0) {
    request.wait_for_start = command[0] == 'c';
    return create_or_run();
  }
  if (strcmp(command, "start") == 0) return start();
  char text[1024] = "";
  const int file = open_file(in_state("state"), O_RDONLY);
  const ssize_t size = must(read(file, text, sizeof text - 65), "state");
  const long pid = atol(text);
  if (strcmp(command, "exec") == 0) return exec(pid);
  if (strcmp(command, "state") == 0) return print_state(pid, text, static_cast<size_t>(size));
  if (strcmp(command, "kill") == 0) return kill_process(pid, SIGKILL);
  if (strcmp(command, "delete") != 0) return 2;
  if (force && syscall(SYS_pidfd_open, pid, 0) >= 0) kill_process(pid, SIGKILL);
  request.wait_for_start = true;
  return remove_container();
}

}  // namespace

void wait_if_created() {
  if (!request.wait_for_start) return;
  __atomic_store_n(&ready, 2, __ATOMIC_RELEASE);
  syscall(SYS_futex, &ready, 1 /* WAKE */, 1);
  char byte;
  must(read(request.start_fifo, &byte, 1), "fifo");
}

long clone_to(void (*entry)(), unsigned long long flags, int cgroup, int* pidfd, int* cleared) {
  clone_args arguments{};
  arguments.flags = flags | CLONE_VM | (cgroup >= 0 ? kIntoCgroup : 0);
  arguments.cgroup = cgroup >= 0 ? static_cast<__u64>(cgroup) : 0;
  arguments.exit_signal = SIGCHLD;
  arguments.pidfd = reinterpret_cast<__u64>(pidfd);
  arguments.child_tid = reinterpret_cast<__u64>(cleared);
  arguments.stack = reinterpret_cast<__u64>(stack);
  arguments.stack_size = sizeof stack;
  long result;
  asm volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "call *%4\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(&arguments), "S"(sizeof arguments), "r"(entry)
      : "rcx", "r11", "memory");
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace davit::bench::floor

int main(int argc, char** argv) {
  using namespace davit::bench::floor;
  const char* command = nullptr;
  request.root = "/run/floor";
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--root") == 0) {
      request.root = argv[++i];
    } else if (strcmp(argv[i], "--bundle") == 0) {
      i++;
    } else if (strcmp(argv[i], "--pid-file") == 0) {
      pid_file = argv[++i];
    } else if (strcmp(argv[i], "--force") == 0) {
      force = true;
    } else if (command == nullptr) {
      command = argv[i];
    } else if (request.id == nullptr) {
      request.id = argv[i];
    } else {
      request.program = argv[i];
    }
  }
  if (command == nullptr || request.id == nullptr) return 2;
  return operate(command);
}
