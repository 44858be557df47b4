// SPDX-License-Identifier: Apache-2.0
#include "features/cgroup/former.hpp"

#include <optional>

#include "davit/base/fields.hpp"
#include "davit/sys/file.hpp"

namespace davit::cgroup {
namespace {

/// Files with a line for each device or interface, which are written line by line, and what a line says that
/// is not there: no limit.
struct Keyed {
  std::string_view file;
  std::string_view none;
};
constexpr Keyed kKeyed[] = {
    {"io.max", "rbps=max wbps=max riops=max wiops=max"},
    {"blkio.throttle.read_bps_device", "0"},
    {"blkio.throttle.write_bps_device", "0"},
    {"blkio.throttle.read_iops_device", "0"},
    {"blkio.throttle.write_iops_device", "0"},
    {"net_prio.ifpriomap", "0"},
    {"rdma.max", "hca_handle=max hca_object=max"},
    {"blkio.weight_device", "default"},
    {"io.bfq.weight", "default"},
    {"io.weight", "default"},
};

std::string_view first_word(std::string_view line) {
  return line.substr(0, line.find(' '));
}

/// Which line a setting writes: that of a device or interface, or the one for all that have none.
std::string_view key_of(std::string_view value) {
  return value.find(' ') == std::string_view::npos ? "default" : first_word(value);
}

/// The line for that device, or the one that says there is no limit.
std::string line_for(std::string_view text, std::string_view key, std::string_view none) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (first_word(line) == key) return std::string(line);
  }
  return std::string(key).append(" ").append(none);
}

/// What has to be written for a file to say again what it says; nothing: that cannot be known.
std::optional<std::string> writable(const std::string& text, const Setting& setting) {
  for (const Keyed& keyed : kKeyed)
    if (setting.file == keyed.file) return line_for(text, key_of(setting.value), keyed.none);
  // "oom_kill_disable 0" and lines that cannot be written.
  if (setting.file == "memory.oom_control") return std::to_string(keyed_value(text, "oom_kill_disable"));
  if (text.empty() && setting.controller == "cpuset") return text;  // on v2: all that its parent has
  if (text.empty() || text.find('\n') != std::string::npos) return std::nullopt;
  return text;
}

}  // namespace

void Former::remember_file(const std::string& directory, const std::string& file, const Setting& setting) {
  const std::string path = directory + "/" + file;
  const auto text = read_value(path);
  const auto value = text.ok() ? writable(*text, setting) : std::nullopt;
  if (!value) return;
  paths_.push_back(path);
  settings_.push_back({setting.controller, file, *value, {}, ""});
}

void Former::remember(const Place& place, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    const Directory* directory = find_directory(place, setting.controller);
    if (directory == nullptr) continue;
    remember_file(directory->path, setting.file, setting);
    if (!setting.other_file.empty()) remember_file(directory->path, setting.other_file, setting);
    // The kernel forgets the weight of a group that becomes idle.
    if (setting.file == "cpu.idle")
      for (const char* weight : {"cpu.weight", "cpu.shares"}) remember_file(directory->path, weight, setting);
  }
}

void Former::restore() const {
  // Twice: limits that depend on each other can be changed in one order only.
  for (int pass = 0; pass < 2; ++pass)
    for (std::size_t i = 0; i < paths_.size(); ++i)
      (void)sys::write_file(paths_[i], settings_[i].value.empty() ? "\n" : settings_[i].value);
}

}  // namespace davit::cgroup
