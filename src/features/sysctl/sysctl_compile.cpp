// SPDX-License-Identifier: Apache-2.0
// Kernel parameters: which namespace confines which, and how they are written.
#include <array>
#include <string_view>

#include "davit/features/sysctl.hpp"
#include "davit/spec/names.hpp"

namespace davit::sysctl {
namespace {

using spec::NamespaceType;

struct Rule {
  std::string_view path;  ///< below /proc/sys; a directory ends in a slash
  NamespaceType type;
};
constexpr auto kConfined = std::to_array<Rule>({
    {"fs/mqueue/", NamespaceType::ipc},
    {"kernel/domainname", NamespaceType::uts},
    {"kernel/msg_next_id", NamespaceType::ipc},
    {"kernel/msgmax", NamespaceType::ipc},
    {"kernel/msgmnb", NamespaceType::ipc},
    {"kernel/msgmni", NamespaceType::ipc},
    {"kernel/sem", NamespaceType::ipc},
    {"kernel/sem_next_id", NamespaceType::ipc},
    {"kernel/shm_next_id", NamespaceType::ipc},
    {"kernel/shm_rmid_forced", NamespaceType::ipc},
    {"kernel/shmall", NamespaceType::ipc},
    {"kernel/shmmax", NamespaceType::ipc},
    {"kernel/shmmni", NamespaceType::ipc},
    {"net/", NamespaceType::network},
});

const Rule* find_rule(std::string_view path) {
  for (const Rule& rule : kConfined) {
    const bool is_directory = rule.path.ends_with('/');
    if (is_directory ? path.starts_with(rule.path) && path.size() > rule.path.size() : path == rule.path)
      return &rule;
  }
  return nullptr;
}

/// Whether the path could leave its directory; the reader refuses such keys too.
bool has_dots(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

Error refuse(const spec::Sysctl& entry, const std::string& why) {
  return spec::at(entry.position, make_error(Code::invalid_config, "sysctl \"" + entry.key + "\" " + why));
}

/// Why the entry is not acceptable; an empty message: it is. An error: the namespace itself is not.
Result<std::string> objection(const spec::Config& config, const spec::Sysctl& entry,
                              IsHostNamespace is_host) {
  const std::string path = path_of(entry.key);
  if (has_dots(path)) return std::string("is not a valid name");
  if (path == "kernel/hostname")
    return std::string("is not allowed: it conflicts with the property hostname");
  const Rule* rule = find_rule(path);
  if (rule == nullptr) return std::string("is not in a separate kernel namespace");
  const spec::Namespace* own = config.linux.find_namespace(rule->type);
  const std::string type(spec::name_of(rule->type));
  if (own == nullptr) return "is not allowed: the container has no " + type + " namespace of its own";
  // One that is not there, or cannot be looked at, is nobody's fault but its own.
  const auto is_joined = own->path.empty() ? Result<bool>(false) : is_host(own->path, rule->type);
  if (!is_joined.ok()) return spec::at(own->position, "path", is_joined.error());
  if (*is_joined) return "is not allowed: the container joins the host's " + type + " namespace";
  if (path == "kernel/domainname" && !config.domainname.empty() && config.domainname != entry.value)
    return std::string("is not allowed: it conflicts with the property domainname");
  return std::string();
}

}  // namespace

std::string path_of(const std::string& key) {
  const std::size_t separator = key.find_first_of("./");
  if (separator == std::string::npos || key[separator] == '/') return key;
  std::string path = key;
  for (char& character : path) character = character == '.' ? '/' : character == '/' ? '.' : character;
  return path;
}

namespace {
constexpr std::size_t kMostErrors = 50;  // more tell nobody anything
}

std::vector<Error> validate(const spec::Config& config, IsHostNamespace is_host) {
  std::vector<Error> errors;
  for (const spec::Sysctl& entry : config.linux.sysctl) {
    if (errors.size() == kMostErrors) break;
    const auto why = objection(config, entry, is_host);
    if (!why.ok()) return {why.error()};
    if (!why->empty()) errors.push_back(refuse(entry, *why));
  }
  return errors;
}

Result<void> compile(features::Compilation& compilation, const spec::Config& config) {
  for (const spec::Sysctl& entry : config.linux.sysctl) {
    // Never beyond what validate() lets through, whoever calls and in whichever order.
    const std::string path = path_of(entry.key);
    if (find_rule(path) == nullptr || has_dots(path))
      return refuse(entry, "is not in a separate kernel namespace");
    program::WriteSysctl write;
    write.proc = compilation.proc_slot();
    write.path = compilation.builder.text("sys/" + path);
    write.value = compilation.builder.text(entry.value);
    compilation.builder.emit(write, compilation.origin(entry.position));
  }
  return {};
}

}  // namespace davit::sysctl
