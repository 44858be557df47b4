// SPDX-License-Identifier: Apache-2.0
#include "davit/criu/translation.hpp"

#include <algorithm>

#include "davit/base/fields.hpp"
#include "davit/base/path.hpp"
#include "davit/json/document.hpp"
#include "davit/json/writer.hpp"

namespace davit::criu {
namespace {

// What callers of runc and crun have put their settings into.
constexpr const char* kConfigFile = "/etc/criu/runc.conf";
constexpr const char* kConfigAnnotation = "org.criu.config";
constexpr std::size_t kStreams = 3;

/// Engines hand on the annotations of an image, which knows where its own files lie on the host; and what
/// CRIU reads there may name programs for it to run. What is below /etc is the host's.
Result<std::string> config_file_of(const spec::Annotations& annotations) {
  const auto found = annotations.find(kConfigAnnotation);
  if (found == annotations.end()) return std::string(kConfigFile);
  const std::string& file = found->second;
  if (file.empty() || (clean_path(file) == file && file.starts_with("/etc/"))) return file;
  Error error = make_error(Code::invalid_config, std::string("the annotation ") + kConfigAnnotation +
                                                     " names a file that is not below /etc: " + file);
  return error.advise(
      "an image may have set it; put settings of your own into /etc/criu, and name them there");
}

Result<Options> common_options(const Choices& choices, const spec::Annotations& annotations) {
  Options options;
  options.config_file = TRY(config_file_of(annotations));
  options.cgroups_mode = choices.cgroups_mode;
  options.network_lock = choices.network_lock;
  options.empty_namespaces = choices.empty_namespaces;
  options.external_unix_sockets = choices.external_unix_sockets;
  options.tcp_established = choices.tcp_established;
  options.tcp_close = choices.tcp_close;
  options.shell_job = choices.shell_job;
  options.file_locks = choices.file_locks;
  options.auto_dedup = choices.auto_dedup;
  options.lazy_pages = choices.lazy_pages;
  return options;
}

std::string_view word_of(spec::NamespaceType type) {
  switch (type) {
    case spec::NamespaceType::mount:
      return "mnt";
    case spec::NamespaceType::pid:
      return "pid";
    case spec::NamespaceType::network:
      return "net";
    case spec::NamespaceType::uts:
      return "uts";
    case spec::NamespaceType::ipc:
      return "ipc";
    case spec::NamespaceType::user:
      return "user";
    case spec::NamespaceType::cgroup:
      return "cgroup";
    case spec::NamespaceType::time:
      return "time";
  }
  return {};
}

bool is_inherited(spec::NamespaceType type) {
  return type == spec::NamespaceType::network || type == spec::NamespaceType::pid;
}

}  // namespace

Version oldest_for(const Choices& choices) {
  constexpr Version kFreezesByCgroup2 = 31500;  // and knows external pid namespaces
  constexpr Version kKnowsLabels = 31600;
  constexpr Version kKnowsLocks = 31700;
  if (choices.network_lock != NetworkLock::usual) return kKnowsLocks;
  const bool has_label = !choices.lsm_profile.empty() || !choices.lsm_mount_context.empty();
  return has_label ? kKnowsLabels : kFreezesByCgroup2;
}

Result<Options> dump_options(const Choices& choices, const spec::Annotations& annotations, DumpFacts facts) {
  Options options = TRY(common_options(choices, annotations));
  options.images_directory = facts.images_directory;
  options.work_directory = facts.work_directory;
  options.pid = facts.pid;
  options.root = std::move(facts.rootfs);
  options.freeze_cgroup = std::move(facts.freezer);
  options.external_mounts = std::move(facts.mounts);
  options.external = std::move(facts.namespaces);
  options.log_file = "dump.log";
  options.page_server = choices.page_server;
  options.parent_images = choices.parent_path;
  options.track_memory = choices.pre_dump || !choices.parent_path.empty();
  options.leave_running = choices.leave_running;
  options.tcp_skip_in_flight = choices.tcp_skip_in_flight;
  options.link_remap = choices.link_remap;
  return options;
}

Result<Options> restore_options(const Choices& choices, const spec::Annotations& annotations,
                                RestoreFacts facts) {
  Options options = TRY(common_options(choices, annotations));
  options.images_directory = facts.images_directory;
  options.work_directory = facts.work_directory;
  options.root = std::move(facts.root);
  options.external_mounts = std::move(facts.mounts);
  options.join_namespaces = std::move(facts.namespaces);
  options.inherited = std::move(facts.inherited);
  options.cgroup_roots = std::move(facts.cgroup_roots);
  options.log_file = "restore.log";
  options.lsm_profile = choices.lsm_profile;
  options.lsm_mount_context = choices.lsm_mount_context;
  options.evasive_devices = true;
  options.restore_as_sibling = true;
  return options;
}

std::string namespace_key(spec::NamespaceType type) {
  std::string word(word_of(type));
  word.front() = static_cast<char>(word.front() - 'a' + 'A');
  return "extRoot" + word + "NS";
}

std::string external_namespace(spec::NamespaceType type, std::uint64_t inode) {
  return std::string(word_of(type)) + "[" + std::to_string(inode) + "]:" + namespace_key(type);
}

Result<std::vector<JoinNamespace>> joined_namespaces(const spec::Config& config) {
  std::vector<JoinNamespace> result;
  for (const spec::Namespace& entry : config.linux.namespaces) {
    if (entry.path.empty() || is_inherited(entry.type)) continue;
    const bool can_join = entry.type == spec::NamespaceType::uts || entry.type == spec::NamespaceType::ipc ||
                          entry.type == spec::NamespaceType::user;
    if (!can_join) {
      Error error =
          make_error(Code::unsupported, "criu cannot restore into a " + std::string(word_of(entry.type)) +
                                            " namespace that is there already");
      return spec::at(entry.position, error.advise("leave out the path of this namespace"));
    }
    result.push_back({std::string(word_of(entry.type)), entry.path});
  }
  return result;
}

std::vector<CgroupRoot> cgroup_roots(std::string_view text) {
  std::vector<CgroupRoot> roots;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    (void)next_field(line, ':');  // the number of the hierarchy
    std::string_view controllers = next_field(line, ':');
    if (line.empty()) continue;
    do roots.push_back({std::string(next_field(controllers, ',')), std::string(line)});
    while (!controllers.empty());
  }
  return roots;
}

std::string descriptors_json(const std::vector<std::string>& descriptors) {
  json::Writer out(json::Style::compact);
  out.strings(descriptors);
  return out.take();
}

Result<std::vector<std::string>> parse_descriptors(std::string text) {
  const auto parsed = json::Document::parse(std::move(text), kDescriptorsFile);
  if (parsed.document == nullptr || !parsed.errors.empty()) return parsed.errors.front();
  const json::Value root = parsed.document->root();
  const Error foreign = make_error(Code::invalid_argument,
                                   std::string(kDescriptorsFile) + " of the image is no array of strings");
  if (root.kind() != json::Kind::array) return foreign;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < root.size(); ++i) {
    if (root.element(i).kind() != json::Kind::string) return foreign;
    names.emplace_back(root.element(i).text());
  }
  return names;
}

Result<std::vector<Inherited>> inherited_descriptors(const std::vector<std::string>& names,
                                                     std::uint32_t preserved) {
  std::vector<Inherited> result;
  const auto add = [&](const std::string& name, std::size_t number) {
    // Both ends of one pipe need but one entry.
    const bool is_known =
        std::any_of(result.begin(), result.end(), [&](const Inherited& known) { return known.key == name; });
    if (!is_known) result.push_back({name, static_cast<int>(number)});
  };
  const std::size_t streams = std::min(names.size(), kStreams);
  for (std::size_t i = 0; i < streams; ++i)
    if (names[i].starts_with("pipe:[")) add(names[i], i);
  if (preserved > names.size() - streams) {
    Error error = make_error(Code::invalid_argument,
                             "--preserve-fds: the checkpoint is of a container that was given " +
                                 std::to_string(names.size() - streams) + " such descriptors");
    return error.advise("restore can only put others in their place");
  }
  for (std::size_t i = kStreams; i < kStreams + preserved; ++i) {
    if (!names[i].starts_with("pipe:[") && !names[i].starts_with("socket:["))
      return make_error(Code::unsupported, "--preserve-fds: descriptor " + std::to_string(i) +
                                               " of the checkpoint was " + names[i])
          .advise("criu opens files by their names; only pipes and sockets are put in their place");
    add(names[i], i);
  }
  return result;
}

}  // namespace davit::criu
