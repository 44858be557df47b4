// SPDX-License-Identifier: Apache-2.0
// What is disturbed: a command of a runtime, on a kind of bundle, in a view of cgroups.
#pragma once

#include <termios.h>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "faults/tracer.hpp"
#include "support/bundle.hpp"
#include "support/runtime.hpp"
#include "support/view.hpp"

namespace faults {

/// What a command does with a container, and what the container is before.
struct Verb {
  enum class Before { nothing, created, running, paused, stopped };
  enum class Effect { process, more, ended, frozen, thawed, values, gone };
  const char* name;
  Before before;
  Effect effect;
  /// True if a failure must leave everything as it was: what a failed start, resume or delete leaves can be
  /// gone on with.
  bool reverts;
};

struct Kind {
  const Verb* verb;
  std::string bundle;  ///< plain, user, terminal or hooks
  support::View view;
  [[nodiscard]] std::string name() const;
};
/// For GoogleTest.
void PrintTo(const Kind& kind, std::ostream* out);
std::vector<Kind> all_kinds();

/// The listener that an engine would be, for bundles with a terminal.
class Console {
 public:
  explicit Console(std::string path);
  /// Takes the terminals that were sent, and keeps them open.
  void take();
  void close_all() { masters_.clear(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  support::Fd listener_;
  std::vector<support::Fd> masters_;
};

/// The terminal in which somebody types a command of the runtime.
class Terminal {
 public:
  Terminal();
  /// Undoes what a killed runtime could not.
  void reset() const;
  [[nodiscard]] bool is_as_before() const;
  [[nodiscard]] int number() const { return slave_.get(); }

 private:
  support::Fd master_;
  support::Fd slave_;
  termios before_{};
};

class Scenario {
 public:
  explicit Scenario(const Kind& kind);
  /// Brings a container into the state in which the command finds it; "" or what went wrong.
  std::string prepare();
  /// The command to be traced, as prepared.
  [[nodiscard]] Command command() const;
  /// Waits for what the command is for, and says what came of it; the same text each time if nothing is
  /// disturbed. What never came is missing from the text.
  std::string effect();
  /// What a failed command must leave as it was.
  std::string standing();
  /// What the process in the container wrote about itself; "" if it did not come so far.
  [[nodiscard]] std::string seen_inside() const;
  /// `delete --force`; what the runtime said if it failed.
  std::string remove();
  /// What is there and was not at the time of learn_clean(), after a time in which it may go.
  std::string residue();
  void learn_clean();
  /// What a runtime does to the settings of its caller's terminal must be undone.
  [[nodiscard]] bool terminal_is_as_before() const { return !terminal_ || terminal_->is_as_before(); }
  /// Ends and removes by hand what the runtime could not.
  void sweep_up();
  /// It serves the container's terminal itself, at that of its caller.
  [[nodiscard]] bool is_in_foreground() const;
  void be_patient(int ms) { patience_ms_ = ms; }
  [[nodiscard]] const Kind& kind() const { return kind_; }
  [[nodiscard]] const support::Runtime& runtime() const { return runtime_; }

 private:
  [[nodiscard]] std::vector<std::string> arguments() const;
  [[nodiscard]] std::vector<std::string> creation(const char* verb) const;
  [[nodiscard]] bool has_terminal() const { return kind_.bundle == "terminal"; }
  void write_bundle();
  void wait_inside();
  [[nodiscard]] std::string values() const;
  [[nodiscard]] std::string processes() const;
  [[nodiscard]] std::string inventory() const;
  [[nodiscard]] std::string file(const char* name) const { return directory_ / name; }

  Kind kind_;
  std::string id_;
  support::TempDir directory_{"f"};
  support::TempDir state_{"s"};
  support::Runtime runtime_;
  support::Bundle bundle_;
  Console console_;
  std::optional<Terminal> terminal_;  ///< with a terminal, in the foreground
  pid_t init_ = -1;
  int patience_ms_ = 5000;
  std::string clean_;
};

/// Without what differs from one container to the next: numbers of namespaces, mounts and pipes.
std::string canonical(const std::string& identity);

}  // namespace faults
