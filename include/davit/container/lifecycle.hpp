// SPDX-License-Identifier: Apache-2.0
// The operations on containers, as the commands see them. None of them prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/container/record.hpp"
#include "davit/container/store.hpp"
#include "davit/features/cgroup.hpp"
#include "davit/features/cgroup_statistics.hpp"
#include "davit/launch/launch.hpp"
#include "davit/spec/resources.hpp"
#include "davit/spec/state.hpp"

namespace davit::container {

/// What every operation needs, and what it has to tell besides its result.
struct Context {
  Store store;
  cgroup::Manager cgroup_manager = cgroup::Manager::cgroupfs;
  std::optional<unsigned> patience{};  ///< with systemd, in seconds; none: as create was told, or the usual
  std::vector<Error> errors{};    ///< when a document has several errors: all of them, the returned one first
  std::vector<Error> warnings{};  ///< what went wrong without being fatal
  std::vector<Error> notices{};   ///< those of them that are said however quiet the log is to be
  std::string made_up_id{};       ///< of a container that was made without naming one
};

struct CreateCall {
  std::string id;                            ///< empty: made from `id_hint`, and unique
  std::string id_hint;                       ///< a path
  std::string bundle = ".";                  ///< as given
  std::string config_file;                   ///< empty: config.json of the bundle
  std::optional<std::string> config_text{};  ///< instead of a file
  std::string pid_file;                      ///< empty: none
  launch::Options options{};
};

/// Makes a container up to "created". On an error nothing is left of it.
Result<void> create(Context& context, CreateCall call);

struct RunCall {
  CreateCall create;
  bool detach = false;
  bool keep = false;  ///< the state stays after the end, for `state` and `delete`
};
/// create, start, and unless detached: supervise and delete. Returns the exit status (0 when detached).
Result<int> run(Context& context, RunCall call);

/// Lets a created container execute its program.
Result<void> start(Context& context, const std::string& id);

struct ExecCall {
  std::string id;
  std::string process_file;       ///< --process: the whole process; then the fields below are not used
  std::vector<std::string> args;  ///< the program and its arguments
  std::optional<std::string> cwd{};
  std::vector<std::string> env{};  ///< appended to the environment of the config
  std::optional<std::uint32_t> uid{};
  std::optional<std::uint32_t> gid{};
  std::vector<std::uint32_t> additional_gids{};
  std::vector<std::string> capabilities{};
  std::string apparmor_profile;
  std::string selinux_label;
  bool no_new_privileges = false;
  bool terminal = false;
  bool ignore_paused = false;
  bool detach = false;
  std::vector<std::string> cgroups{};  ///< below the container's own, as cgroup::enter takes them
  std::string pid_file;                ///< written only once the process runs its program
  launch::Options options{};
};
/// Runs another process in a container. Returns its exit status (0 when detached).
Result<int> exec(Context& context, const ExecCall& call);

struct KillCall {
  std::string id;
  int signal = 0;
  bool all = false;  ///< every process of the container's cgroup; a stopped container is no error then
};
Result<void> kill(Context& context, const KillCall& call);

/// Deletes a stopped or merely created container; with `force` also a running one, and an absent one is fine.
Result<void> remove(Context& context, const std::string& id, bool force);

Result<void> pause(Context& context, const std::string& id);
Result<void> resume(Context& context, const std::string& id);
/// The host pids of all processes of a container.
Result<std::vector<pid_t>> processes(Context& context, const std::string& id);
/// Applies new resource limits; devices are left alone.
Result<void> update(Context& context, const std::string& id, const spec::Resources& resources,
                    const resctrl::Schemata& schemata);

/// Mounts into a running container (or detaches what is mounted at the destinations, the last first). What
/// was mounted before one that fails is detached again.
Result<void> add_mounts(Context& context, const std::string& id, const std::vector<spec::Mount>& mounts);
Result<void> remove_mounts(Context& context, const std::string& id, const std::vector<spec::Mount>& mounts);

/// What a network interface in a container's own network namespace has counted.
struct InterfaceCounters {
  std::string name;
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t received_errors = 0;
  std::uint64_t received_dropped = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_errors = 0;
  std::uint64_t sent_dropped = 0;
};

struct Usage {
  cgroup::Statistics cgroup;
  std::optional<resctrl::Statistics> resctrl;  ///< none without linux.intelRdt
  std::vector<InterfaceCounters> interfaces;   ///< none where the container uses the network of the host
};
/// What a container that has not ended uses at this moment.
Result<Usage> usage(Context& context, const std::string& id);
/// The lines of /proc/PID/net/dev as counters.
std::vector<InterfaceCounters> parse_interfaces(std::string_view text);

/// Is told what happens to a container; an error ends the watch.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual Result<void> usage(const Usage& usage) = 0;
  virtual Result<void> out_of_memory() = 0;
};
/// Tells of lack of memory at once and of usage every `interval` milliseconds, until the container ends.
Result<void> follow_events(Context& context, const std::string& id, std::int64_t interval, EventSink& sink);

/// The state of one container; does not wait for others that work on it.
Result<spec::State> state(Context& context, const std::string& id);
/// Waits until a container has ended: its exit status, 128 + n when signal n killed it. Code::unsupported
/// where that cannot be known.
Result<int> wait(Context& context, const std::string& id);
/// The states of all; entries that cannot be read become warnings.
Result<std::vector<spec::State>> list(Context& context);
/// The ids that match a POSIX extended regular expression.
Result<std::vector<std::string>> matching(Context& context, const std::string& expression);

}  // namespace davit::container
