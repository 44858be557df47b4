// SPDX-License-Identifier: Apache-2.0
// Small helpers around the directories of a place; used by everything here that touches the file system.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/features/cgroup.hpp"
#include "features/cgroup/settings.hpp"

namespace davit::cgroup {

/// The directory in whose hierarchy a controller is: a v1 one that has it, else the unified one; null: none.
const Directory* find_directory(const Place& place, std::string_view controller);
/// The unified directory, or null.
const Directory* unified(const Place& place);
/// One read of a small kernel file, which `spent` closes.
Result<std::string> read_value(const std::string& path, sys::SpentFds& spent);
Result<std::string> read_value(const std::string& path);
/// The number after `key ` at the start of a line of a flat keyed file; 0 when absent.
std::uint64_t keyed_value(std::string_view text, std::string_view key);
/// Not the real root: another uid, or root of a user namespace only. Costs a read for uid 0.
bool unprivileged();
/// The absolute directory is there.
bool exists(const std::string& path);
/// The error of something that was removed meanwhile.
bool is_absent(const Error& error);
/// Comes to every cgroup of a tree, parents first; nothing when it is gone. Goes from descriptor to
/// descriptor: who may write to the tree can make paths in it that no system call takes (PATH_MAX).
Result<void> walk(const std::string& path, const std::function<Result<void>(sys::FdRef group)>& arrive);
/// Removes every cgroup of a tree, children first, but for those that are not empty.
Result<void> remove_empty(const std::string& path);
/// What lies below the container's own cgroup in a path of /proc/PID/cgroup, where both count from different
/// roots; nothing where it is elsewhere. A container may make cgroups of any name in its own.
std::optional<std::string> part_below(std::string_view own, std::string_view found);
/// Members of one cgroup and those below it, as seen from here.
Result<std::vector<pid_t>> members(const std::string& path);
/// Joins components, resolves "." and ".."; false when it would lead above the start.
bool clean_path(std::string_view path, std::string& cleaned);

/// Writes settings in order. One that is refused with EINVAL is tried again after the others, because limits
/// that depend on each other (memory and memory plus swap, quota and burst) fit only in one of both orders.
Result<void> write_settings(const Place& place, const std::vector<Setting>& settings, sys::SpentFds& spent);
/// Enables all controllers for a v2 directory, as far as its ancestors let us: without a controller nothing
/// is counted, and the payload cannot limit anything below.
void offer_controllers(const Directory& directory, sys::SpentFds& spent);
/// A limit under which there is no room for those who bring init into the world; it waits until they are
/// gone.
bool hinders_birth(const Setting& setting);
/// Settings of these resources for the kind of hierarchies of the place.
Result<std::vector<Setting>> settings_for(const Place& place, const spec::Resources& resources);

/// Whether a place's directories are new, or may hold values and programs of an earlier life.
enum class Condition : std::uint8_t { fresh, used };
/// remove() as far as it is done through the file system.
Result<void> remove_directories(const Place& place);
/// What apply_devices() uses on v2 where it is valid, and else opens or loads itself.
struct OpenedV2 {
  sys::FdRef directory;
  sys::FdRef program;
};
/// Makes the device rules hold.
Result<void> apply_devices(const Place& place, const std::vector<spec::DeviceRule>& rules,
                           Condition condition, const OpenedV2& opened);
/// Gives a delegated cgroup to the user of the container (spec: "Cgroup ownership"), if it is to be.
Result<void> change_ownership(const Place& place, const spec::Config& config);

}  // namespace davit::cgroup
