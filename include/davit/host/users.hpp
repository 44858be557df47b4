// SPDX-License-Identifier: Apache-2.0
// The users of the host.
#pragma once

#include <sys/types.h>

#include <string>

namespace davit::host {

/// The user's name in /etc/passwd; empty where it has none there.
std::string user_name(uid_t uid);

}  // namespace davit::host
