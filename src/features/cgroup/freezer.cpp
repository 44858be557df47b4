// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "davit/sys/clock.hpp"
#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"

namespace davit::cgroup {
namespace {

constexpr int kPatience = 10000;  ///< milliseconds

Result<const Directory*> freezer(const Place& place) {
  const Directory* directory = find_directory(place, "freezer");
  if (directory != nullptr && exists(directory->path)) return directory;
  return make_error(Code::unsupported, "pausing needs a cgroup with a freezer, and the container has none");
}

/// v2: the kernel announces the end of freezing in cgroup.events.
Result<void> set_v2(const Directory& directory, bool frozen) {
  TRY(sys::write_file(directory.path + "/cgroup.freeze", frozen ? "1" : "0"));
  const sys::UniqueFd events = TRY(sys::open(directory.path + "/cgroup.events", O_RDONLY));
  for (const std::int64_t end = sys::monotonic_milliseconds() + kPatience;;) {
    char text[256];
    const ssize_t size = ::pread(events.number(), text, sizeof text, 0);
    if (size < 0) return system_error(errno, "read " + directory.path + "/cgroup.events");
    if ((keyed_value({text, static_cast<std::size_t>(size)}, "frozen") != 0) == frozen) return {};
    const std::int64_t left = end - sys::monotonic_milliseconds();
    if (left <= 0) return system_error(ETIMEDOUT, std::string(frozen ? "freeze " : "thaw ") + directory.path);
    struct pollfd wait = {events.number(), POLLPRI, 0};
    (void)::poll(&wait, 1, static_cast<int>(left));
  }
}

/// v1: a process that forks at the wrong moment keeps the state at FREEZING until it is written again.
Result<void> set_v1(const Directory& directory, bool frozen) {
  const std::string file = directory.path + "/freezer.state";
  const std::string wanted = frozen ? "FROZEN" : "THAWED";
  const std::int64_t end = sys::monotonic_milliseconds() + kPatience;
  for (unsigned pause = 100;; pause = pause < 10000 ? pause * 2 : pause) {
    TRY(sys::write_file(file, wanted));
    if (TRY(read_value(file)) == wanted) return {};
    if (sys::monotonic_milliseconds() > end) break;
    ::usleep(pause);
  }
  return system_error(ETIMEDOUT, "set " + file + " to " + wanted);
}

Result<void> set(const Place& place, bool frozen) {
  const Directory* directory = TRY(freezer(place));
  auto done = directory->controllers.empty() ? set_v2(*directory, frozen) : set_v1(*directory, frozen);
  // Half frozen is what nobody asked for.
  if (!done.ok() && frozen) (void)set(place, false);
  return done;
}

/// The v1 freezer of the place; null: there is none.
const Directory* v1_freezer(const Place& place) {
  const Directory* directory = find_directory(place, "freezer");
  return directory == nullptr || directory->controllers.empty() ? nullptr : directory;
}

/// Where a process is in that hierarchy; empty when it is gone, or not below the mount point.
std::string freezer_of(const Directory& directory, pid_t pid) {
  host::CgroupLayout layout;
  layout.hierarchies.push_back({directory.controllers, directory.mount_point, "/", {}});
  if (!host::load_paths_of(pid, layout).ok()) return {};
  std::string inner;
  if (!clean_path(layout.hierarchies.front().own_path, inner) || inner.empty()) return {};
  std::string path = directory.mount_point + inner;
  return exists(path) ? path : std::string();
}

Result<void> thaw_one(sys::FdRef group) {
  constexpr const char* kState = "freezer.state";
  const auto state = sys::read_file_at(group, kState);
  if (!state.ok() || state->starts_with("THAWED")) return {};
  auto written = sys::write_file_at(group, kState, "THAWED");
  const bool is_gone = !written.ok() && is_absent(written.error());
  return is_gone ? Result<void>() : written;
}

}  // namespace

Result<void> thaw_to_die(const Place& place, pid_t init) {
  const Directory* directory = v1_freezer(place);
  if (directory == nullptr) return {};
  TRY(walk(directory->path, thaw_one));
  // A privileged payload may have moved it.
  const std::string own = init > 0 ? freezer_of(*directory, init) : std::string();
  if (own.empty()) return {};
  const auto group = sys::open(own, O_RDONLY | O_DIRECTORY);
  if (!group.ok()) return is_absent(group.error()) ? Result<void>() : group.error();
  return thaw_one(*group);
}

std::string frozen_above(const Place& place, pid_t pid) {
  const Directory* directory = v1_freezer(place);
  std::string path = directory == nullptr ? std::string() : freezer_of(*directory, pid);
  while (!path.empty() && path.size() > directory->mount_point.size()) {
    const auto own = read_value(path + "/freezer.self_freezing");
    if (own.ok() && *own == "1") return path;
    path.resize(path.rfind('/'));
  }
  return {};
}

Result<void> freeze(const Place& place) {
  return set(place, true);
}

Result<void> thaw(const Place& place) {
  return set(place, false);
}

Result<bool> frozen(const Place& place) {
  const Directory* directory = find_directory(place, "freezer");
  if (directory == nullptr) return false;
  const bool v2 = directory->controllers.empty();
  auto state = read_value(directory->path + (v2 ? "/cgroup.freeze" : "/freezer.state"));
  if (!state.ok()) {
    if (is_absent(state.error())) return false;
    return state.error();
  }
  return *state != "0" && *state != "THAWED";
}

bool is_frozen(sys::FdRef directory) {
  const auto events = sys::read_file_at(directory, "cgroup.events");
  return events.ok() && keyed_value(*events, "frozen") != 0;
}

}  // namespace davit::cgroup
