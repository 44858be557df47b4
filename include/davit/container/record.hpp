// SPDX-License-Identifier: Apache-2.0
// What davit remembers of a container between two commands: the content of <root>/<id>/state.json.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/features/resctrl.hpp"
#include "davit/spec/config.hpp"

namespace davit::container {

/// The version of the format; a file with another one is refused.
inline constexpr int kRecordVersion = 1;

/// A pid alone means nothing after its process has ended: it is only used together with the start time and
/// the boot in which both were taken.
struct Init {
  pid_t pid = 0;                 ///< 0: no init yet
  std::uint64_t start_time = 0;  ///< clock ticks since boot
  std::uint64_t number = 0;      ///< sys::pidfd_number
  std::string boot_id;           ///< empty: the record is where nothing outlives the boot
};

/// How a container ended. What nobody has seen is absent.
struct Ending {
  std::string finished;          ///< RFC 3339, UTC; empty: unknown
  std::optional<int> exit_code;  ///< 128 + the signal that killed it
  int signal = 0;                ///< 0: none did, or unknown
  std::optional<bool> oom_killed;
  std::string failed_step;  ///< of a start that failed
  std::string error;        ///< why
};

struct Record {
  std::string id;
  std::string bundle;   ///< absolute
  std::string rootfs;   ///< absolute
  std::string created;  ///< RFC 3339 with nanoseconds, UTC
  uid_t owner = 0;      ///< who ran `create`
  Init init;
  cgroup::Place cgroup;
  resctrl::Group resctrl_group;
  spec::Annotations annotations;
  bool own_pid_namespace = true;  ///< false: killing init does not end the other processes
  bool no_pivot = false;          ///< created with --no-pivot: exec has to change the root, too
  bool poststop_hooks = false;    ///< delete has to read the config
  bool starts_plainly = false;    ///< start has to read the config only if something goes wrong
  /// What stdin, stdout, stderr and those of --preserve-fds were: by the time of a checkpoint the process may
  /// have others in their places. Empty names: a terminal's; none: it was not written down.
  std::vector<std::string> descriptors;
  std::optional<Ending> ending;  ///< absent: it has not ended, or nobody of ours was there
};

/// The document, on one line.
std::string record_json(const Record& record);
/// Reads it; `file` is how errors call the file. Anything that davit did not write is refused in one line.
Result<Record> parse_record(std::string text, std::string_view file);

}  // namespace davit::container
