// SPDX-License-Identifier: Apache-2.0
// Starting programs and looking at how they ended.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/files.hpp"

namespace support {

struct Options {
  std::string input;                     ///< what the program reads from stdin
  std::vector<std::string> env;          ///< added to ours, "NAME=value"
  bool only_env = false;                 ///< nothing but `env`
  std::string cwd;                       ///< working directory, ours if empty
  int timeout_ms = 120000;               ///< then it is killed, and that is a test failure
  std::vector<std::pair<int, int>> fds;  ///< {our descriptor, its number in the program}
  std::function<void()> in_child;        ///< called just before exec
};

struct Outcome {
  int status = -1;  ///< exit status, or 128 + signal
  std::string out;
  std::string err;
  [[nodiscard]] bool ok() const { return status == 0; }
  /// stdout without white space at its end
  [[nodiscard]] std::string line() const { return trim(out); }
  /// Everything, for messages of failed tests.
  [[nodiscard]] std::string all() const;
};

/// A program that runs; killed at the end of its life if it still does.
class Child {
 public:
  Child(const std::vector<std::string>& argv, const Options& options);
  Child(Child&& other) noexcept;
  ~Child();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// What it has written up to now. Files, not pipes: a container that outlives the runtime keeps them open.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  void kill(int signal) const;
  Outcome wait();

 private:
  pid_t pid_ = -1;
  int timeout_ms_ = 0;
  std::string name_;
  Fd out_;
  Fd err_;
};

Outcome run(const std::vector<std::string>& argv, const Options& options = {});

/// How long eventually() waits unless it is told: long enough for a machine that is ten times slower.
int& patience_ms();
/// Waits until `condition` holds; false when it does not within `timeout_ms`.
bool eventually(const std::function<bool()>& condition, int timeout_ms = patience_ms());
/// All processes below ours, zombies excluded, as pids.
std::vector<pid_t> descendants();
/// Reaps children that we inherited from runtimes.
void reap_orphans();
/// Waits for a container's init that we inherited; its exit status or 128 + signal, -1 if it was not ours.
int wait_orphan(pid_t pid, int timeout_ms = 60000);
/// True if we have that capability, by its number: root in a confined machine may lack some.
bool has_capability(unsigned number);
/// True while the process exists and is no zombie.
bool alive(pid_t pid);

}  // namespace support
