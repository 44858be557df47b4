// SPDX-License-Identifier: Apache-2.0
// config.json of runtime-spec 1.3, as far as it applies to Linux, as plain structs with every default
// resolved.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "davit/spec/linux.hpp"
#include "davit/spec/position.hpp"
#include "davit/spec/process.hpp"

namespace davit::spec {

using Annotations = std::map<std::string, std::string, std::less<>>;

struct Root {
  std::string path;  ///< absolute, or relative to the bundle
  bool readonly = false;
  Position position;
};

struct Mount {
  std::string destination;  ///< as written; a relative one counts from the container's root
  std::string type;         ///< may be empty, e.g. with bind
  std::string source;       ///< may be empty
  std::vector<std::string> options;
  std::vector<IdMapping> uid_mappings;
  std::vector<IdMapping> gid_mappings;  ///< both lists or none
  Position position;
};

/// The mounts of `mounts add`, in a document of their own.
struct MountList {
  std::vector<Mount> mounts;
  Position position;
};

struct Hook {
  std::string path;  ///< absolute
  std::vector<std::string> args;
  std::optional<std::vector<std::string>> env;  ///< absent: that of whoever runs the hook
  std::optional<std::uint32_t> timeout;         ///< seconds, at least 1
  Position position;
};

struct Hooks {
  std::vector<Hook> prestart;
  std::vector<Hook> create_runtime;
  std::vector<Hook> create_container;
  std::vector<Hook> start_container;
  std::vector<Hook> poststart;
  std::vector<Hook> poststop;
  Position position;
};

struct Config {
  std::string oci_version;
  Root root;
  std::vector<Mount> mounts;
  std::optional<Process> process;  ///< only `start` needs it
  std::string hostname;            ///< empty: leave it alone
  std::string domainname;          ///< empty: leave it alone
  Hooks hooks;
  Annotations annotations;
  Linux linux;
  Position position;
  /// What all positions borrow from; null for a config that was not read.
  std::shared_ptr<const json::Document> document;
};

}  // namespace davit::spec
