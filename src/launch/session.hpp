// SPDX-License-Identifier: Apache-2.0
// What the steps of one launch share: a create, a start, or an exec on its way.
#pragma once

#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "davit/base/undo.hpp"
#include "davit/features/limits.hpp"
#include "davit/features/seccomp.hpp"
#include "davit/launch/launch.hpp"
#include "davit/plan/plan.hpp"
#include "launch/channel.hpp"
#include "launch/protocol.hpp"
#include "launch/spawn.hpp"

namespace davit::launch {

/// The container (or the process of exec) that the messages of an init are about.
struct Subject {
  const spec::Config& config;
  const spec::Process* process = nullptr;  ///< null: a config without process
  std::string id;
  std::string bundle;
  ConfigReader read_config{};  ///< start only: fills `config` and `process` when they are needed
};

struct Session {
  Subject subject;
  Options options;
  host::Facts facts;
  cgroup::Place place;
  cgroup::Entrance entrance;
  resctrl::Group resctrl_group;
  bool is_attached = false;  ///< init is born outside of its cgroups, and put there at Point::attached
  plan::Plan plan;
  sys::UniqueFd member_channel;  ///< of the process around which systemd has made the cgroup; it ends with it
  pid_t member_pid = -1;
  sys::UniqueFd channel;       ///< our end
  Protocol protocol{};         ///< of what comes through it
  sys::UniqueFd init_channel;  ///< init's end, closed after spawn
  std::vector<sys::UniqueFd> resources;
  sys::UniqueFd filter;         ///< of seccomp: a sealed memfd
  sys::FdRef state_directory;   ///< create only
  pid_t container_pid = -1;     ///< exec only
  sys::FdRef container;         ///< exec only: its pidfd
  bool waits_for_thaw = false;  ///< exec only: into a container that is paused
  pid_t stage_pid = -1;
  /// Until init has said something: before it has executed, in our memory, the kernel takes the two for one.
  std::optional<limits::BirthScore> birth_score{};
  std::optional<struct rlimit> callers_descriptors;  ///< RLIMIT_NOFILE, while davit and init have another one
  sys::UniqueFd listener;             ///< of the seccomp filter, until the process has a number
  std::string console_name;           ///< of the pty, where init made one
  std::int64_t heard_at = 0;          ///< with Options::trace: when init was ready for its next operation
  std::optional<plan::Plan> later{};  ///< with it: what init does after the start, if `plan` does not say
  Launched launched;
  Undo undo;
};

/// What the features get to know of the command line.
features::Call call_of(const std::string& id, const std::string& bundle, const Options& options);
/// Reads the config of a subject that came without.
Result<void> complete(Subject& subject);
/// The state as hooks and the seccomp agent see it.
spec::State state_of(const Subject& subject, pid_t pid);

/// CLONE_NEW* of the container's namespaces that are not ours: setns(2) into one's own user namespace fails.
Result<std::uint32_t> foreign_namespaces(const spec::Config& config, pid_t pid);
/// All that was found below /proc/PID is the container's if its init, even as a zombie, still has the number;
/// else the error says what cannot be done: "exec in", "change the mounts of".
Result<void> check_number_held(sys::FdRef container, std::string_view doing);

/// Sets RLIMIT_NOFILE of init to what davit's caller has; nothing where it still is that.
Result<void> restore_descriptors(Session& session);
/// Opens everything the plan asks for and fills the program's slots.
Result<void> open_host_resources(Session& session);
/// Opens a source that is not open before it is mounted, for the program's slot.
Result<sys::UniqueFd> open_source(Session& session, program::Slot slot);
/// A process that is in the container's cgroup before init, where systemd makes one around a process.
Result<void> start_member(Session& session);
/// Init is in by now.
void end_member(Session& session);
/// Clones the stage or init and waits for nothing; pushes the undo that ends it.
Result<void> start_init(Session& session);
/// Serves init's messages until it reaches `until`; Point::none: until it has executed its program.
Result<void> serve(Session& session, program::Point until);
/// Builds the seccomp filter, for init to fetch at Point::seccomp.
Result<void> build_filter(Session& session);

/// Adds to an error what davit knows about the reason.
void explain_failure(const plan::Plan& plan, const Subject& subject, const program::Message& message,
                     Error& error);
/// Tells what is about to be done, as far as no operation tells it.
void tell_plan(const plan::Plan& plan);
/// Tells the story of an operation that init has done.
void tell_operation(Session& session, const Incoming& incoming);
/// Tells what init waits for, until it says something.
void tell_waits(const Session& session);
/// The error that a `failed` message stands for.
Error failure_of(const plan::Plan& plan, const Subject& subject, const program::Message& message);
/// The same for a `failed` message of an init whose program another davit compiled: counts from the operation
/// that waited for the start (Message::pid).
Error failure_after_start(const Subject& subject, program::Message message);
/// The warning that a `warning` or `capabilities_left` message stands for.
Error warning_of(const plan::Plan& plan, const program::Message& message);
/// A signal asked davit to end meanwhile.
Error interrupted_by(int signal);
/// Why an init that said nothing is gone.
Error post_mortem(Session& session);
/// Once init has closed its end: whether that was execve, or its end before it.
Result<void> check_executed(Session& session);

}  // namespace davit::launch
