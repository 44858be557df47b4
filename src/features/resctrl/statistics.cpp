// SPDX-License-Identifier: Apache-2.0
// What a group may use of the hardware, and has used.
#include <charconv>

#include "davit/features/resctrl.hpp"
#include "features/resctrl/schemata.hpp"

namespace davit::resctrl {
namespace {

std::string line_of(Tree& tree, const std::string& file) {
  const auto text = tree.read(file);
  return text.ok() ? text->substr(0, text->find('\n')) : std::string();
}

/// The kernel also writes words there ("Unavailable"), which count as 0; nothing: there is no such file.
std::optional<std::uint64_t> counter(Tree& tree, const std::string& file) {
  const auto text = tree.read(file);
  if (!text.ok()) return {};
  std::uint64_t value = 0;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

void read_cache(Tree& tree, const std::string& root, Statistics& statistics) {
  const std::string info = root + "/info/L3";
  if (!tree.has_directory(info)) return;
  statistics.cache = CacheInfo{.mask = line_of(tree, info + "/cbm_mask"),
                               .minimum_bits = counter(tree, info + "/min_cbm_bits").value_or(0),
                               .classes = counter(tree, info + "/num_closids").value_or(0)};
}

void read_bandwidth(Tree& tree, const std::string& root, Statistics& statistics) {
  const std::string info = root + "/info/MB";
  if (!tree.has_directory(info)) return;
  statistics.bandwidth = BandwidthInfo{.granularity = counter(tree, info + "/bandwidth_gran").value_or(0),
                                       .delay_linear = counter(tree, info + "/delay_linear").value_or(0),
                                       .minimum = counter(tree, info + "/min_bandwidth").value_or(0),
                                       .classes = counter(tree, info + "/num_closids").value_or(0)};
}

void read_schemata(Tree& tree, const std::string& directory, std::string& cache, std::string& bandwidth) {
  const std::string file = tree.read(directory + "/schemata").value_or({});
  cache = line_in(file, "L3");
  bandwidth = line_in(file, "MB");
}

/// A directory for each cache.
void read_monitors(Tree& tree, const std::string& directory, Statistics& statistics) {
  for (const std::string& name : tree.names_in(directory)) {
    if (!name.starts_with("mon_L3_")) continue;
    const std::string monitor = directory + "/" + name + "/";
    const auto total = counter(tree, monitor + "mbm_total_bytes");
    const auto local = counter(tree, monitor + "mbm_local_bytes");
    const auto occupancy = counter(tree, monitor + "llc_occupancy");
    if (total || local) {
      if (!statistics.bandwidth_use) statistics.bandwidth_use.emplace();
      statistics.bandwidth_use->push_back({total.value_or(0), local.value_or(0)});
    }
    if (occupancy) {
      if (!statistics.cache_occupancy) statistics.cache_occupancy.emplace();
      statistics.cache_occupancy->push_back(*occupancy);
    }
  }
}

}  // namespace

std::optional<Statistics> read_statistics(Tree& tree, const Group& group) {
  if (!group.exists()) return {};
  // The default class is the filesystem's root; the others are right below it.
  const bool is_root = tree.has_directory(group.directory + "/info");
  const std::string root = is_root ? group.directory : group.directory.substr(0, group.directory.rfind('/'));
  Statistics statistics;
  read_cache(tree, root, statistics);
  read_bandwidth(tree, root, statistics);
  read_schemata(tree, root, statistics.root_cache_schema, statistics.root_bandwidth_schema);
  read_schemata(tree, group.directory, statistics.cache_schema, statistics.bandwidth_schema);
  // What others of the same class use is none of the container's.
  if (!group.monitoring.empty())
    read_monitors(tree, group.monitoring + "/mon_data", statistics);
  else if (group.is_own)
    read_monitors(tree, group.directory + "/mon_data", statistics);
  return statistics;
}

}  // namespace davit::resctrl
