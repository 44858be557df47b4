// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_set>

#include "davit/spec/names.hpp"
#include "spec/sections.hpp"

namespace davit::spec {
namespace {

void check_namespaces(Report& report, const Linux& linux) {
  const Namespace* first[kNamespaceTypes] = {};
  for (const Namespace& entry : linux.namespaces) {
    const Namespace*& seen = first[static_cast<std::size_t>(entry.type)];
    if (seen != nullptr)
      report.error(
          entry.position, "type",
          text("namespace ", name_of(entry.type), " occurs twice, first in ", pointer_of(seen->position)));
    else
      seen = &entry;
  }
}

void check_devices(Report& report, const Linux& linux) {
  std::map<std::tuple<DeviceType, std::uint64_t, std::uint64_t>, const Device*> first;
  for (const Device& device : linux.devices) {
    if (device.type == DeviceType::fifo) continue;
    const auto [seen, is_new] = first.emplace(std::tuple(device.type, device.major, device.minor), &device);
    if (!is_new)
      report.warning(device.position, {}, text("is the same device as ", pointer_of(seen->second->position)));
  }
}

void check_net_devices(Report& report, const Linux& linux) {
  std::unordered_set<std::string_view> names;
  for (const NetDevice& device : linux.net_devices)
    if (!device.name.ends_with("%d") && !names.insert(device.name).second)
      report.error(device.position, "name",
                   text("two network devices cannot both be called ", json::quoted(device.name)));
}

/// How many a list such as "0-3,7" names.
std::uint64_t count_nodes(std::string_view list) {
  std::uint64_t count = 0;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    const std::size_t dash = part.find('-');
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    const bool is_range = dash != std::string_view::npos &&
                          parse_unsigned(part.substr(0, dash), UINT32_MAX, first) &&
                          parse_unsigned(part.substr(dash + 1), UINT32_MAX, last) && first <= last;
    count += is_range ? last - first + 1 : 1;
  }
  return count;
}

}  // namespace

void check(Report& report, Linux& linux) {
  check_namespaces(report, linux);
  check_devices(report, linux);
  check_net_devices(report, linux);
  check_mappings(report, linux.uid_mappings);
  check_mappings(report, linux.gid_mappings);
}

void check(Report& report, Namespace& entry) {
  if (!entry.path.empty()) check_absolute(report, entry.position, "path", entry.path);
}

void check(Report& report, TimeOffset& offset) {
  constexpr std::uint32_t kSecond = 1'000'000'000;
  if (offset.nanosecs >= kSecond) report.error(offset.position, "nanosecs", "must be below 1000000000");
}

void check(Report& report, Device& device) {
  constexpr std::uint32_t kFileType = 0170000;
  constexpr std::uint32_t kPermissions = 07777;
  check_absolute(report, device.position, "path", device.path);
  check_device_number(report, device.position, device.major, device.minor);
  if (device.uid) check_id(report, device.position, "uid", *device.uid);
  if (device.gid) check_id(report, device.position, "gid", *device.gid);
  if (!device.file_mode) return;
  // Engines copy st_mode here, with the file type in it.
  if (*device.file_mode > (kFileType | kPermissions))
    report.error(device.position, "fileMode", "must be at most 511 (octal 0777)");
  *device.file_mode &= kPermissions;
}

void check(Report& report, IntelRdt& rdt) {
  const std::string_view id = rdt.clos_id;
  const bool plain = id.find_first_of("/\n") == std::string_view::npos && id != "." && id != "..";
  if (!plain && id != "/") report.error(rdt.position, "closID", text("invalid class id ", json::quoted(id)));
  if (has_newline(rdt.l3_cache_schema)) report.error(rdt.position, "l3CacheSchema", "must be one line");
  if (!rdt.mem_bw_schema.empty() && !rdt.mem_bw_schema.starts_with("MB:"))
    report.error(rdt.position, "memBwSchema", "must begin with \"MB:\"");
  if (has_newline(rdt.mem_bw_schema)) report.error(rdt.position, "memBwSchema", "must be one line");
  for (std::size_t i = 0; i < rdt.schemata.size(); ++i)
    if (rdt.schemata[i].empty() || has_newline(rdt.schemata[i]))
      report.error(rdt.position, text("schemata/", std::to_string(i)), "must be one line");
}

void check(Report& report, MemoryPolicy& policy) {
  const bool no_nodes =
      policy.mode == MemoryPolicyMode::default_policy || policy.mode == MemoryPolicyMode::local;
  const bool maybe_nodes = policy.mode == MemoryPolicyMode::preferred;
  if (policy.nodes.find_first_not_of("0123456789, -") != std::string::npos)
    report.error(policy.position, "nodes", text("invalid memory policy node ", json::quoted(policy.nodes)),
                 "write the nodes like \"0-3,7\"");
  if (no_nodes && !policy.nodes.empty())
    report.error(policy.position, "nodes",
                 text("invalid memory policy: mode requires 0 nodes but got ",
                      std::to_string(count_nodes(policy.nodes)), ": ", name_of(policy.mode), " takes none"));
  if (!no_nodes && !maybe_nodes && policy.nodes.empty())
    report.error(policy.position, "nodes",
                 text("invalid memory policy: ", name_of(policy.mode), " needs nodes"));
  const auto has = [&](MemoryPolicyFlag flag) {
    return std::find(policy.flags.begin(), policy.flags.end(), flag) != policy.flags.end();
  };
  if (has(MemoryPolicyFlag::relative_nodes) && has(MemoryPolicyFlag::static_nodes))
    report.error(policy.position, "flags",
                 "invalid memory policy: MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other");
}

}  // namespace davit::spec
