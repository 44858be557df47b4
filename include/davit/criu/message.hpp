// SPDX-License-Identifier: Apache-2.0
// The messages of CRIU's RPC as plain structs, and as the bytes that go over the socket.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "davit/base/result.hpp"

namespace davit::criu {

/// What a request asks for, or a response is about; the numbers are CRIU's.
enum class Type : std::uint8_t {
  none = 0,
  dump = 1,
  restore = 2,
  pre_dump = 4,
  notify = 6,
  feature_check = 9,
  version = 10,
};

/// What CRIU does about the properties of cgroups; the numbers are CRIU's.
enum class CgroupsMode : std::uint8_t { ignore = 0, none = 1, props = 2, soft = 3, full = 4, strict = 5 };

/// How the network stands still meanwhile; the numbers are CRIU's.
enum class NetworkLock : std::uint8_t { usual = 0, iptables = 1, nftables = 2, skip = 3 };

struct PageServer {
  std::string address;
  std::int32_t port = 0;
};

/// A mount that CRIU does not look into: when dumping, what is on `key` is called `value`; when restoring,
/// what was called `key` comes from `value`.
struct ExternalMount {
  std::string key;
  std::string value;
};

struct JoinNamespace {
  std::string type;  ///< "ipc", "uts", ...
  std::string path;
};

/// A descriptor of the worker that takes the place of what the images call `key`.
struct Inherited {
  std::string key;
  int number = -1;
};

struct CgroupRoot {
  std::string controller;  ///< empty: cgroup v2
  std::string path;
};

/// What a dump or a restore is told. Descriptors are numbers of davit's, but for `inherited`.
struct Options {
  int images_directory = -1;
  int work_directory = -1;  ///< -1: the images directory
  pid_t pid = 0;            ///< dump only
  std::string log_file;
  std::string root;
  std::string parent_images;
  std::string freeze_cgroup;
  std::string config_file;
  std::string lsm_profile;
  std::string lsm_mount_context;
  std::optional<PageServer> page_server{};
  CgroupsMode cgroups_mode = CgroupsMode::soft;
  NetworkLock network_lock = NetworkLock::usual;
  std::uint32_t empty_namespaces = 0;  ///< CLONE_NEW*
  std::vector<ExternalMount> external_mounts{};
  std::vector<std::string> external{};
  std::vector<JoinNamespace> join_namespaces{};
  std::vector<Inherited> inherited{};
  std::vector<CgroupRoot> cgroup_roots{};
  bool leave_running = false;
  bool external_unix_sockets = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool tcp_close = false;
  bool evasive_devices = false;
  bool shell_job = false;
  bool file_locks = false;
  bool track_memory = false;
  bool auto_dedup = false;
  bool link_remap = false;
  bool restore_as_sibling = false;
  bool lazy_pages = false;
};

/// A version as one number: 40101 is 4.1.1.
using Version = std::uint32_t;

/// Abilities of a CRIU on this kernel.
struct Features {
  bool memory_tracking = false;
  bool lazy_pages = false;
};

struct Request {
  Type type = Type::none;
  std::optional<Options> options{};    ///< dump, pre_dump, restore
  std::optional<Features> features{};  ///< feature_check: those that are asked about
};

struct Response {
  Type type = Type::none;
  bool success = false;
  std::string script;   ///< notify: at which point CRIU is
  pid_t pid = 0;        ///< notify and restore: of the container's init; 0: it was not said
  int errno_value = 0;  ///< of a failure; 0: unknown
  std::string error;    ///< of a failure, in CRIU's words; may be empty
  Features features;
  Version version = 0;
};

/// The bytes of a request.
std::string encode(const Request& request);
/// The answer to a notification.
std::string encode_answer(bool success);
/// Reads a response; the bytes come from a program, but may be anything.
Result<Response> decode(std::string_view bytes);

}  // namespace davit::criu
