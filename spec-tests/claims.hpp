// SPDX-License-Identifier: Apache-2.0
// What a runtime says of itself, which decides what it can be asked for.
#pragma once

#include <string>
#include <string_view>

#include "support/json.hpp"

namespace spec_tests {

class Claims {
 public:
  /// Of the runtime at that path; asked once.
  static const Claims& of(const std::string& path);
  /// Null if there is no such command.
  [[nodiscard]] const support::Json& features() const { return features_; }
  /// The first line of `--version`.
  [[nodiscard]] const std::string& version() const { return version_; }
  /// The newest specification that it knows, or "".
  [[nodiscard]] const std::string& specification() const { return specification_; }
  /// Why clauses about a feature do not apply to it, or "". `feature` is a place in what `features` says, and
  /// a word that must be in a list there: "linux.netDevices.enabled", "linux.namespaces=time". Where
  /// `features` is silent, the specification must be no older than `since`.
  [[nodiscard]] std::string lacks(std::string_view feature, std::string_view since) const;
  /// The same for clauses that bear no feature.
  [[nodiscard]] std::string older_than(std::string_view since) const;

 private:
  explicit Claims(const std::string& path);
  support::Json features_;
  std::string version_;
  std::string specification_;
};

}  // namespace spec_tests
