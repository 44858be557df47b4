// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "davit/sys/bpf.hpp"
#include "davit/sys/file.hpp"
#include "features/cgroup/device_rules.hpp"
#include "features/cgroup/tree.hpp"

namespace davit::cgroup {
namespace {

/// A jump of the program spans 16 bits.
constexpr std::size_t kMostRules = 4096;

Result<void> write_v1(const Directory& directory, const DeviceList& list, Condition condition) {
  // A new cgroup has the rules of its parent; nothing may be added to those anyway.
  if (condition == Condition::fresh && list.allows_everything()) return {};
  sys::UniqueFd allow = TRY(sys::open(directory.path + "/devices.allow", O_WRONLY));
  sys::UniqueFd deny = TRY(sys::open(directory.path + "/devices.deny", O_WRONLY));
  sys::SpentFds spent;
  const sys::FdRef files[] = {deny, allow};
  spent.add(std::move(allow));
  spent.add(std::move(deny));
  for (const DeviceWrite& write : TRY(device_writes(list))) {
    auto written = sys::write_all(files[write.allow ? 1 : 0], write.value);
    if (written.ok()) continue;
    Error error = written.error();
    error.message = Text<768>("write '").append(write.value).append("' to ").append(directory.path);
    error.message.append(write.allow ? "/devices.allow" : "/devices.deny");
    if (error.errno_value == EPERM)
      error.advise("a cgroup cannot allow a device that its parent does not allow");
    return error;
  }
  return {};
}

/// Puts the program in place of those that are there, without a moment in which everything is allowed.
Result<void> replace_programs(sys::FdRef cgroup, const DeviceList& list) {
  const std::vector<sys::UniqueFd> present = TRY(sys::attached_device_programs(cgroup));
  std::size_t replaced = 0;
  if (!list.allows_everything()) {
    const sys::UniqueFd program = TRY(sys::load_device_program(device_program(list)));
    replaced = present.size() == 1 ? 1 : 0;
    TRY(sys::attach_device_program(cgroup, program, replaced == 1 ? present.front().ref() : sys::FdRef()));
  }
  for (std::size_t i = replaced; i < present.size(); ++i) TRY(sys::detach_device_program(cgroup, present[i]));
  return {};
}

Result<void> attach_v2(const Directory& directory, const DeviceList& list, Condition condition,
                       const OpenedV2& opened) {
  if (condition == Condition::fresh && list.allows_everything()) return {};
  sys::UniqueFd cgroup;
  if (!opened.directory.valid()) cgroup = TRY(sys::open(directory.path, O_RDONLY | O_DIRECTORY));
  const sys::FdRef target = opened.directory.valid() ? opened.directory : cgroup.ref();
  if (condition == Condition::used) return replace_programs(target, list);
  sys::UniqueFd program;
  if (!opened.program.valid()) program = TRY(sys::load_device_program(device_program(list)));
  return sys::attach_device_program(target, opened.program.valid() ? opened.program : program.ref(), {});
}

}  // namespace

void load_devices(const Place& place, const spec::Resources& resources, Entrance& entrance) {
  const Directory* directory = find_directory(place, "devices");
  if (directory == nullptr || !directory->controllers.empty() || entrance.was_there) return;
  if (place.manager == Manager::disabled || resources.devices.size() > kMostRules) return;
  const DeviceList list = device_list(resources.devices);
  if (list.allows_everything()) return;
  auto program = sys::load_device_program(device_program(list));
  if (program.ok()) entrance.device_program = std::move(*program);
}

Result<void> apply_devices(const Place& place, const std::vector<spec::DeviceRule>& rules,
                           Condition condition, const OpenedV2& opened) {
  const spec::Position position = rules.empty() ? spec::Position() : rules.front().position;
  // Before they are compared with each other.
  if (rules.size() > kMostRules)
    return spec::at(position, make_error(Code::unsupported, "too many device rules"));
  const DeviceList list = device_list(rules);
  const Directory* directory = find_directory(place, "devices");
  Result<void> done;
  if (directory == nullptr)
    done = make_error(Code::unsupported, "device rules need the devices controller or cgroup v2");
  else if (directory->controllers.empty())
    done = attach_v2(*directory, list, condition, opened);
  else
    done = write_v1(*directory, list, condition);
  if (done.ok() || list.allows_everything()) return {};
  // Without privileges nobody can make device nodes, nor open those of the host that root has not opened to
  // all; the rules would forbid what is forbidden.
  if (unprivileged()) return {};
  return spec::at(position, done.error());
}

}  // namespace davit::cgroup
