// SPDX-License-Identifier: Apache-2.0
#include "davit/features/cgroup_preview.hpp"

#include "features/cgroup/device_rules.hpp"
#include "features/cgroup/tree.hpp"

namespace davit::cgroup {
namespace {

/// The translators end at the first error: every object on its own.
std::vector<spec::Resources> parts_of(const spec::Resources& all) {
  std::vector<spec::Resources> parts(8);
  for (spec::Resources& part : parts) part.position = all.position;
  parts[0].memory = all.memory;
  parts[1].cpu = all.cpu;
  parts[2].pids = all.pids;
  parts[3].block_io = all.block_io;
  parts[4].hugepage_limits = all.hugepage_limits;
  parts[5].network = all.network;
  parts[6].rdma = all.rdma;
  parts[7].unified = all.unified;
  return parts;
}

void append(Preview& preview, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings)
    preview.writes.push_back(
        {setting.controller, setting.file, setting.value, setting.position, setting.below});
}

}  // namespace

Preview preview(const Place& place, const spec::Resources& resources) {
  Preview result;
  const DeviceList list = device_list(resources.devices);
  result.allows_devices = list.base;
  result.devices = list.rules;
  if (place.manager == Manager::disabled) return result;
  const auto whole = settings_for(place, resources);
  if (whole.ok()) {
    append(result, *whole);
    return result;
  }
  for (const spec::Resources& part : parts_of(resources)) {
    const auto settings = settings_for(place, part);
    if (settings.ok())
      append(result, *settings);
    else
      result.errors.push_back(settings.error());
  }
  // Only together are they wrong.
  if (result.errors.empty()) result.errors.push_back(whole.error());
  return result;
}

}  // namespace davit::cgroup
