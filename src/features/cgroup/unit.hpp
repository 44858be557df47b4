// SPDX-License-Identifier: Apache-2.0
// A container as a unit of systemd: its name, its properties, its life.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/undo.hpp"
#include "davit/bus/systemd.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/spec/config.hpp"
#include "features/cgroup/settings.hpp"

namespace davit::cgroup {

/// A unit's name and the slice that it stands in.
struct UnitName {
  std::string unit;   ///< "libpod-1.scope"
  std::string slice;  ///< "machine.slice"
};
/// linux.cgroupsPath as systemd's users write it: `slice:prefix:name`, each part of which may be empty.
Result<UnitName> unit_name(std::string_view cgroups_path, std::string_view id, bool of_user);
/// "a-b.slice" -> "/a.slice/a-b.slice"; "-.slice" -> "".
std::string slice_path(std::string_view slice);
/// The cgroup of a process ("self", "1") in the hierarchy that systemd keeps its units in.
std::string systemd_cgroup_of(const std::string& process, host::CgroupMode mode);
/// The place of a container that systemd makes, as far as it is known beforehand.
Result<Place> choose_unit(const spec::Config& config, const std::string& id,
                          const host::CgroupLayout& layout);

/// A property and the first release of systemd that has it.
struct UnitProperty {
  bus::Property property;
  unsigned since = 0;
};
/// What systemd has to know of the settings; pure. What it has no property for is in the cgroup files alone.
Result<std::vector<UnitProperty>> unit_properties(const std::vector<Setting>& settings,
                                                  host::CgroupMode mode);
/// The settings with those that are one with them for systemd, and that nobody asked for: what their files
/// say. Half of a quota means something with the other half only. Pure.
Result<std::vector<Setting>> with_counterparts(
    std::vector<Setting> settings, host::CgroupMode mode,
    const std::function<Result<std::string>(const char* file)>& read);
/// The device rules for v1, where systemd would otherwise allow everything with its next reload. Pure.
std::vector<bus::Property> device_properties(const std::vector<spec::DeviceRule>& rules);
/// The properties that annotations `org.systemd.property.NAME` ask for. Pure; only those that concern nothing
/// but the unit itself are let through, and none in place of one of `limits`, which are the engine's.
Result<std::vector<bus::Property>> annotated_properties(const spec::Config& config,
                                                        const std::vector<bus::Property>& limits);
/// A value in GVariant's text format, of the type that is expected.
Result<bus::Value> parse_variant(std::string_view text, std::string_view type);

/// A user's processes may only go from one cgroup to another if all that contains both is his; systemd has
/// ways of its own.
bool is_shut(const Place& place);
/// Has systemd put a process into the unit.
Result<void> attach_to_unit(const Place& place, pid_t pid);
/// The part of the unit in which the container's processes are to be, as an annotation names it; or empty.
Result<std::string> subgroup_of(const spec::Config& config);
/// The directory below that, in which the container's first process is to be: a cgroup namespace of its own
/// begins above it. An annotation of crun's.
Result<std::string> delegated_of(const spec::Config& config);
/// Makes the subgroup in one hierarchy, and moves the member of the unit there: a cgroup that hands
/// controllers on must have no processes itself.
Result<void> make_subgroup(const Place& place, const Directory& directory);
/// Tells systemd of limits that hold in the files by now.
Result<void> update_unit(const Place& place, std::vector<Setting> settings);
/// Tells it what holds again in the files: it may have heard of the others even where it did not answer.
void take_back_update(const Place& place, const std::vector<Setting>& former);
/// Stops the unit and lets systemd forget it. Where no systemd answers, that is a warning.
void stop_unit(const Place& place, std::vector<Error>& warnings);

}  // namespace davit::cgroup
