// SPDX-License-Identifier: Apache-2.0
// The directories that CRIU reads and writes, and what its log says about a failure.
#pragma once

#include <string>

#include "davit/base/result.hpp"
#include "davit/criu/translation.hpp"
#include "davit/sys/fd.hpp"

namespace davit::container {

struct Images {
  sys::UniqueFd directory;
  sys::UniqueFd work;     ///< invalid: the same
  std::string path;       ///< absolute, without links
  std::string work_path;  ///< the same of where the log is

  [[nodiscard]] int work_number() const { return work.valid() ? work.number() : -1; }
};

/// Opens them; with `make`, missing ones are made.
Result<Images> open_images(const criu::Choices& choices, bool make);
/// Opens them once more as a process in another mount namespace sees them: CRIU mounts below where it works.
Result<void> reopen_images(Images& images, pid_t pid);
/// Removes the log of an earlier try: what it says would pass for this one's reason, and where somebody left
/// a symlink in its place, CRIU would write to where that leads.
Result<void> clear_log(const Images& images, const std::string& log);
/// "criu cannot WHAT: " and why, as far as answer, error and log tell it.
Error failure_of(const Error& cause, std::string_view what, const Images& images, const std::string& log);
/// The error that a response stands for which is no success.
Error error_of(const criu::Response& response);

}  // namespace davit::container
