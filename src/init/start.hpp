// SPDX-License-Identifier: Apache-2.0
// The way into init, free of kernel headers so that tests with a libc can include it.
#pragma once

#include "davit/program/operations.hpp"

namespace davit::init {

/// What the start protocol hands over, as decimal numbers in argv[1] to argv[3].
struct Start {
  program::i32 file = -1;  ///< descriptor of the file that holds the program
  program::u32 offset = 0;
  program::u32 size = 0;
  bool is_root = false;  ///< all uids and gids are 0, as the kernel says in the auxiliary vector
};

/// Maps the program, guards the process and runs it. Returns the exit code where execve did not happen.
int run(const Start& start);

#ifdef DAVIT_INIT_HOSTED
/// Performs all operations of a program in the calling process. The first failure as a message; type 0 if
/// none.
program::Message perform_all(std::byte* image);
#endif

}  // namespace davit::init
