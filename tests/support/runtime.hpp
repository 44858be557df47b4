// SPDX-License-Identifier: Apache-2.0
// The runtime under test.
#pragma once

#include <string>
#include <vector>

#include "support/json.hpp"
#include "support/process.hpp"
#include "support/view.hpp"

namespace support {

/// What is tested where nothing else is said; test programs that belong to a build link davit_built_runtime.
std::string runtime_by_default();

/// Whether anything may depend on a runtime's name: what SKIP_FOR skips, and the view of cgroups that a peer
/// needs. Not where runtimes are compared.
bool& peers_are_excused();

class Runtime {
 public:
  /// With that state directory.
  Runtime(std::string path, std::string root);
  /// $RUNTIME or $DAVIT_RUNTIME, or the davit that was built with these tests.
  static std::string path_under_test();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& root() const { return root_; }
  /// "davit", "runc", "crun", … as `--version` says.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_davit() const { return name_ == "davit"; }
  /// Global options that come before the subcommand, besides --root.
  std::vector<std::string> global_options;
  View view = View::host;

  /// Runs `RUNTIME --root ROOT ARGS…` to its end.
  Outcome operator()(const std::vector<std::string>& args, const Options& options = {}) const;
  Child start(const std::vector<std::string>& args, const Options& options = {}) const;
  /// Runs `RUNTIME ARGS…`, without a --root, as that user without any privileges: a copy of it where users
  /// may go, as the one that was built may lie below somebody's home.
  [[nodiscard]] Outcome as_user(unsigned user, std::vector<std::string> args) const;
  /// The output of `state`, or null if there is no such container.
  [[nodiscard]] Json state(const std::string& id) const;
  [[nodiscard]] std::string status(const std::string& id) const { return state(id).get("status").str(); }
  [[nodiscard]] pid_t pid(const std::string& id) const {
    return static_cast<pid_t>(state(id).get("pid").number());
  }
  /// The whole command line for those arguments.
  [[nodiscard]] std::vector<std::string> argv(const std::vector<std::string>& args) const;

 private:
  [[nodiscard]] Options with_view(Options options) const;
  std::string path_;
  std::string root_;
  std::string name_;
};

}  // namespace support
