// SPDX-License-Identifier: Apache-2.0
// A stand-in for systemd's manager in one of the views of cgroups: it listens where systemd does, speaks
// D-Bus, makes cgroups and moves processes, and can be as unpleasant as no real one lets itself be made.
#pragma once

#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/view.hpp"

namespace support {

/// How it behaves.
enum class Mood {
  obliging,    ///< as systemd
  silent,      ///< accepts connections, and says nothing
  deaf,        ///< lets davit in, and answers no call
  slow,        ///< every answer and every job takes a second
  refusing,    ///< refuses to start or change units
  dying,       ///< hangs up when a unit is to be started
  forgetful,   ///< does the jobs, and never tells of their end
  stuck,       ///< takes jobs, and never does them
  failing,     ///< its jobs end with "failed"
  misplacing,  ///< says that the job is done, and moves nobody
};

class FakeSystemd {
 public:
  explicit FakeSystemd(View view, Mood mood = Mood::obliging);
  FakeSystemd(const FakeSystemd&) = delete;
  FakeSystemd& operator=(const FakeSystemd&) = delete;
  ~FakeSystemd();

  /// What it was asked for: one line per call, "StartTransientUnit davit-1.scope MemoryMax=100 ...".
  [[nodiscard]] std::vector<std::string> calls() const;
  /// The units that it believes to be there.
  [[nodiscard]] std::vector<std::string> units() const;

 private:
  std::string directory_;  ///< of what it has written down
  pid_t pid_ = -1;
};

}  // namespace support
