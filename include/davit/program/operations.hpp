// SPDX-License-Identifier: Apache-2.0
// All operations of the language between host and init (layout.hpp says what a program is).
#pragma once

#include "davit/program/layout.hpp"
#include "davit/program/messages.hpp"
#include "davit/program/mount_operations.hpp"
#include "davit/program/process_operations.hpp"
#include "davit/program/setting_operations.hpp"
#include "davit/program/stage_operations.hpp"
