// SPDX-License-Identifier: Apache-2.0
// What the *_compile parts of all features share: they turn the spec and facts about the host into
// operations, without side effects. plan/compile.cpp calls them in the one order that is right.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/host/facts.hpp"
#include "davit/program/builder.hpp"
#include "davit/spec/config.hpp"

namespace davit::features {

/// Descriptors that davit has to open on the host before the program can start (launch/host_resources.cpp).
enum class RequestKind : std::uint8_t {
  channel,         ///< init's end of the channel
  start_listener,  ///< listening socket for `start`
  namespace_file,  ///< `path`, to be checked with NS_GET_NSTYPE against `namespace_type`
  tree,            ///< open_tree(OPEN_TREE_CLONE) of `path`, idmapped where `idmap` says so
  cgroup_file,     ///< `tasks` (v1) or `cgroup.procs` number `number` of the prepared cgroup
  process,         ///< pidfd of the container's init (exec)
  process_root,    ///< `path`, or else /proc/<pid>/root of the container's init (exec)
  process_pids,    ///< /proc/<pid>/ns/pid of the container's init (exec)
  device,          ///< a detached node that is `device`, its ids those of the host
};

/// Where the ids of an idmapped tree come from. Done on the host: init may not have privilege over the
/// filesystem any more (mount_setattr(2)).
struct Idmap {
  bool wanted = false;
  bool recursive = false;
  std::string namespace_path{};  ///< a user namespace to take them from; empty: the mappings
  std::vector<spec::IdMapping> uid_mappings{};
  std::vector<spec::IdMapping> gid_mappings{};
};

struct HostRequest {
  RequestKind kind{};
  program::Slot slot = program::kNoSlot;
  std::string path{};
  bool recursive = false;
  bool no_follow = false;            ///< tree only: of a symlink itself
  bool is_late = false;              ///< tree, device: not before init says so (program::Point::source)
  std::uint32_t namespace_type = 0;  ///< CLONE_NEW*
  std::uint32_t number = 0;
  Idmap idmap{};  ///< tree only
  std::optional<spec::Device> device{};
  spec::Position position{};
};

/// What the caller of create or exec decided on the command line.
struct Call {
  std::string id;
  std::string bundle;  ///< absolute; relative sources and the rootfs count from here
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool relays_terminal = false;    ///< davit stands between the caller's terminal and the container's
  std::uint32_t preserve_fds = 0;  ///< descriptors 3 .. 3+n-1 stay open in the container
};

/// A place in a config: the position, and what below it ("cwd", "options/2").
struct Place {
  spec::Position position;
  std::string below;
};

/// The state of one compilation.
struct Compilation {
  Compilation(const host::Facts& host_facts, Call what) : facts(host_facts), call(std::move(what)) {}

  const host::Facts& facts;
  Call call;
  program::Builder builder;
  std::vector<HostRequest> requests;
  std::vector<Place> places{Place{}};  ///< program::Origin is an index into it; 0: no place
  std::vector<Error> warnings;
  program::Slot root = program::kNoSlot;       ///< the container's root, once attach_root is emitted
  program::Slot proc = program::kNoSlot;       ///< see proc_slot()
  program::Slot processes = program::kNoSlot;  ///< see processes_slot()
  std::vector<program::Slot> lasting;          ///< still to be used after init has swept its descriptors
  bool opens_in_turn = false;                  ///< there are more sources of mounts than descriptors

  /// The origin to hand to Builder::emit.
  program::Origin origin(const spec::Position& position, std::string_view below = {}) {
    places.push_back({position, std::string(below)});
    return static_cast<program::Origin>(places.size() - 1);
  }
  /// Records a request and returns the slot that will hold the descriptor.
  program::Slot request(HostRequest wanted) {
    wanted.slot = builder.reserve();
    requests.push_back(std::move(wanted));
    return requests.back().slot;
  }
  /// The same for what is mounted next.
  program::Slot request_source(HostRequest wanted) {
    wanted.is_late = opens_in_turn;
    const program::Slot slot = request(std::move(wanted));
    if (opens_in_turn) meet(program::Point::source, 0, slot);
    return slot;
  }
  /// Tells davit that `point` is reached, and waits for its part there: with `slot`, for what fills that.
  void meet(program::Point point, program::Origin origin = 0, program::Slot slot = program::kNoSlot) {
    program::TellHost tell;
    tell.point = point;
    tell.slot = slot;
    builder.emit(tell, origin);
    program::AwaitHost await;
    await.point = point;
    await.slot = slot;
    builder.emit(await, origin);
  }
  /// The trusted procfs; emits open_proc on first use.
  program::Slot proc_slot() { return open_proc(proc, false); }
  /// One with nothing in it but processes: whoever got hold of it in a container could do no harm.
  program::Slot processes_slot() { return open_proc(processes, true); }

 private:
  program::Slot open_proc(program::Slot& slot, bool processes_only) {
    if (slot == program::kNoSlot) {
      slot = builder.reserve();
      program::OpenProc operation;
      operation.proc = slot;
      operation.processes_only = processes_only ? 1 : 0;
      builder.emit(operation);
    }
    return slot;
  }
};

}  // namespace davit::features
