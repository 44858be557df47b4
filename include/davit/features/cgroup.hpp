// SPDX-License-Identifier: Apache-2.0
// cgroups of one container, made through the file system or by systemd: choose, prepare, apply, freeze, kill,
// remove.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/base/undo.hpp"
#include "davit/host/facts.hpp"
#include "davit/spec/config.hpp"
#include "davit/sys/fd.hpp"

namespace davit::cgroup {

enum class Manager : std::uint8_t { cgroupfs, disabled, systemd };

/// The container's directory in one hierarchy.
struct Directory {
  std::vector<std::string> controllers;  ///< empty: cgroup2
  std::string path;                      ///< absolute, e.g. "/sys/fs/cgroup/memory/libpod-1"
  std::string mount_point;               ///< of the hierarchy; never removed
};

/// What systemd knows the container as; only with Manager::systemd.
struct Unit {
  std::string name;        ///< "libpod-1.scope"
  std::string slice;       ///< that it is in; empty: it is a slice itself
  bool of_user = false;    ///< made by the user's own systemd
  unsigned patience = 30;  ///< seconds that systemd may take for anything
  std::string subgroup{};  ///< "/container": where the processes are, below the unit's own cgroup; or empty
};

/// Where a container's cgroups are: pure data, kept in the state so that any later command finds them.
struct Place {
  Manager manager = Manager::cgroupfs;
  host::CgroupMode mode = host::CgroupMode::v2;
  std::vector<Directory> directories;  ///< as host::CgroupLayout::hierarchies; empty when disabled
  Unit unit{};
};

/// Computes the place from linux.cgroupsPath and the id, without touching anything.
Result<Place> choose(const spec::Config& config, const std::string& id, const host::CgroupLayout& layout,
                     Manager manager);

/// The v1 files in which a process joins the place.
std::vector<std::string> task_paths(const Place& place);

/// Through which a process gets in.
struct Entrance {
  sys::UniqueFd v2_directory;             ///< for CLONE_INTO_CGROUP; invalid: none
  std::vector<sys::UniqueFd> task_files;  ///< `tasks` of v1, "0" goes in: what enter() opens
  std::vector<std::string> task_paths;    ///< the same of prepare(): init opens them, which takes fewer calls
  sys::UniqueFd device_program;           ///< of load_devices(); invalid: none yet
  bool from_outside = false;  ///< nobody of ours can be born in v2_directory: attach() gets them in
  bool was_there = false;     ///< a directory existed before prepare(), and has perhaps device rules
};

/// Whether systemd makes the cgroup around a process, which then has to be there until init is in it.
bool needs_member(const Place& place);
/// Manager::systemd: has the unit made, with `member` in it, and corrects the place if it has come to be
/// elsewhere; before prepare(). `place` has to live as long as `undo`.
Result<void> make_unit(Place& place, const spec::Config& config, const std::string& id, pid_t member,
                       Undo& undo);
/// Makes the directories, enables controllers, refuses unfit (frozen or non-empty) ones, applies the
/// resources, so that init is born under its limits; all but the device rules. Undo takes back what was made.
Result<Entrance> prepare(const Place& place, const spec::Config& config, Undo& undo);
/// Has the device rules looked at by the verifier of v2, which takes its time; a failure is that of
/// restrict_devices(), which tries it once more. Only for rules that will then be put into force.
void load_devices(const Place& place, const spec::Resources& resources, Entrance& entrance);
/// Puts the device rules into force: v1 takes them one by one, so that nobody in the cgroup may be about to
/// open a device. To be called once init has mounted everything, which may be block devices that the
/// container must not open, and before anything of the container runs.
Result<void> restrict_devices(const Place& place, const spec::Resources& resources, const Entrance& entrance);
/// Applies what would have kept init from being born: a pids.limit of less than a handful. To be called once
/// init exists and makes no more processes of ours; costs nothing where there is no such limit.
Result<void> apply_after_birth(const Place& place, const spec::Resources& resources);
/// Moves init, which is in its cgroup and in the namespace that begins there, to the directory below that the
/// annotation run.oci.delegate-cgroup names. Systemd driver on cgroup v2 only.
Result<void> delegate(const Place& place, const spec::Config& config, pid_t pid);
/// Opens the cgroups of a running container for exec, or those `below` it: one path for all hierarchies, or
/// any number of `controller[,controller...]:path`. With nothing `below`, on v2 it is where `init_pid` is
/// now; on v1 only if the container's own is gone.
Result<Entrance> enter(const Place& place, const std::vector<std::string>& below, pid_t init_pid);
/// Puts a process in from outside, which no pids.limit forbids, and which takes its time.
Result<void> attach(const Place& place, const Entrance& entrance, pid_t pid);
/// Applies resources to existing cgroups (update). A failure takes back what had been written before it.
Result<void> apply(const Place& place, const spec::Resources& resources);
Result<void> freeze(const Place& place);
Result<void> thaw(const Place& place);
Result<bool> frozen(const Place& place);
/// Whether all who are in a cgroup of v2 are frozen, by it or by one above it.
bool is_frozen(sys::FdRef directory);
/// Thaws whatever keeps the place's processes from dying of a SIGKILL: it, the cgroups below it, and the one
/// in which `init` (0: none) really is. Only v1 freezers do that.
Result<void> thaw_to_die(const Place& place, pid_t init);
/// The frozen v1 cgroup, this process's own or one above it, that keeps it from dying; empty: there is none.
std::string frozen_above(const Place& place, pid_t pid);
/// All processes in the place and below, as seen from here.
Result<std::vector<pid_t>> processes(const Place& place);
/// Signals everything in the place and below; SIGKILL uses cgroup.kill where there is one.
Result<void> kill(const Place& place, int signal);
/// Kills what is left, then removes the directories that are there; absent ones are fine. A systemd that does
/// not answer is a warning.
Result<void> remove(const Place& place, std::vector<Error>& warnings);
/// How many processes the OOM killer took here; 0 where it cannot be known.
std::uint64_t oom_kills(const Place& place);
/// Whether there is a counter of them to look at.
bool counts_oom_kills(const Place& place);
/// The memory limit of the place's own cgroup that was reached, with its value; empty: none of its own.
std::string reached_limit(const Place& place);

}  // namespace davit::cgroup
