// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <set>

#include "davit/sys/file.hpp"
#include "features/cgroup/former.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

/// Enables controllers for a v2 directory in all its ancestors, as far as they let us; what prevented it.
Error enable_controllers(const Directory& directory, const std::set<std::string>& controllers) {
  Error obstacle = make_error(Code::unsupported, "the kernel does not offer it to this hierarchy");
  std::size_t slash = directory.mount_point.size();
  while (slash != std::string::npos && slash < directory.path.size()) {
    const std::string file = directory.path.substr(0, slash) + "/cgroup.subtree_control";
    slash = directory.path.find('/', slash + 1);
    std::string all;
    for (const std::string& controller : controllers) all += (all.empty() ? "+" : " +") + controller;
    if (sys::write_file(file, all).ok()) continue;
    // One that cannot be enabled must not keep the others from being so.
    for (const std::string& controller : controllers) {
      auto written = sys::write_file(file, "+" + controller);
      if (written.ok()) continue;
      const int errno_value = written.error().errno_value;
      if (errno_value == ENOENT) continue;  // not available there; an ancestor has told why
      obstacle = written.error();
      // EOPNOTSUPP: of those that are there already, one can divide threads, which makes it another kind of
      // cgroup.
      if (errno_value == EBUSY || errno_value == EOPNOTSUPP)
        obstacle.advise(
            "a cgroup that has processes cannot enable controllers for its children; choose a "
            "cgroupsPath whose parent has none");
      if (errno_value == EACCES || errno_value == EPERM)
        obstacle.advise(
            "ask the administrator to delegate the controller, e.g. Delegate=yes in systemd's unit");
    }
  }
  return obstacle;
}

/// What the kernel's EINVAL and ERANGE mean for the values that are often wrong.
std::string advice_on(const Setting& setting, int errno_value) {
  if (errno_value != EINVAL && errno_value != ERANGE && errno_value != ENODEV) return {};
  if (setting.file.starts_with("cpu.cfs_") || setting.file == "cpu.max")
    return "a period is from 1000 to 1000000 microseconds, a quota at least 1000, and none above its "
           "parent's";
  const bool is_cpus = setting.file == "cpuset.cpus";
  if (!is_cpus && setting.file != "cpuset.mems") return {};
  const auto there =
      read_value(is_cpus ? "/sys/devices/system/cpu/online" : "/sys/devices/system/node/online");
  if (!there.ok()) return {};
  return std::string("this host has ") + (is_cpus ? "the CPUs " : "the memory nodes ") + *there +
         ", and the parent cgroup may have fewer";
}

/// Which part of a kernel has the file.
std::string_view advice_on_missing(std::string_view file) {
  if (file.starts_with("hugetlb.")) return "the sizes that the kernel has are in /sys/kernel/mm/hugepages";
  if (file.starts_with("blkio.") || file.starts_with("io."))
    return "weights take the I/O scheduler BFQ (`modprobe bfq`, then echo bfq to "
           "/sys/block/*/queue/scheduler), or "
           "io.cost on cgroup v2";
  return {};
}

/// Writes the settings of one place; keeps track of whether controllers were enabled already.
class SettingsWriter {
 public:
  SettingsWriter(const Place& place, const std::vector<Setting>& settings, sys::SpentFds& spent)
      : place_(place), settings_(settings), spent_(spent) {}

  Result<void> write(const Setting& setting) {
    const Directory* directory = find_directory(place_, setting.controller);
    if (directory == nullptr) return missing(setting, nullptr);
    auto written = attempt(*directory, setting);
    if (written.ok() || written.error().errno_value != ENOENT) return located(setting, written);
    // On v2 the file appears when the parents enable the controller.
    if (directory->controllers.empty() && !enabled_) {
      enabled_ = true;
      std::set<std::string> needed;
      for (const Setting& each : settings_)
        if (each.controller != "cgroup" && find_directory(place_, each.controller) == directory)
          needed.insert(each.controller);
      obstacle_ = enable_controllers(*directory, needed);
      written = attempt(*directory, setting);
      if (written.ok() || written.error().errno_value != ENOENT) return located(setting, written);
    }
    return setting.optional ? Result<void>() : missing(setting, directory);
  }

 private:
  Result<void> attempt(const Directory& directory, const Setting& setting) {
    const std::string file = directory.path + "/" + setting.file;
    std::string value = setting.value;
    if (setting.keep_quota) {
      auto present = read_value(file, spent_);
      if (present.ok()) value = present->substr(0, present->find(' ')) + value.substr(value.find(' '));
    }
    auto written = sys::write_file(file, value, spent_);
    const bool other = !written.ok() && written.error().errno_value == ENOENT && !setting.other_file.empty();
    return other ? sys::write_file(directory.path + "/" + setting.other_file, setting.other_value, spent_)
                 : written;
  }

  Result<void> located(const Setting& setting, const Result<void>& written) const {
    if (written.ok()) return {};
    Error error = written.error();
    if (error.errno_value == EBUSY && setting.file == "memory.limit_in_bytes") {
      const Directory* memory = find_directory(place_, "memory");
      const auto usage = read_value(memory->path + "/memory.usage_in_bytes");
      if (usage.ok()) error.wrap("unable to set memory limit (current usage: " + *usage + ")");
    }
    error.advise(advice_on(setting, error.errno_value));
    return spec::at(setting.position, setting.below, error);
  }

  Result<void> missing(const Setting& setting, const Directory* directory) const {
    Error error;
    if (directory == nullptr || (!exists(directory->path) && unprivileged())) {
      error = make_error(Code::unsupported, "cannot set " + setting.controller +
                                                " limit: container could not join or create cgroup");
      if (place_.directories.empty() && place_.manager != Manager::disabled)
        error.advise("no cgroup filesystem is mounted: `mount -t cgroup2 none /sys/fs/cgroup`");
    } else if (directory->controllers.empty() && !has_controller(*directory, setting.controller)) {
      error = obstacle_;
      error.wrap("cannot set " + setting.file + ": the requested cgroup controller `" + setting.controller +
                 "` is not available");
    } else {
      error = make_error(Code::unsupported, "cannot set " + setting.file +
                                                ": this kernel has no such file in " + directory->path);
      error.advise(advice_on_missing(setting.file));
    }
    return spec::at(setting.position, setting.below, error);
  }

  static bool has_controller(const Directory& directory, const std::string& controller) {
    const auto list = read_value(directory.path + "/cgroup.controllers");
    return controller == "cgroup" ||
           (list.ok() && (" " + *list + " ").find(" " + controller + " ") != std::string::npos);
  }

  const Place& place_;
  const std::vector<Setting>& settings_;
  sys::SpentFds& spent_;
  bool enabled_ = false;
  Error obstacle_ = make_error(Code::unsupported, "the kernel does not offer it to this hierarchy");
};

/// memory.checkBeforeUpdate: rather an error now than the OOM killer right after.
Result<void> check_memory(const Place& place, const spec::Memory& memory) {
  const Directory* directory = find_directory(place, "memory");
  if (!memory.check_before_update || directory == nullptr) return {};
  const bool v2 = directory->controllers.empty();
  const auto usage = [&](const char* v1_file, const char* v2_file) -> Result<std::int64_t> {
    const std::string text = TRY(read_value(directory->path + "/" + (v2 ? v2_file : v1_file)));
    return std::int64_t{std::strtoll(text.c_str(), nullptr, 10)};
  };
  const auto reject = [&](const char* what, std::int64_t limit, std::int64_t used) {
    return spec::at(
        memory.position, "checkBeforeUpdate",
        make_error(Code::invalid_config, "rejecting " + std::string(what) + " limit " +
                                             std::to_string(limit) + " < usage " + std::to_string(used)));
  };
  const std::int64_t limit = memory.limit.value_or(0);
  if (limit > 0) {
    const std::int64_t used = TRY(usage("memory.usage_in_bytes", "memory.current"));
    if (limit < used) return reject("memory", limit, used);
  }
  const std::int64_t total = memory.swap.value_or(0);
  if (total > 0 && exists(directory->path + (v2 ? "/memory.swap.current" : "/memory.memsw.usage_in_bytes"))) {
    std::int64_t used = TRY(usage("memory.memsw.usage_in_bytes", "memory.swap.current"));
    if (v2) used += TRY(usage("", "memory.current"));
    if (total < used) return reject("memory+swap", total, used);
  }
  return {};
}

std::set<std::string> words_of(const std::string& file) {
  std::set<std::string> words;
  const auto text = read_value(file);
  for (std::size_t begin = 0; text.ok() && begin < text->size();) {
    const std::size_t end = std::min(text->find(' ', begin), text->size());
    words.insert(text->substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

/// Controllers that v2 does not have, whatever the kernel offers.
Result<void> check_v1_only(const Place& place, const Setting& setting) {
  if (setting.controller != "net_cls" && setting.controller != "net_prio") return {};
  const Directory* directory = find_directory(place, setting.controller);
  if (directory != nullptr && !directory->controllers.empty()) return {};
  return spec::at(
      setting.position, setting.below,
      make_error(Code::unsupported, "this host has no " + setting.controller + " hierarchy mounted"));
}

}  // namespace

void offer_controllers(const Directory& directory, sys::SpentFds& spent) {
  const auto all = read_value(directory.mount_point + "/cgroup.controllers", spent);
  const auto own = read_value(directory.path + "/cgroup.controllers", spent);
  if (!all.ok() || !own.ok() || *all == *own) return;
  std::size_t slash = directory.mount_point.size();
  for (; slash < directory.path.size(); slash = directory.path.find('/', slash + 1)) {
    const std::string ancestor = directory.path.substr(0, slash);
    const std::set<std::string> enabled = words_of(ancestor + "/cgroup.subtree_control");
    std::string together;
    std::set<std::string> missing;
    for (const std::string& controller : words_of(ancestor + "/cgroup.controllers"))
      if (enabled.count(controller) == 0) {
        missing.insert(controller);
        together += "+" + controller + " ";
      }
    const std::string file = ancestor + "/cgroup.subtree_control";
    if (missing.empty() || sys::write_file(file, together).ok()) continue;
    for (const std::string& controller : missing) (void)sys::write_file(file, "+" + controller);
  }
}

Result<void> write_settings(const Place& place, const std::vector<Setting>& settings, sys::SpentFds& spent) {
  SettingsWriter writer(place, settings, spent);
  std::vector<const Setting*> later;
  for (const Setting& setting : settings) {
    auto written = writer.write(setting);
    if (written.ok()) continue;
    if (written.error().errno_value != EINVAL) return written.error();
    later.push_back(&setting);
  }
  for (const Setting* setting : later) TRY(writer.write(*setting));
  return {};
}

Result<std::vector<Setting>> settings_for(const Place& place, const spec::Resources& resources) {
  if (place.mode == host::CgroupMode::v2) return translate_v2(resources);
  std::vector<Setting> settings = TRY(translate_v1(resources));
  for (const Setting& setting : settings) TRY(check_v1_only(place, setting));
  if (place.mode == host::CgroupMode::v1) return settings;
  // Hybrid: a controller that no v1 hierarchy has taken may be in the unified one, under v2's names.
  std::set<std::string> moved;
  std::erase_if(settings, [&](const Setting& setting) {
    const Directory* directory = find_directory(place, setting.controller);
    const bool v2 = directory != nullptr && directory->controllers.empty();
    if (v2) moved.insert(setting.controller);
    return v2;
  });
  if (moved.empty()) return settings;
  spec::Resources rest = resources;
  if (find_directory(place, "memory") != unified(place)) rest.memory = {};
  if (find_directory(place, "cpu") != unified(place)) rest.cpu = {};
  for (Setting& setting : TRY(translate_v2(rest)))
    if (moved.count(setting.controller) != 0 || (setting.controller == "io" && moved.count("blkio") != 0))
      settings.push_back(std::move(setting));
  return settings;
}

/// A payload that moved out of its cgroup may have removed it.
Result<void> check_there(const Place& place) {
  for (const Directory& directory : place.directories) {
    if (exists(directory.path) || unprivileged()) continue;
    Error error = make_error(Code::wrong_state, "the container's cgroup " + directory.path + " is gone");
    return error.advise("its processes have moved to another one: there is nothing left to limit");
  }
  return {};
}

Result<void> apply(const Place& place, const spec::Resources& resources) {
  TRY(check_there(place));
  const std::vector<Setting> settings = TRY(settings_for(place, resources));
  TRY(check_memory(place, resources.memory));
  Former former;
  former.remember(place, settings);
  sys::SpentFds spent;
  auto written = write_settings(place, settings, spent);
  const bool is_told = written.ok() && place.manager == Manager::systemd;
  if (is_told) written = update_unit(place, settings);
  // An update that says nothing about devices leaves them alone.
  if (written.ok() && !resources.devices.empty())
    written = apply_devices(place, resources.devices, Condition::used, {});
  if (written.ok()) return written;
  former.restore();
  if (is_told) take_back_update(place, former.settings());
  return written;
}

}  // namespace davit::cgroup
