// SPDX-License-Identifier: Apache-2.0
// The state directory: <root>/<id>/ with state.json (the record), config.json (the config as it was at
// create), until the start start.sock, and the empty file tracers once an exec has brought in somebody who
// may trace others. No other code touches it. davit may be killed at any instruction:
// - an id belongs to whoever holds the lock of its directory while there is no record in it;
// - records are replaced atomically;
// - a deleted container is moved to a name that is no id before anything in it is removed;
// - what davit did not make is never removed (container/belongings.hpp).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/container/record.hpp"
#include "davit/sys/fd.hpp"

namespace davit::container {

/// A creator that is asked to end takes the container back, and its cgroups may take ten seconds to go.
inline constexpr std::chrono::seconds kLockPatience{30};

/// One container's directory, held open.
class Entry {
 public:
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] sys::FdRef directory() const { return directory_; }

  /// Takes the lock without waiting; false when somebody else has it. Code::not_found when the container was
  /// deleted meanwhile.
  Result<bool> try_lock();
  /// Waits for the lock, but not for ever: whoever has it then is named. Code::not_found when the container
  /// was deleted meanwhile.
  Result<void> lock(std::chrono::milliseconds patience = kLockPatience);
  void unlock();
  [[nodiscard]] bool locked() const { return locked_; }

  /// Code::not_found: the id is reserved, but there is no record.
  [[nodiscard]] Result<Record> read() const;
  [[nodiscard]] Result<void> write(const Record& record) const;
  /// The text of config.json as it was when the container was created.
  [[nodiscard]] Result<std::string> read_config() const;
  [[nodiscard]] Result<void> write_config(const std::string& text) const;
  /// From now on has_tracers().
  [[nodiscard]] Result<void> note_tracer() const;
  /// An exec or a neighbour in its pid namespace may trace others, of which the config knows nothing.
  [[nodiscard]] bool has_tracers() const;
  /// The start socket exists.
  [[nodiscard]] bool waits_for_start() const;
  /// Removes the directory; the id is free from the first system call on. Needs the lock. What davit did not
  /// put there stays, and is an error.
  [[nodiscard]] Result<void> discard() const;
  /// Code::wrong_state unless davit surely made the directory and all that is in it.
  [[nodiscard]] Result<void> check_removable() const;

 private:
  friend class Store;
  Entry(std::string root, std::string id, sys::UniqueFd directory)
      : root_(std::move(root)), id_(std::move(id)), directory_(std::move(directory)) {}
  Result<void> check_still_there();

  std::string root_;
  std::string id_;
  sys::UniqueFd directory_;
  bool locked_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;  ///< known, as the device is, once it was locked
};

class Store {
 public:
  /// `root` as given with --root; empty: default_root(). "/" is refused. Touches nothing.
  static Result<Store> at(const std::string& root);

  [[nodiscard]] const std::string& root() const { return root_; }
  /// Reserves an id, locked; makes the root (mode 0700) when it is missing. Code::already_exists.
  [[nodiscard]] Result<Entry> reserve(const std::string& id) const;
  /// Opens a container's directory, not locked. Code::not_found.
  [[nodiscard]] Result<Entry> open(const std::string& id) const;
  /// The ids that are taken, sorted. A missing default root holds none; a missing root of --root is an error.
  [[nodiscard]] Result<std::vector<std::string>> ids() const;
  /// Removes what a delete that was killed has left.
  void sweep() const;

 private:
  Store(std::string root, bool is_default, bool sticky)
      : root_(std::move(root)), is_default_(is_default), sticky_(sticky) {}
  [[nodiscard]] Result<void> make_root() const;

  std::string root_;
  bool is_default_ = false;
  bool sticky_ = false;  ///< below XDG_RUNTIME_DIR, whose cleaners spare sticky directories
};

/// /run/davit for the real root, else $XDG_RUNTIME_DIR/davit when that variable is set and not empty.
std::string default_root();

}  // namespace davit::container
