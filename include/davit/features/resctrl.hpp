// SPDX-License-Identifier: Apache-2.0
// Intel RDT, AMD PQoS and their like: the resctrl group of a container (config-linux.md, "IntelRdt";
// Documentation/filesystems/resctrl.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/base/undo.hpp"
#include "davit/spec/config.hpp"

namespace davit::resctrl {

/// Where a container's processes belong; a container without intelRdt has none.
struct Group {
  std::string directory;   ///< of the class of service; empty: none
  std::string monitoring;  ///< of the monitoring group in it; empty: none
  bool is_own = false;     ///< `directory` is made with the container, and goes with it

  [[nodiscard]] bool exists() const { return !directory.empty(); }
};

/// What is done to a resctrl filesystem.
class Tree {
 public:
  virtual ~Tree() = default;
  virtual bool has_directory(const std::string& path) = 0;
  virtual Result<void> make_directory(const std::string& path) = 0;
  /// One that is not there is no error.
  virtual Result<void> remove_directory(const std::string& path) = 0;
  /// The names in a directory, sorted; none where there is no such directory.
  virtual std::vector<std::string> names_in(const std::string& path) = 0;
  virtual Result<std::string> read(const std::string& file) = 0;
  virtual Result<void> write(const std::string& file, const std::string& text) = 0;
};
/// The machine's own.
Tree& host_tree();
/// Where a resctrl filesystem is mounted; an error where there is none.
Result<std::string> find_root();

/// The group that the config asks for, in the resctrl filesystem at `root`; nothing is made.
Result<Group> choose(Tree& tree, const std::string& root, const spec::IntelRdt& wanted,
                     const std::string& id);
/// The same on this machine; an error where it has no resctrl filesystem.
Result<Group> choose_on_host(const spec::IntelRdt& wanted, const std::string& id);
/// Makes what is missing of it, and sets or compares its schemata. Undo takes back what was made.
Result<void> prepare(Tree& tree, const Group& group, const spec::IntelRdt& wanted, Undo& undo);
/// The files into which a process writes "0" to become a member, in this order.
std::vector<std::string> task_paths(const Group& group);
/// What `update` was given.
struct Schemata {
  std::string l3_cache;          ///< "L3:...", or empty
  std::string memory_bandwidth;  ///< "MB:...", or empty
};
/// Undo takes it back.
Result<void> update(Tree& tree, const Group& group, const Schemata& schemata, Undo& undo);
/// Removes what came with the container; as much as can be, and then says what could not.
Result<void> remove(Tree& tree, const Group& group);

/// What the hardware can divide; numbers that the kernel does not tell are 0.
struct CacheInfo {
  std::string mask;
  std::uint64_t minimum_bits = 0;
  std::uint64_t classes = 0;
};
struct BandwidthInfo {
  std::uint64_t granularity = 0;
  std::uint64_t delay_linear = 0;
  std::uint64_t minimum = 0;
  std::uint64_t classes = 0;
};
struct BandwidthUse {
  std::uint64_t total = 0;  ///< bytes
  std::uint64_t local = 0;
};
/// What a container's group may use, and has used.
struct Statistics {
  std::optional<CacheInfo> cache{};
  std::string root_cache_schema;  ///< of the default class; empty: none
  std::string cache_schema;
  std::optional<BandwidthInfo> bandwidth{};
  std::string root_bandwidth_schema;
  std::string bandwidth_schema;
  std::optional<std::vector<BandwidthUse>> bandwidth_use{};     ///< by cache; none: it is not counted
  std::optional<std::vector<std::uint64_t>> cache_occupancy{};  ///< bytes, by cache; none: it is not counted
};
/// Nothing for a container without a group; what cannot be read is left out.
std::optional<Statistics> read_statistics(Tree& tree, const Group& group);

}  // namespace davit::resctrl
