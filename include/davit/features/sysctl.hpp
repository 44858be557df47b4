// SPDX-License-Identifier: Apache-2.0
// linux.sysctl: kernel parameters of the container's own namespaces.
#pragma once

#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/compilation.hpp"
#include "davit/spec/config.hpp"

namespace davit::sysctl {

/// Tells whether the namespace at `path` is the one that davit itself is in; an error: there is none at all.
using IsHostNamespace = Result<bool> (*)(const std::string& path, spec::NamespaceType type);
/// Asks this machine.
Result<bool> is_host_namespace(const std::string& path, spec::NamespaceType type);

/// The path below /proc/sys of a key in dot or slash form: in the dot form a slash stands for a dot
/// (sysctl.d(5)).
std::string path_of(const std::string& key);

/// Refuses what is not confined to a namespace of the container; all errors.
std::vector<Error> validate(const spec::Config& config, IsHostNamespace is_host);
/// Writes them; after compile_stage.
Result<void> compile(features::Compilation& compilation, const spec::Config& config);

}  // namespace davit::sysctl
