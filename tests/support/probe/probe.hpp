// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace probe {

int report(int argc, char** argv);
int devices(int argc, char** argv);
int call(int argc, char** argv);
int signals(int argc, char** argv);
int tty(int argc, char** argv);
int fds(int argc, char** argv);
int listen_on(int argc, char** argv);
int notify(int argc, char** argv);
int spin(int argc, char** argv);
int memory(int argc, char** argv);
int scan_exe(int argc, char** argv);
int scan_ptrace(int argc, char** argv);
int scan_newborn(int argc, char** argv);
int stop_newborn(int argc, char** argv);
int swap_paths(int argc, char** argv);
int identity(int argc, char** argv);
int keyring(int argc, char** argv);
int mark(int argc, char** argv);

}  // namespace probe
