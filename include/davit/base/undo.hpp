// SPDX-License-Identifier: Apache-2.0
// Undo: what has to be taken back when a sequence of steps does not reach its end.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace davit {

/// Runs the pushed actions in reverse order when it is destroyed, unless commit() was called.
class Undo {
 public:
  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() { roll_back(); }

  /// Registers an action right after the effect it takes back has succeeded; it must not fail loudly.
  void push(std::function<void()> action) { actions_.push_back(std::move(action)); }
  /// Keeps all effects.
  void commit() { actions_.clear(); }
  void roll_back() {
    while (!actions_.empty()) {
      auto action = std::move(actions_.back());
      actions_.pop_back();
      action();
    }
  }

 private:
  std::vector<std::function<void()>> actions_;
};

}  // namespace davit
