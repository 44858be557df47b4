// SPDX-License-Identifier: Apache-2.0
// The end of a container's cgroups: who is in them, signals to all, removal.
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

constexpr std::size_t kBatch = 256;  ///< descriptors at once

/// All hierarchies: within a v1 one a process can hide from one list, but not from all.
Result<std::vector<pid_t>> everybody(const Place& place) {
  std::vector<pid_t> all;
  for (const Directory& directory : place.directories) {
    const std::vector<pid_t> some = TRY(members(directory.path));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Signals every process of the list that is still a member once its pidfd is open, so that a number which
/// was given to somebody else meanwhile hits nobody.
Result<void> signal_batch(const Place& place, const pid_t* pids, std::size_t count, int signal) {
  std::vector<std::pair<pid_t, sys::UniqueFd>> opened;
  for (std::size_t i = 0; i < count; ++i) {
    auto pidfd = sys::open_pidfd(pids[i]);
    if (pidfd.ok()) opened.emplace_back(pids[i], std::move(pidfd).value());
  }
  const std::vector<pid_t> still = TRY(everybody(place));
  for (const auto& [pid, pidfd] : opened) {
    if (!std::binary_search(still.begin(), still.end(), pid)) continue;
    auto sent = sys::send_signal(pidfd, signal);
    if (!sent.ok() && sent.error().errno_value != ESRCH) return sent;
  }
  return {};
}

Result<void> signal_all(const Place& place, int signal) {
  const std::vector<pid_t> all = TRY(everybody(place));
  for (std::size_t at = 0; at < all.size(); at += kBatch)
    TRY(signal_batch(place, all.data() + at, std::min(kBatch, all.size() - at), signal));
  return {};
}

/// Signals while nobody can fork. What is killed has to be thawed to die.
Result<void> signal_frozen(const Place& place, int signal) {
  const bool before = TRY(frozen(place));
  const bool here = !before && freeze(place).ok();
  auto sent = signal_all(place, signal);
  if (signal == SIGKILL) {
    auto thawed = thaw_to_die(place, 0);
    if (sent.ok() && !thawed.ok()) return thawed;
  }
  if (here) {
    auto thawed = thaw(place);
    // Unless it was removed meanwhile.
    if (sent.ok() && !thawed.ok() && frozen(place).value_or(false)) return thawed;
  }
  return sent;
}

/// True when the directory is gone.
Result<bool> remove_tree(const Directory& directory) {
  TRY(remove_empty(directory.path));
  return !exists(directory.path);
}

/// The usual case: an empty directory. True: gone; false: somebody or something is in it.
Result<bool> remove_simply(const Directory& directory) {
  const std::string below = directory.mount_point + "/";
  if (!directory.path.starts_with(below) || directory.path.size() == below.size() ||
      directory.path.find("/../") != std::string::npos)
    return make_error(Code::internal, "'" + directory.path + "' is no cgroup of a container");
  auto removed = sys::unlink_at(sys::current_directory(), directory.path, AT_REMOVEDIR);
  if (removed.ok() || is_absent(removed.error())) return true;
  if (removed.error().errno_value == EBUSY) return false;
  if (!exists(directory.path)) return true;  // a read-only mount says so before it looks
  return removed.error();
}

void pause(unsigned milliseconds) {
  const struct timespec time = {milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1000000};
  ::nanosleep(&time, nullptr);
}

/// Says who is in the way.
Error still_busy(const Place& place, const Directory& directory) {
  Error error = system_error(EBUSY, "remove cgroup " + directory.path);
  const auto pids = members(directory.path);
  if (!pids.ok() || pids->empty())
    return error.advise("a process that is not visible from here may be in it");
  const std::string pid = std::to_string(pids->front());
  const auto stat = sys::process_stat(pids->front());
  const std::string frozen_by = frozen_above(place, pids->front());
  error.message.append(": process ").append(pid).append(" does not die");
  if (stat.ok()) error.message.append(", it is in state ").append(std::string(1, stat->state));
  if (!frozen_by.empty()) return error.advise(frozen_by + " is frozen: thaw it");
  return error.advise("in state D it waits for a device or NFS; /proc/" + pid + "/stack tells");
}

}  // namespace

Result<std::vector<pid_t>> processes(const Place& place) {
  for (const char* controller : {"freezer", "pids", "devices", "memory", "cpu"}) {
    const Directory* directory = find_directory(place, controller);
    if (directory != nullptr && exists(directory->path)) return members(directory->path);
  }
  return std::vector<pid_t>();
}

Result<void> kill(const Place& place, int signal) {
  const Directory* v2 = unified(place);
  if (signal == SIGKILL && v2 != nullptr) {
    auto killed = sys::write_file(v2->path + "/cgroup.kill", "1");
    if (!killed.ok() && !is_absent(killed.error())) return killed;
    // Without the file (before Linux 5.14), or in hybrid mode where v1 may hold more, one by one.
    if (killed.ok() && place.mode == host::CgroupMode::v2) return {};
  }
  return signal_frozen(place, signal);
}

Result<void> remove(const Place& place, std::vector<Error>& warnings) {
  if (place.manager == Manager::systemd) stop_unit(place, warnings);
  return remove_directories(place);
}

Result<void> remove_directories(const Place& place) {
  std::vector<const Directory*> busy;
  for (const Directory& directory : place.directories)
    if (!TRY(remove_simply(directory))) busy.push_back(&directory);
  if (busy.empty()) return {};
  // A killed process leaves its cgroup some time after it was told to, so: again and again, ever slower.
  unsigned waited = 0;
  for (unsigned delay = 1; waited < 10000; waited += delay, delay = std::min(delay * 2, 100U)) {
    TRY(kill(place, SIGKILL));
    std::vector<const Directory*> rest;
    for (const Directory* directory : busy)
      if (!TRY(remove_tree(*directory))) rest.push_back(directory);
    busy = std::move(rest);
    if (busy.empty()) return {};
    pause(delay);
  }
  return still_busy(place, *busy.front());
}

std::uint64_t oom_kills(const Place& place) {
  const Directory* directory = find_directory(place, "memory");
  if (directory == nullptr) return 0;
  const bool v2 = directory->controllers.empty();
  const auto text = read_value(directory->path + (v2 ? "/memory.events" : "/memory.oom_control"));
  return text.ok() ? keyed_value(*text, "oom_kill") : 0;
}

bool counts_oom_kills(const Place& place) {
  const Directory* directory = find_directory(place, "memory");
  if (directory == nullptr) return false;
  const bool v2 = directory->controllers.empty();
  return exists(directory->path + (v2 ? "/memory.events" : "/memory.oom_control"));
}

std::string reached_limit(const Place& place) {
  const Directory* directory = find_directory(place, "memory");
  if (directory == nullptr) return {};
  const auto value_of = [&](const std::string& file) {
    const auto text = read_value(directory->path + "/" + file);
    return text.ok() ? *text : std::string();
  };
  const auto named = [&](const std::string& file) {
    return file + " of " + directory->path + ", " + value_of(file) + " bytes";
  };
  if (directory->controllers.empty())
    return keyed_value(value_of("memory.events.local"), "max") > 0 ? named("memory.max") : std::string();
  // Not the failcnt of v1, which newer kernels no longer count. Charges are made in batches.
  constexpr std::uint64_t kCharge = 64UL * 4096;
  for (const std::string kind : {"memory.memsw.", "memory."}) {
    const std::uint64_t most = std::strtoull(value_of(kind + "max_usage_in_bytes").c_str(), nullptr, 10);
    const std::uint64_t limit = std::strtoull(value_of(kind + "limit_in_bytes").c_str(), nullptr, 10);
    if (most > 0 && most + kCharge >= limit) return named(kind + "limit_in_bytes");
  }
  return {};
}

}  // namespace davit::cgroup
