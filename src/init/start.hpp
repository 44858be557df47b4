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

}  // namespace davit::init
