// What a host looks like, as far as a runtime could change it; compared before and after a test.
#pragma once

#include <set>
#include <string>

namespace support {

class HostSnapshot {
 public:
  /// Looks at the mounts of our namespace, at our descendants, at cgroups and temporary files that bear our
  /// mark, and at the entries of a state directory.
  static HostSnapshot take(const std::string& state_dir = "");
  /// What is there now and was not `before`, one per line; "" if nothing.
  [[nodiscard]] std::string leaked_since(const HostSnapshot& before) const;
  /// What is gone since `before`.
  [[nodiscard]] std::string lost_since(const HostSnapshot& before) const {
    return before.leaked_since(*this);
  }

 private:
  std::set<std::string> things_;
};

}  // namespace support
