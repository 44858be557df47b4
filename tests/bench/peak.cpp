// SPDX-License-Identifier: Apache-2.0
// peak FILE COMMAND...: runs the command and writes its peak resident memory in kB, that of its children
// included. Small and static itself, as a process inherits the peak of the one that spawned it.
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const pid_t pid = vfork();
  if (pid == 0) {
    execve(argv[2], argv + 2, environ);
    _exit(127);
  }
  int status = 0;
  rusage used{};
  if (pid < 0 || wait4(pid, &status, 0, &used) < 0) return 1;
  const int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  dprintf(file, "%ld\n", used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
