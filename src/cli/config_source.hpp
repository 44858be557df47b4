// SPDX-License-Identifier: Apache-2.0
// Which config explain and validate are asked about.
#pragma once

#include <string>

#include "cli/invocation.hpp"

namespace davit::cli {

struct ConfigSource {
  std::string text;
  std::string name;    ///< how errors call it: "bundle/config.json", "standard input"
  std::string bundle;  ///< absolute
  std::string id;      ///< of the container that it is of, or would be
};

/// An argument is a bundle, a file, "-" for the standard input, or the id of a container, whose config is
/// that of its create; an empty one is the bundle of --bundle, or the current directory. With --bundle or
/// --config it is nothing but an id.
Result<ConfigSource> find_config(Invocation& invocation, const std::string& argument);

}  // namespace davit::cli
