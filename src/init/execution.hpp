// SPDX-License-Identifier: Apache-2.0
// What execve, hooks and set_home share.
#pragma once

#include "init/context.hpp"

namespace davit::init {

/// Strings of the program as execve wants them, with a null pointer behind. The list is converted where it
/// lies, which happens once: an operation runs once.
const char** as_pointers(const Context& context, List<Str> list);

/// A page that stays until execve; null if there is none.
char* new_page();

}  // namespace davit::init
