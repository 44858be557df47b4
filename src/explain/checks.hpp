// SPDX-License-Identifier: Apache-2.0
// Checks that create leaves to init or to the kernel, or that it ends at the first error of.
#pragma once

#include <vector>

#include "davit/explain/validate.hpp"

namespace davit::explain {

/// Names that nobody knows: capabilities, system calls, options of mounts.
void check_words(const spec::Config& config, std::vector<Finding>& findings);
/// Ids of the process that its user namespace does not map.
void check_ids(const spec::Config& config, std::vector<Finding>& findings);
/// What is wrong with each of the mounts by itself.
std::vector<Error> mount_errors(const spec::Config& config, const Request& request);
/// Limits that no host could take.
std::vector<Error> resource_errors(const spec::Config& config, const Compiled& compiled);
/// Hints for findings about a name that stands in the config.
void suggest_names(const spec::Config& config, std::vector<Finding>& findings);

}  // namespace davit::explain
