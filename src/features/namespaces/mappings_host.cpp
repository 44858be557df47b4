// SPDX-License-Identifier: Apache-2.0
// Writing the id mappings of a user namespace.
#include <sys/wait.h>
#include <unistd.h>

#include <spawn.h>
#include <cerrno>
#include <csignal>

#include "davit/features/namespaces.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"

namespace davit::namespaces {
namespace {

std::string mapping_text(const std::vector<spec::IdMapping>& mappings) {
  std::string text;
  for (const spec::IdMapping& mapping : mappings)
    text += std::to_string(mapping.container_id) + " " + std::to_string(mapping.host_id) + " " +
            std::to_string(mapping.size) + "\n";
  return text;
}

/// The one mapping that the kernel grants to everybody: the caller's own id.
bool is_only(const std::vector<spec::IdMapping>& mappings, std::uint32_t id) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == id;
}

Result<void> write_map(pid_t pid, const char* file, const std::vector<spec::IdMapping>& mappings) {
  if (mappings.empty()) return {};
  auto written = sys::write_file("/proc/" + std::to_string(pid) + "/" + file, mapping_text(mappings));
  if (written) return {};
  Error error = written.error();
  if (error.errno_value == EPERM)
    error.advise("the caller needs CAP_SETUID and CAP_SETGID, and the ids must exist in its own namespace");
  return error;
}

constexpr int kHelperPatience = 30'000;  // milliseconds; it may ask a directory service

std::string find_helper(const std::string& name) {
  const char* value = getenv("PATH");
  std::string_view path = value != nullptr ? value : "";
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    std::string candidate = std::string(path.substr(0, end)) + "/" + name;
    if (candidate.starts_with('/') && access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  const std::string usual = "/usr/bin/" + name;
  return access(usual.c_str(), X_OK) == 0 ? usual : std::string();
}

/// newuidmap(1), newgidmap(1): set-user-id programs that grant what /etc/subuid and /etc/subgid allow.
Result<void> run_helper(const std::string& name, pid_t pid, const std::vector<spec::IdMapping>& mappings) {
  if (mappings.empty()) return {};
  const std::string program = find_helper(name);
  if (program.empty()) {
    Error error =
        make_error(Code::unsupported, "mapping more than the own id without privileges needs " + name);
    return error.advise("install the package uidmap (shadow-utils)");
  }
  std::vector<std::string> words{name, std::to_string(pid)};
  for (const spec::IdMapping& mapping : mappings) {
    words.push_back(std::to_string(mapping.container_id));
    words.push_back(std::to_string(mapping.host_id));
    words.push_back(std::to_string(mapping.size));
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int failed = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ);
  if (failed != 0) return system_error(failed, "run " + program);
  const bool has_ended = TRY(sys::wait_end(TRY(sys::open_pidfd(child)), kHelperPatience));
  if (!has_ended) (void)::kill(child, SIGKILL);
  const int status = TRY(sys::wait_for(child));
  if (!has_ended) return system_error(ETIMEDOUT, "wait for " + program);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  Error error = make_error(Code::system, name + " refused the id mappings of the user namespace");
  return error.advise(unlisted_advice_for_caller(name == "newgidmap"));
}

Result<void> deny_setgroups(pid_t pid) {
  return sys::write_file("/proc/" + std::to_string(pid) + "/setgroups", "deny");
}

}  // namespace

Result<void> write_mappings(pid_t pid, const Mappings& mappings, bool privileged) {
  if (privileged) {
    TRY(write_map(pid, "gid_map", mappings.gids));
    return write_map(pid, "uid_map", mappings.uids);
  }
  if (is_only(mappings.gids, getegid())) {
    // Who maps his own group by himself gives up dropping groups, or he could shed one that denies access.
    TRY(deny_setgroups(pid));
    TRY(write_map(pid, "gid_map", mappings.gids));
  } else {
    TRY(run_helper("newgidmap", pid, mappings.gids));
  }
  if (is_only(mappings.uids, geteuid())) return write_map(pid, "uid_map", mappings.uids);
  return run_helper("newuidmap", pid, mappings.uids);
}

}  // namespace davit::namespaces
