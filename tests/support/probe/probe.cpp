// SPDX-License-Identifier: Apache-2.0
// A static program that runs inside containers and tells what it finds there.
//   probe report              everything about the process, one "key value" per line
//   probe devices DIR         "name type mode uid:gid major:minor" per entry
//   probe call NAME           makes a system call and prints "ok" or the errno's name
//   probe signals N           prints the next N signals that arrive, then exits with 0
//   probe tty                 what fd 0 is as a terminal
//   probe fds                 "number target" of every open descriptor
//   probe listen PATH         makes a unix socket and waits
//   probe notify TEXT         sends TEXT to $NOTIFY_SOCKET
//   probe spin MS             uses the processor for that long
//   probe memory MIB          touches so much memory
//   probe scan-exe SECONDS    tries to write to the executable of every process that appears
//   probe identity FILE       writes all that a runtime decides about the process into FILE
//   probe keyring             describes the session keyring
//   probe mark FILE WORD      puts WORD at the end of FILE
//   probe scan-ptrace SECONDS tries to look into every process that appears
//   probe scan-newborn SECONDS
//   probe stop-newborn SECONDS
//                             stops every process that appears, and tells what it has more than ourselves
#include "probe.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);
};

constexpr Command kCommands[] = {
    {"report", probe::report},
    {"devices", probe::devices},
    {"call", probe::call},
    {"signals", probe::signals},
    {"tty", probe::tty},
    {"fds", probe::fds},
    {"listen", probe::listen_on},
    {"spin", probe::spin},
    {"notify", probe::notify},
    {"memory", probe::memory},
    {"scan-exe", probe::scan_exe},
    {"scan-ptrace", probe::scan_ptrace},
    {"swap", probe::swap_paths},
    {"identity", probe::identity},
    {"mark", probe::mark},
    {"scan-newborn", probe::scan_newborn},
    {"stop-newborn", probe::stop_newborn},
    {"keyring", probe::keyring},
};

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const auto& command : kCommands)
    if (argc > 1 && strcmp(argv[1], command.name) == 0) return command.run(argc - 2, argv + 2);
  fprintf(stderr, "probe: unknown command\n");
  return 2;
}
