// SPDX-License-Identifier: Apache-2.0
// The sections of the document, in the order in which they are shown.
#pragma once

#include <map>
#include <string>

#include "davit/explain/explain.hpp"

namespace davit::explain {

/// What every section is made from.
struct Subject {
  const spec::Config& config;
  const Request& request;
  const Compiled& compiled;
};

Section host_section(const Subject& subject);
Section namespaces_section(const Subject& subject);
Section cgroup_section(const Subject& subject);
Section mounts_section(const Subject& subject);
Section devices_section(const Subject& subject);
Section masks_section(const Subject& subject);
Section settings_section(const Subject& subject);
Section identity_section(const Subject& subject);
Section limits_section(const Subject& subject);
Section seccomp_section(const Subject& subject);
Section hooks_section(const Subject& subject);
Section program_section(const Subject& subject);

/// What a program's slots hold.
struct Slots {
  std::map<program::Slot, std::string> sources;  ///< of trees: where they come from
  std::map<program::Slot, std::string> mounts;   ///< where they are in the container
};
Slots slots_of(const plan::Plan& plan);

/// What an operation does, and to what.
struct Sentence {
  std::string label{};  ///< a path, a name; may be empty
  std::string text{};
};
Sentence sentence_of(const program::Program& program, const program::Operation& operation,
                     const Slots& slots);
/// The same as a line with its place in the config.
Line line_of(const plan::Plan& plan, const program::Operation& operation, const Slots& slots);

}  // namespace davit::explain
