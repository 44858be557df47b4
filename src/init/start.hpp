// The way into init, free of kernel headers so that tests with a libc can include it.
#pragma once

#include "davit/program/operations.hpp"

namespace davit::init {

/// What the start protocol hands over: argv[1] is the number of the program's descriptor.
struct Start {
  program::i32 program_descriptor = -1;
};

/// Maps the program, guards the process and runs it. Returns the exit code where execve did not happen.
int run(const Start& start);

#ifdef DAVIT_INIT_HOSTED
/// Performs all operations of a program in the calling process. The first failure as a message; type 0 if
/// none.
program::Message perform_all(std::byte* image);
#endif

}  // namespace davit::init
