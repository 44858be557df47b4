// SPDX-License-Identifier: Apache-2.0
// The words of mounts[].options and what they mean for one mount.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/program/operations.hpp"
#include "davit/spec/config.hpp"

namespace davit::rootfs {

/// A change of propagation; they are applied in the order in which they are written.
struct Propagation {
  std::uint64_t type = 0;  ///< one of MS_{SHARED,SLAVE,PRIVATE,UNBINDABLE}
  bool recursive = false;
};

/// A parameter of the filesystem itself, for fsconfig(2).
struct Parameter {
  std::string key;
  std::string value;
  bool is_flag = false;
  bool is_optional = false;  ///< left out where the filesystem finds the value invalid
};

/// Everything the options of one mount say.
struct Options {
  bool bind = false;
  bool recursive = false;  ///< rbind
  bool remount = false;
  bool copy_up = false;
  bool copy_symlink = false;
  bool source_no_follow = false;
  bool target_no_follow = false;
  bool idmap = false;
  bool recursive_idmap = false;
  std::string idmap_text;  ///< what follows "idmap=" or "ridmap="
  program::MountAttributes attributes;
  program::MountAttributes recursive_attributes;
  std::vector<Propagation> propagations;
  std::vector<std::string> superblock;  ///< generic superblock flags: "sync", "dirsync", "lazytime", "mand"
  std::vector<Parameter> parameters;    ///< words that davit does not know

  [[nodiscard]] bool readonly() const;
};

/// Reads the options of a mount; the only errors are malformed words.
Result<Options> read_options(const spec::Mount& mount);

/// Mappings in the form that crun made up: "uids=0-1000-10#20-30-5;gids=0-1000-10"; each triple is id on the
/// filesystem, id shown, and count. A triple that begins with '@' shows an id of the container's user
/// namespace.
struct IdmapMappings {
  std::vector<spec::IdMapping> uids;
  std::vector<spec::IdMapping> gids;
};
Result<IdmapMappings> read_idmap(std::string_view text, const spec::Linux& linux);

}  // namespace davit::rootfs
