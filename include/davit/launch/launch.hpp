// SPDX-License-Identifier: Apache-2.0
// The parent's side of create, run, start and exec: named steps around the clone of init.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/features/resctrl.hpp"
#include "davit/spec/config.hpp"
#include "davit/sys/fd.hpp"

namespace davit::launch {

/// What create, run and exec have in common on the command line.
struct Options {
  std::string console_socket;  ///< empty: none
  std::string pidfd_socket;    ///< empty: none
  std::uint32_t preserve_fds = 0;
  bool foreground = false;  ///< run/exec without --detach: the console master comes back to the caller, who
                            ///< goes on with sys::Interruption::has_come()
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool trace = false;  ///< init says when each of its operations is done, for story::tell
};

/// A process that was launched and is not yet (or no longer) under somebody's care.
struct Launched {
  pid_t pid = -1;
  sys::UniqueFd pidfd;
  sys::UniqueFd channel;         ///< to init
  sys::UniqueFd console_master;  ///< foreground and terminal only
  std::vector<Error> warnings;
};

/// How launch tells the store what to remember; implemented in container/. Each call is durable when it
/// returns.
class Recorder {
 public:
  virtual ~Recorder() = default;
  /// Before anything is made on the host: what `delete --force` must be able to find.
  virtual Result<void> creating(const cgroup::Place& place, const resctrl::Group& group) = 0;
  /// Init exists and is complete; from here on it outlives davit.
  virtual Result<void> created(pid_t pid, sys::FdRef pidfd) = 0;
  /// The state directory, for the start socket.
  virtual sys::FdRef directory() = 0;
};

struct CreateRequest {
  const spec::Config& config;  ///< one that plan::validate accepts
  std::string id;
  std::string bundle;  ///< absolute
  cgroup::Manager cgroup_manager = cgroup::Manager::cgroupfs;
  std::optional<unsigned> patience{};  ///< as cgroup::Unit::patience
  Options options;
  bool start_by_socket = true;  ///< create: `start` comes later through the state directory; run: start_now()
};

/// Everything up to "created". On error nothing is left on the host (the recorder's caller removes the
/// state).
Result<Launched> create(const CreateRequest& request, Recorder& recorder);
/// run: lets the init of `launched` execute its program; returns when it has (or has not).
Result<void> start_now(const spec::Config& config, const std::string& id, const std::string& bundle,
                       Launched& launched);

/// Reads a config into the one that is meant.
using ConfigReader = std::function<Result<void>()>;

struct StartRequest {
  sys::FdRef state_directory;
  const spec::Config& config;
  ConfigReader read_config;  ///< called before anything of `config` is used; empty: it is complete
  std::string id;
  std::string bundle;
  pid_t init = -1;
  const cgroup::Place& place;
};

/// start: the same through the start socket in the state directory. ECONNREFUSED or ENOENT: nobody waits
/// there. `when_it_runs` is called between the program and the poststart hooks, which may call davit.
Result<void> start_by_socket(const StartRequest& request, const std::function<void()>& when_it_runs);

struct ExecRequest {
  const spec::Config& config;    ///< of the container
  const spec::Process& process;  ///< to be run
  std::string id;
  std::string bundle;
  pid_t container_pid = -1;  ///< the container's init
  sys::FdRef container{};    ///< a pidfd of it, opened before anyone looked whether it is the right process
  cgroup::Place place;
  resctrl::Group resctrl_group{};
  std::vector<std::string> cgroups;  ///< --cgroup: below the container's own
  Options options;
  bool no_pivot = false;     ///< the container was created with --no-pivot
  bool is_paused = false;    ///< who is born in its cgroup does not run before the thaw
  bool has_tracers = false;  ///< as plan::ExecInput
};

/// exec: returns when the process runs its program; it is a child of the caller. In the foreground the caller
/// has blocked what he will forward: SIGHUP, SIGINT or SIGTERM still end it before the program runs.
Result<Launched> exec(const ExecRequest& request);

struct MountsRequest {
  const spec::Config& config;  ///< of the container, with the mounts that are meant instead of its own
  std::string id;
  std::string bundle;        ///< relative sources count from here
  std::string rootfs;        ///< on the host: what init must still have as its root
  pid_t container_pid = -1;  ///< the container's init
  sys::FdRef container{};    ///< as ExecRequest::container
  bool removes = false;
};

/// Makes or removes mounts in a running container; warnings are appended. An error may leave some of them.
Result<void> change_mounts(const MountsRequest& request, std::vector<Error>& warnings);

}  // namespace davit::launch
