// SPDX-License-Identifier: Apache-2.0
// The config that `davit spec` writes and that `run --rootfs` starts from.
#pragma once

#include <cstdint>
#include <string>

#include "davit/spec/config.hpp"

namespace davit::spec {

/// The default config.json for root, pretty-printed. A cgroup namespace is for hosts of cgroup v2 alone:
/// tools that look for themselves in v1 hierarchies go astray in one.
std::string default_config_json(bool with_cgroup_namespace);
/// The default for a user without privileges, whose ids become 0 inside.
std::string rootless_config_json(std::uint32_t uid, std::uint32_t gid, bool with_cgroup_namespace);
/// The default as a Config, read from default_config_json().
Config default_config();

}  // namespace davit::spec
