// SPDX-License-Identifier: Apache-2.0
// `davit explain`: what somebody gets who creates a container of a config.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "davit/explain/document.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/plan/plan.hpp"
#include "davit/spec/config.hpp"

namespace davit::explain {

/// What create would be asked for.
struct Request {
  features::Call call;
  cgroup::Manager manager = cgroup::Manager::cgroupfs;
  bool mounts_foreign_procfs = false;  ///< as plan::Input; compile() looks by itself
  bool guesses_manager = false;  ///< nobody named one: cgroupsPath may tell which one it was written for
};

/// A config as this host would run it. Where it cannot, what is missing is a note, and the rest goes on as on
/// a host that has it.
struct Compiled {
  host::Facts facts;  ///< with the LSMs that the config asks for
  bool has_apparmor = false;
  bool has_selinux = false;
  cgroup::Place place;
  std::optional<plan::Plan> plan;  ///< none: there are errors
  std::vector<Error> errors;       ///< no host could run this
  std::vector<Error> notes;        ///< this one cannot, or not as it is written
};
/// Looks at this host; nothing is made.
Compiled compile(const spec::Config& config, const Request& request);
/// The same on a host of which this is known.
Compiled compile_on(const host::Facts& facts, const spec::Config& config, const Request& request);

/// The whole document.
Document explain(const spec::Config& config, const Request& request, const Compiled& compiled);

/// The program as a flat list: number, name and operands of each operation, and its place in the config.
std::string operations_text(const plan::Plan& plan);
/// The same as JSON, with a sentence for each.
std::string operations_json(const plan::Plan& plan);

}  // namespace davit::explain
