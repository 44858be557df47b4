// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "davit/sys/file.hpp"
#include "features/cgroup/former.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

/// A process needs its parent and a stage beside it while it is born; limits below are set afterwards.
constexpr std::int64_t kBirthPids = 8;

/// What prepare() has made so far; shared with its undo action.
struct Made {
  Place place;                       ///< the container's own directories
  std::vector<std::string> parents;  ///< outermost first
  Former former;                     ///< of directories that were there
  sys::SpentFds spent;               ///< of the files that were read and written
};

void take_back(const Made& made) {
  made.former.restore();
  (void)remove_directories(made.place);
  for (auto parent = made.parents.rbegin(); parent != made.parents.rend(); ++parent)
    (void)sys::unlink_at(sys::current_directory(), *parent, AT_REMOVEDIR);
}

/// mkdir(2); false: it was there.
Result<bool> make_one(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return true;
  if (errno == EEXIST) return false;
  return system_error(errno, "mkdir " + path);
}

/// v1 takes no process into a cpuset without cpus and memory nodes; a new one has neither, and neither have
/// those above it that somebody else made and left so.
Result<std::string> inherit_cpuset(const Directory& directory, const std::string& path, const char* file,
                                   bool is_new, sys::SpentFds& spent) {
  std::string value = is_new ? std::string() : TRY(read_value(path + file, spent));
  if (!value.empty() || path == directory.mount_point) return value;
  value = TRY(inherit_cpuset(directory, path.substr(0, path.rfind('/')), file, false, spent));
  if (!value.empty()) TRY(sys::write_file(path + file, value, spent));
  return value;
}
Result<void> inherit_cpuset(const Directory& directory, const std::string& path, bool is_new, Made& made) {
  TRY(inherit_cpuset(directory, path, "/cpuset.cpus", is_new, made.spent));
  TRY(inherit_cpuset(directory, path, "/cpuset.mems", is_new, made.spent));
  return {};
}

bool has(const Directory& directory, std::string_view controller) {
  return std::find(directory.controllers.begin(), directory.controllers.end(), controller) !=
         directory.controllers.end();
}

Result<void> make_parents(const Directory& directory, Made& made) {
  std::size_t slash = directory.path.find('/', directory.mount_point.size() + 1);
  for (; slash != std::string::npos; slash = directory.path.find('/', slash + 1)) {
    const std::string parent = directory.path.substr(0, slash);
    if (!TRY(make_one(parent))) continue;
    made.parents.push_back(parent);
    if (has(directory, "cpuset")) TRY(inherit_cpuset(directory, parent, true, made));
  }
  return {};
}

/// mkdir(2) with the parents that are missing; false: it was there.
Result<bool> make_with_parents(const Directory& directory, Made& made) {
  auto made_now = make_one(directory.path);
  if (made_now.ok() || made_now.error().errno_value != ENOENT) return made_now;
  TRY(make_parents(directory, made));
  return make_one(directory.path);
}

/// Makes a directory that processes can enter; false: it was there.
Result<bool> make_directory(const Directory& directory, Made& made) {
  const bool made_now = TRY(make_with_parents(directory, made));
  if (made_now) made.place.directories.push_back(directory);
  if (has(directory, "cpuset")) TRY(inherit_cpuset(directory, directory.path, made_now, made));
  return made_now;
}

/// A cgroup that was there before must be empty and not frozen: its limits would be those of others, and
/// joining a frozen one would never return.
Result<void> check_fit(const Directory& directory) {
  const auto unfit = [&](const std::string& why) {
    return make_error(Code::wrong_state, why + ": " + directory.path);
  };
  const bool v2 = directory.controllers.empty();
  if (v2 || has(directory, "freezer")) {
    const auto state = read_value(directory.path + (v2 ? "/cgroup.freeze" : "/freezer.state"));
    if (state.ok() && *state != "0" && *state != "THAWED")
      return unfit("container's cgroup unexpectedly frozen")
          .advise("a process would never get in: thaw it, or choose another cgroupsPath");
  }
  const std::vector<pid_t> found = TRY(members(directory.path));
  if (found.empty()) return {};
  return unfit("container's cgroup is not empty: " + std::to_string(found.size()) + " process(es) found")
      .advise("its limits would be theirs, too: choose another cgroupsPath, or end them");
}

bool is_denial(int errno_value) {
  return errno_value == EACCES || errno_value == EPERM || errno_value == EROFS;
}

/// What a directory that cannot be made means. Without privileges it is no error as long as neither a place
/// nor limits were asked for; the container then stays in the cgroup of its caller.
Result<void> without_directory(const Error& error, const spec::Config& config, bool limits) {
  if (!is_denial(error.errno_value) || !unprivileged() || !config.linux.cgroups_path.empty())
    return spec::at(config.linux.position, "cgroupsPath", error);
  if (!limits) return {};
  Error refusal = error;
  refusal.wrap("rootless needs no limits + no cgrouppath when no permission is granted for cgroups");
  return spec::at(config.linux.resources.position, refusal);
}

Result<Entrance> open_entrance(const Place& usable) {
  Entrance entrance;
  entrance.task_paths = task_paths(usable);
  const Directory* v2 = unified(usable);
  if (v2 != nullptr)
    entrance.v2_directory = TRY(sys::open(v2->path + usable.unit.subgroup, O_RDONLY | O_DIRECTORY));
  entrance.from_outside = is_shut(usable);
  return entrance;
}

}  // namespace

bool hinders_birth(const Setting& setting) {
  return setting.file == "pids.max" && setting.value != "max" && setting.value.size() < 2 &&
         setting.value[0] - '0' < kBirthPids;
}

std::vector<std::string> task_paths(const Place& place) {
  std::vector<std::string> paths;
  for (const Directory& directory : place.directories)
    if (!directory.controllers.empty()) paths.push_back(directory.path + place.unit.subgroup + "/tasks");
  return paths;
}

Result<Entrance> prepare(const Place& place, const spec::Config& config, Undo& undo) {
  const spec::Resources& resources = config.linux.resources;
  std::vector<Setting> settings = TRY(settings_for(place, resources));
  if (place.manager == Manager::disabled) {
    // Engines always write device rules, also for this; a limit was somebody's wish.
    if (settings.empty()) return Entrance();
    return spec::at(settings.front().position, settings.front().below,
                    make_error(Code::unsupported, "cannot set " + settings.front().controller +
                                                      " limit: cgroups are disabled for this container"));
  }
  auto made = std::make_shared<Made>();
  made->place.mode = place.mode;
  undo.push([made] { take_back(*made); });
  Place usable{.manager = place.manager, .mode = place.mode, .unit = place.unit};
  bool was_there = false;
  for (const Directory& directory : place.directories) {
    auto result = make_directory(directory, *made);
    if (!result.ok()) {
      TRY(without_directory(result.error(), config, !settings.empty()));
      continue;
    }
    // What systemd has just made is as good as new: but on v1 it has written device rules.
    const bool is_units = place.manager == Manager::systemd;
    if (!*result) {
      if (!is_units) TRY(check_fit(directory));
      was_there = !is_units || place.mode != host::CgroupMode::v2;
    }
    // In slices that is for systemd to do.
    if (place.mode == host::CgroupMode::v2 && !is_units) offer_controllers(directory, made->spent);
    if (!place.unit.subgroup.empty()) TRY(make_subgroup(place, directory));
    usable.directories.push_back(directory);
  }
  if (was_there) made->former.remember(place, settings);
  std::erase_if(settings, hinders_birth);
  TRY(write_settings(place, settings, made->spent));
  made->spent.close();
  TRY(change_ownership(place, config));
  Entrance entrance = TRY(open_entrance(usable));
  entrance.was_there = was_there;
  return entrance;
}

Result<void> restrict_devices(const Place& place, const spec::Resources& resources,
                              const Entrance& entrance) {
  if (place.manager == Manager::disabled) return {};
  return apply_devices(place, resources.devices, entrance.was_there ? Condition::used : Condition::fresh,
                       {entrance.v2_directory, entrance.device_program});
}

Result<void> apply_after_birth(const Place& place, const spec::Resources& resources) {
  if (!resources.pids.limit || *resources.pids.limit >= kBirthPids || place.manager == Manager::disabled)
    return {};
  std::vector<Setting> settings = TRY(settings_for(place, resources));
  std::erase_if(settings, [](const Setting& setting) { return !hinders_birth(setting); });
  sys::SpentFds spent;
  TRY(write_settings(place, settings, spent));
  return place.manager == Manager::systemd ? update_unit(place, settings) : Result<void>();
}

}  // namespace davit::cgroup
