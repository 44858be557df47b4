// SPDX-License-Identifier: Apache-2.0
// The place in which this test program works, so that whatever a runtime leaves behind can be told from the
// rest of a busy machine.
#pragma once

#include <string>

namespace support {

/// A mount namespace of our own, the role of reaper for all our descendants, and a directory.
class Sandbox {
 public:
  /// Made at the first call, taken down at the end of the program.
  static Sandbox& get();
  /// The directory for everything of this test program; world searchable.
  [[nodiscard]] const std::string& dir() const { return dir_; }
  /// A mark that all ids and cgroups of this test program bear.
  [[nodiscard]] const std::string& mark() const { return mark_; }
  /// A new container id with the mark in it.
  std::string new_id();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox();

 private:
  Sandbox();
  int owner_ = 0;
  int count_ = 0;
  std::string mark_;
  std::string dir_;
};

}  // namespace support
