// SPDX-License-Identifier: Apache-2.0
// What a host looks like, as far as a runtime could change it; compared before and after a test.
#pragma once

#include <map>
#include <string>

namespace support {

class HostSnapshot {
 public:
  /// Looks at the mounts of our namespace, at our descendants, at cgroups and temporary files that bear our
  /// mark, and at the entries of a state directory.
  static HostSnapshot take(const std::string& state_dir = "");
  /// What is there now and was not `before`, one per line; "" if nothing. What a process that was there
  /// before has started since is its own affair: a living container goes on while others are looked at.
  [[nodiscard]] std::string leaked_since(const HostSnapshot& before) const;
  /// What is gone since `before`.
  [[nodiscard]] std::string lost_since(const HostSnapshot& before) const {
    return before.leaked_since(*this);
  }

 private:
  struct Thing {
    std::string shown;
    std::string ancestor;  ///< of a process: the name of the one right below us that it comes from
  };
  void add(const std::string& thing) { things_[thing] = {thing, ""}; }
  void add_processes();
  std::map<std::string, Thing> things_;  ///< by a name that stays the same as long as they are there
};

}  // namespace support
