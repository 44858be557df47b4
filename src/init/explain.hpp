// SPDX-License-Identifier: Apache-2.0
// Why a program cannot be executed: execve(2) has one errno for many causes.
#pragma once

#include "init/context.hpp"

namespace davit::init {

/// Whether `path` names something that execve would at least try to run; else why not.
Status check_executable(Context& context, const char* path);

/// Looks for the cause of execve's `error`; Message::text is the interpreter or the machine where that is it.
Status explain(Context& context, const char* path, i32 error);

}  // namespace davit::init
