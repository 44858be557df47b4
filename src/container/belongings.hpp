// SPDX-License-Identifier: Apache-2.0
// What davit itself has put into a state directory, told from what others keep under the same name.
#pragma once

#include "davit/base/result.hpp"
#include "davit/sys/fd.hpp"

namespace davit::container {

inline constexpr const char* kRecordFile = "state.json";
inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kStartSocket = "start.sock";
inline constexpr const char* kTracersFile = "tracers";
inline constexpr const char* kNotifyDirectory = "notify";
inline constexpr const char* kNotifySocket = "notify.sock";

/// The mode of a container's directory. The sticky bit is davit's mark: mkdir(2) sets it with the directory,
/// so that there is no moment without it, and nobody else makes such directories for himself alone.
inline constexpr unsigned kDirectoryMode = 01700;

/// Whether davit surely made this directory, for this user, and everything in it.
Result<bool> is_made_by_davit(sys::FdRef directory);
/// Removes what davit puts into a container's directory, and nothing else.
Result<void> remove_belongings(sys::FdRef directory);

}  // namespace davit::container
