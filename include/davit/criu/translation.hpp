// SPDX-License-Identifier: Apache-2.0
// From what the caller wants, the config and what was found on the host to what CRIU is told. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "davit/base/result.hpp"
#include "davit/criu/message.hpp"
#include "davit/spec/config.hpp"

namespace davit::criu {

/// What the command lines of checkpoint and restore say.
struct Choices {
  std::string image_path = "checkpoint";
  std::string work_path;    ///< empty: the image path
  std::string parent_path;  ///< as seen from the image path; empty: none
  std::string lsm_profile;
  std::string lsm_mount_context;
  std::optional<PageServer> page_server{};
  CgroupsMode cgroups_mode = CgroupsMode::soft;
  NetworkLock network_lock = NetworkLock::usual;
  std::uint32_t empty_namespaces = 0;
  int status_descriptor = -1;
  bool leave_running = false;
  bool pre_dump = false;
  bool external_unix_sockets = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool tcp_close = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool link_remap = false;
  bool lazy_pages = false;
};

/// The oldest CRIU that knows all of it: an older one would not mind what it does not know.
Version oldest_for(const Choices& choices);

/// What is known of a container that is to be dumped.
struct DumpFacts {
  int images_directory = -1;
  int work_directory = -1;
  pid_t pid = 0;
  std::string rootfs;
  std::string freezer;  ///< the cgroup that stops all its processes; empty: CRIU stops each
  std::vector<ExternalMount> mounts{};
  std::vector<std::string> namespaces{};  ///< external_namespace()
};
Result<Options> dump_options(const Choices& choices, const spec::Annotations& annotations, DumpFacts facts);

/// What is ready for a container that is to be restored.
struct RestoreFacts {
  int images_directory = -1;
  int work_directory = -1;
  std::string root;
  std::vector<ExternalMount> mounts{};
  std::vector<JoinNamespace> namespaces{};
  std::vector<Inherited> inherited{};
  std::vector<CgroupRoot> cgroup_roots{};
};
Result<Options> restore_options(const Choices& choices, const spec::Annotations& annotations,
                                RestoreFacts facts);

/// Whether a mount of the config shows what is somewhere else already.
bool is_bind(const spec::Mount& mount);
/// The destination of a mount, tidy and absolute.
std::string destination_of(const spec::Mount& mount);

/// What is mounted in the container and comes from outside of it.
struct DumpedMounts {
  std::vector<ExternalMount> external;  ///< all of them, as CRIU is told
  /// Those that no word of the config explains (what lies below an rbind or the rootfs, what `mounts add` or
  /// propagation brought), and where the host has them.
  std::vector<ExternalMount> unforeseen;
};
/// Its binds, masked files, devices, cgroups where it sees those of the host, and whatever else the host has
/// mounted as well. `mountinfo` is the container's, `hosts` davit's own; `resolve` finds where a destination
/// really is that is no mount point by its name, and may fail.
DumpedMounts dumped_mounts(
    const spec::Config& config, std::string_view mountinfo, std::string_view hosts,
    const std::function<std::optional<std::string>(const std::string& destination)>& resolve);
/// Where these come from now. `cgroups`: the container's directories and the names of their hierarchies;
/// `unforeseen` is what the checkpoint found, and is looked for below the config's binds first.
struct CgroupSource {
  std::string name;  ///< "memory", "cpu,cpuacct", "systemd"; empty: cgroup v2 alone
  std::string path;
};
std::vector<ExternalMount> restored_mounts(const spec::Config& config, const std::string& bundle,
                                           const std::vector<CgroupSource>& cgroups,
                                           const std::vector<ExternalMount>& unforeseen);

/// The file of the image that says which mounts no config told of: a JSON object, where by mount point.
inline constexpr const char* kMountsFile = "mounts.json";
std::string mounts_json(const std::vector<ExternalMount>& unforeseen);
/// The text may be anything.
Result<std::vector<ExternalMount>> parse_mounts(std::string text);

/// How CRIU calls a network or pid namespace that was there before the container; both ends must agree.
std::string namespace_key(spec::NamespaceType type);
/// `net[4026531840]:extRootNetNS`.
std::string external_namespace(spec::NamespaceType type, std::uint64_t inode);
/// The namespaces, other than network and pid, that a config wants joined.
Result<std::vector<JoinNamespace>> joined_namespaces(const spec::Config& config);

/// The lines of /proc/PID/cgroup, one for each controller.
std::vector<CgroupRoot> cgroup_roots(std::string_view text);

/// The file of the image that says what stdin, stdout, stderr and the descriptors of --preserve-fds were when
/// the container was made: a JSON array of names.
inline constexpr const char* kDescriptorsFile = "descriptors.json";
std::string descriptors_json(const std::vector<std::string>& descriptors);
/// The same names. The text may be anything.
Result<std::vector<std::string>> parse_descriptors(std::string text);
/// Which of our own descriptors take the place of those: pipes of stdio, and `preserved` more from 3 on.
Result<std::vector<Inherited>> inherited_descriptors(const std::vector<std::string>& names,
                                                     std::uint32_t preserved);

}  // namespace davit::criu
