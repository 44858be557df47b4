// SPDX-License-Identifier: Apache-2.0
#include "explain/checks.hpp"

#include <algorithm>
#include <span>

#include "davit/features/cgroup_preview.hpp"
#include "davit/features/credentials.hpp"
#include "davit/features/rootfs.hpp"
#include "davit/features/seccomp_calls.hpp"
#include "davit/json/document.hpp"

namespace davit::explain {
namespace {

std::string meant(const std::string& word) {
  return word.empty() ? std::string() : "did you mean " + json::quoted(word) + "?";
}

/// Calls that this libseccomp may be too old for. The profiles of engines have them, and they are no slips.
bool is_newer_call(std::string_view name) {
  constexpr std::string_view kNames[] = {"cachestat",         "fchmodat2",        "file_getattr",
                                         "file_setattr",      "futex_requeue",    "futex_wait",
                                         "futex_waitv",       "futex_wake",       "getxattrat",
                                         "listmount",         "listns",           "listxattrat",
                                         "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr",
                                         "map_shadow_stack",  "memfd_secret",     "mseal",
                                         "open_tree_attr",    "process_mrelease", "quotactl_fd",
                                         "removexattrat",     "riscv_hwprobe",    "set_mempolicy_home_node",
                                         "setxattrat",        "statmount",        "uprobe",
                                         "uretprobe"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

/// More of one kind tell nobody anything.
constexpr std::size_t kMostFindings = 50;

/// Calls `visit(text, position)` for each string at a path in the document, in which "*" is every element.
/// The document, not what was read of it: an error nearby hides nothing.
template <typename Visit>
void for_each_string(json::Value value, std::span<const std::string_view> path, const Visit& visit) {
  if (!value.valid()) return;
  if (path.empty()) {
    if (value.kind() == json::Kind::string)
      visit(std::string(value.text()), spec::Position{&value.document(), value.index()});
    return;
  }
  if (path.front() != "*") return for_each_string(value.find(path.front()), path.subspan(1), visit);
  if (value.kind() != json::Kind::array) return;
  for (std::uint32_t node = value.begin_node(); node < value.end_node();) {
    const json::Value element = value.document().at(node);
    node = element.next_node();
    for_each_string(element, path.subspan(1), visit);
  }
}

void check_calls(const spec::Config& config, std::vector<Finding>& findings) {
  constexpr std::string_view kPath[] = {"linux", "seccomp", "syscalls", "*", "names", "*"};
  std::vector<std::string> known;
  std::size_t count = 0;
  for_each_string(
      config.document->root(), kPath, [&](const std::string& name, const spec::Position& position) {
        if (count == kMostFindings || seccomp::is_known_call(name) || is_newer_call(name)) return;
        if (known.empty()) known = seccomp::native_calls();
        ++count;
        findings.push_back({Severity::warning,
                            "unknown system call " + json::quoted(name) + ": the rule says nothing about it",
                            meant(nearest(name, known)), mark_of(position)});
      });
}

/// Where the library that makes the filter would make another one of the rules.
void check_rules(const spec::Config& config, std::vector<Finding>& findings) {
  if (!config.linux.seccomp) return;
  const std::vector<spec::SeccompRule>& rules = config.linux.seccomp->syscalls;
  std::vector<std::string> calls = seccomp::calls_with_tangled_rules(*config.linux.seccomp);
  calls.resize(std::min(calls.size(), kMostFindings));
  for (const std::string& call : calls) {
    const auto first = std::find_if(rules.begin(), rules.end(), [&](const spec::SeccompRule& rule) {
      return std::find(rule.names.begin(), rule.names.end(), call) != rule.names.end();
    });
    if (first == rules.end()) continue;
    findings.push_back({Severity::warning,
                        "the rules for " + call + " overlap: libseccomp may lose some of their comparisons",
                        "write them so that no call fulfils two of them, each with one comparison",
                        mark_of(first->position)});
  }
}

void check_capabilities(const spec::Config& config, std::vector<Finding>& findings) {
  const std::vector<std::string> known = credentials::all_capabilities();
  std::size_t count = 0;
  for (const std::string_view set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    const std::string_view path[] = {"process", "capabilities", set, "*"};
    for_each_string(
        config.document->root(), path, [&](const std::string& name, const spec::Position& position) {
          if (count == kMostFindings || std::find(known.begin(), known.end(), name) != known.end()) return;
          ++count;
          findings.push_back({Severity::warning, "ignoring unknown or unavailable capability " + name,
                              meant(nearest(name, known)), mark_of(position)});
        });
  }
}

/// Parameters of filesystems that are near to an option of mounts, or to each other.
bool is_parameter(std::string_view word) {
  constexpr std::string_view kWords[] = {
      "context",  "data",      "fd",        "gid",        "hidepid",  "huge",     "inode32",      "inode64",
      "lowerdir", "max",       "metacopy",  "mode",       "mpol",     "name",     "newinstance",  "none",
      "noswap",   "nr_blocks", "nr_inodes", "nsdelegate", "pagesize", "ptmxmode", "redirect_dir", "size",
      "subset",   "uid",       "upperdir",  "userxattr",  "volatile", "workdir",  "xattr"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

void check_options(const spec::Config& config, std::vector<Finding>& findings) {
  const std::vector<std::string> known = rootfs::mount_options();
  constexpr std::string_view kPath[] = {"mounts", "*", "options", "*"};
  std::size_t count = 0;
  for_each_string(config.document->root(), kPath,
                  [&](const std::string& option, const spec::Position& position) {
                    const std::string word = option.substr(0, option.find('='));
                    if (is_parameter(word) || std::find(known.begin(), known.end(), word) != known.end())
                      return;
                    const std::string near = count < kMostFindings ? nearest(word, known) : std::string();
                    if (near.empty()) return;
                    ++count;
                    findings.push_back(
                        {Severity::warning,
                         json::quoted(word) + " is no mount option that davit knows: the filesystem gets it",
                         meant(near), mark_of(position)});
                  });
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, std::uint32_t id) {
  return std::any_of(mappings.begin(), mappings.end(), [id](const spec::IdMapping& mapping) {
    return id >= mapping.container_id && id - mapping.container_id < mapping.size;
  });
}

void check_id(std::vector<Finding>& findings, const std::vector<spec::IdMapping>& mappings, std::uint32_t id,
              const char* kind, Mark mark) {
  if (is_mapped(mappings, id)) return;
  const std::string name(kind);
  findings.push_back({Severity::error,
                      name + " " + std::to_string(id) + " is not mapped in the user namespace",
                      "add a range with it to linux." + name + "Mappings", std::move(mark)});
}

/// The string of the config at a pointer; empty: there is none.
std::string text_at(const spec::Config& config, std::string_view pointer) {
  json::Value value = config.document->root();
  while (value.valid() && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (value.kind() == json::Kind::array) {
      std::size_t index = 0;
      for (const char digit : token) index = index * 10 + static_cast<std::size_t>(digit - '0');
      value = value.element(index);
    } else {
      value = value.find(token);
    }
  }
  return value.valid() && value.kind() == json::Kind::string ? std::string(value.text()) : std::string();
}

const std::vector<std::string>& rlimit_names() {
  static const std::vector<std::string> kNames = {
      "RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",        "RLIMIT_DATA",
      "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",    "RLIMIT_MSGQUEUE",
      "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",      "RLIMIT_RSS",
      "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK"};
  return kNames;
}

}  // namespace

void check_words(const spec::Config& config, std::vector<Finding>& findings) {
  check_calls(config, findings);
  check_rules(config, findings);
  check_capabilities(config, findings);
  check_options(config, findings);
}

void check_ids(const spec::Config& config, std::vector<Finding>& findings) {
  const spec::Namespace* user = config.linux.find_namespace(spec::NamespaceType::user);
  if (user == nullptr || !user->path.empty() || !config.process) return;
  const spec::User& who = config.process->user;
  const auto& uids = config.linux.uid_mappings;
  const auto& gids = config.linux.gid_mappings;
  if (!uids.empty()) check_id(findings, uids, who.uid, "uid", mark_of(who.position, "uid"));
  if (gids.empty()) return;
  check_id(findings, gids, who.gid, "gid", mark_of(who.position, "gid"));
  for (std::size_t i = 0; i < who.additional_gids.size(); ++i)
    check_id(findings, gids, who.additional_gids[i], "gid",
             mark_of(who.position, "additionalGids/" + std::to_string(i)));
}

std::vector<Error> mount_errors(const spec::Config& config, const Request& request) {
  std::vector<Error> errors;
  host::Facts facts;
  facts.apparmor = facts.selinux = true;
  spec::Config one = config;
  for (const spec::Mount& mount : config.mounts) {
    if (errors.size() == kMostFindings) break;
    one.mounts.assign(1, mount);
    features::Compilation compilation(facts, request.call);
    const auto tree = rootfs::compile_tree(compilation, one, {}, rootfs::host_queries());
    if (!tree.ok() && tree.error().code == Code::invalid_config) errors.push_back(tree.error());
  }
  return errors;
}

std::vector<Error> resource_errors(const spec::Config& config, const Compiled& compiled) {
  std::vector<Error> errors = cgroup::preview(compiled.place, config.linux.resources).errors;
  std::erase_if(errors, [](const Error& error) { return error.code != Code::invalid_config; });
  return errors;
}

void suggest_names(const spec::Config& config, std::vector<Finding>& findings) {
  if (config.document == nullptr) return;
  const std::vector<std::string> capabilities = credentials::all_capabilities();
  for (Finding& finding : findings) {
    if (!finding.hint.empty()) continue;
    const std::string& pointer = finding.mark.pointer;
    const bool is_capability = pointer.starts_with("/process/capabilities/");
    const bool is_limit = pointer.starts_with("/process/rlimits/") && pointer.ends_with("/type");
    if (!is_capability && !is_limit) continue;
    finding.hint = meant(nearest(text_at(config, pointer), is_limit ? rlimit_names() : capabilities));
  }
}

}  // namespace davit::explain
