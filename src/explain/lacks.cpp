// SPDX-License-Identifier: Apache-2.0
// What this machine lacks for a config. It only looks: nothing is made, opened for writing, or executed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "davit/base/path.hpp"
#include "davit/explain/validate.hpp"
#include "davit/features/cgroup_preview.hpp"
#include "davit/features/hooks.hpp"
#include "davit/features/scheduling.hpp"
#include "davit/features/sysctl.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/rootfs.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

class Lacks {
 public:
  void add(std::string label, std::string text, Mark mark = {}) {
    section.lines.push_back({std::move(label), std::move(text), std::move(mark), Tone::bad});
  }
  Section section{"host", "What this host lacks", {}};
};

bool has_option(const spec::Mount& mount, std::string_view option) {
  return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
}

void check_paths(Lacks& lacks, const spec::Config& config, const Request& request) {
  const std::string& bundle = request.call.bundle;
  const std::string root = host_path(config.root.path, bundle);
  const auto status = sys::stat_at(sys::current_directory(), root);
  if (!status.ok())
    lacks.add("root.path", root + ": " + errno_text(status.error().errno_value),
              mark_of(config.root.position, "path"));
  else if (!S_ISDIR(status->st_mode))
    lacks.add("root.path", root + " is no directory", mark_of(config.root.position, "path"));
  for (const spec::Mount& mount : config.mounts) {
    if (mount.type != "bind" && !has_option(mount, "bind") && !has_option(mount, "rbind")) continue;
    const std::string source = host_path(mount.source, bundle);
    const auto found = sys::stat_at(sys::current_directory(), source);
    if (!found.ok())
      lacks.add(mount.destination, "its source " + source + ": " + errno_text(found.error().errno_value),
                mark_of(mount.position, "source"));
  }
  for (const spec::Namespace& entry : config.linux.namespaces) {
    if (entry.path.empty()) continue;
    const auto found = sys::stat_at(sys::current_directory(), entry.path);
    if (!found.ok())
      lacks.add("namespace", entry.path + ": " + errno_text(found.error().errno_value),
                mark_of(entry.position, "path"));
  }
}

void check_hooks(Lacks& lacks, const spec::Config& config) {
  for (const hooks::Kind kind :
       {hooks::Kind::prestart, hooks::Kind::create_runtime, hooks::Kind::create_container,
        hooks::Kind::poststart, hooks::Kind::poststop})
    for (const spec::Hook& hook : hooks::of(config.hooks, kind))
      if (::access(hook.path.c_str(), X_OK) != 0)
        lacks.add("hook", hook.path + ": " + errno_text(errno), mark_of(hook.position, "path"));
}

std::vector<std::string> search_path(const spec::Process& process) {
  std::vector<std::string> directories;
  std::string path;
  for (const std::string& entry : process.env)
    if (entry.starts_with("PATH=")) path = entry.substr(5);
  for (std::size_t begin = 0; begin <= path.size() && !path.empty();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    directories.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return directories;
}

/// 0: it may be executed; else an errno. A symlink that leads out of the root is followed inside of it.
int executable_errno(const sys::RootFs& root, const std::string& path) {
  const auto file = root.open_at(sys::ContainerPath(path), O_PATH);
  if (!file.ok()) return file.error().errno_value;
  const auto status = sys::stat_of(*file);
  if (!status.ok()) return status.error().errno_value;
  if (S_ISDIR(status->st_mode)) return EISDIR;
  return (status->st_mode & 0111) == 0 ? EACCES : 0;
}

void check_program(Lacks& lacks, const spec::Config& config, const Request& request) {
  if (!config.process || config.process->args.empty()) return;
  const spec::Process& process = *config.process;
  const std::string& name = process.args.front();
  const auto root = sys::RootFs::open(host_path(config.root.path, request.call.bundle));
  if (!root.ok()) return;  // check_paths has said so
  // What is mounted over the root is not there yet.
  const auto is_covered = [&](std::string_view path) {
    return std::any_of(config.mounts.begin(), config.mounts.end(),
                       [&](const spec::Mount& mount) { return path.starts_with(mount.destination); });
  };
  const Mark mark = mark_of(process.position, "args/0");
  if (name.find('/') != std::string::npos) {
    const std::string path = name.starts_with('/') ? name : process.cwd + "/" + name;
    const int errno_value = executable_errno(*root, path);
    if (errno_value != 0 && !is_covered(path))
      lacks.add("program", name + " in the root: " + errno_text(errno_value), mark);
    return;
  }
  const std::vector<std::string> directories = search_path(process);
  for (const std::string& directory : directories)
    if (executable_errno(*root, directory + "/" + name) == 0 || is_covered(directory)) return;
  if (!directories.empty()) lacks.add("program", name + " is in no directory of PATH", mark);
}

void check_filesystems(Lacks& lacks, const spec::Config& config) {
  const auto text = sys::read_records("/proc/filesystems", 1 << 20);
  if (!text.ok()) return;
  for (const spec::Mount& mount : config.mounts) {
    const std::string& type = mount.type;
    if (type.empty() || type == "bind" || type == "rbind" || type == "none" || has_option(mount, "bind") ||
        has_option(mount, "rbind") || has_option(mount, "remount"))
      continue;
    if (text->find("\t" + (type == "cgroup" ? "cgroup" : type) + "\n") == std::string::npos)
      lacks.add(mount.destination, "the kernel has no filesystem " + type + " (or has not loaded it yet)",
                mark_of(mount.position, "type"));
  }
}

void check_cgroup(Lacks& lacks, const spec::Config& config, const Compiled& compiled) {
  const cgroup::Place& place = compiled.place;
  const cgroup::Preview preview = cgroup::preview(place, config.linux.resources);
  for (const Error& error : preview.errors)
    if (error.code == Code::unsupported)
      lacks.add("cgroup", std::string(error.message.view()), mark_of(error.where));
  std::string unified;
  for (const cgroup::Directory& directory : place.directories)
    if (directory.controllers.empty())
      unified = " " + sys::read_record(directory.mount_point + "/cgroup.controllers").value_or("") + " ";
  std::replace(unified.begin(), unified.end(), '\n', ' ');
  std::set<std::string> missing;
  for (const cgroup::Write& write : preview.writes) {
    const bool has_v1 =
        std::any_of(place.directories.begin(), place.directories.end(), [&](const cgroup::Directory& one) {
          return std::find(one.controllers.begin(), one.controllers.end(), write.controller) !=
                 one.controllers.end();
        });
    const bool is_generic = write.file.starts_with("cgroup.");
    if (has_v1 || is_generic || unified.find(" " + write.controller + " ") != std::string::npos) continue;
    if (missing.insert(write.controller).second)
      lacks.add("cgroup", "there is no controller " + write.controller + " for " + write.file,
                mark_of(write.position, write.below));
  }
}

/// CPUs and memory nodes beyond those that are there.
void check_list(Lacks& lacks, const char* file, const std::string& wanted, const Mark& mark) {
  if (wanted.empty()) return;
  std::string online = sys::read_record(file).value_or("");
  while (!online.empty() && online.back() == '\n') online.pop_back();
  constexpr unsigned kMost = 8192;
  const auto have = scheduling::parse_list(online, kMost);
  const auto want = scheduling::parse_list(wanted, kMost);
  if (!have.ok() || !want.ok()) return;
  for (std::size_t word = 0; word < want->size(); ++word) {
    const program::u64 there = word < have->size() ? (*have)[word] : 0;
    if (((*want)[word] & ~there) == 0) continue;
    lacks.add("cpuset", wanted + ": this host has " + online, mark);
    return;
  }
}

void check_sysctl(Lacks& lacks, const spec::Config& config) {
  for (const spec::Sysctl& entry : config.linux.sysctl)
    if (::access(("/proc/sys/" + sysctl::path_of(entry.key)).c_str(), F_OK) != 0)
      lacks.add(entry.key, "is no kernel parameter here", mark_of(entry.position));
}

}  // namespace

Section lacks_of(const spec::Config& config, const Request& request, const Compiled& compiled) {
  Lacks lacks;
  for (const Error& note : compiled.notes) {
    const bool is_ours =
        compiled.plan &&
        std::any_of(compiled.plan->warnings.begin(), compiled.plan->warnings.end(),
                    [&](const Error& warning) { return warning.message.view() == note.message.view(); });
    if (is_ours) continue;  // a finding already
    std::string text(note.message.view());
    if (note.errno_value != 0) text.append(": ").append(errno_text(note.errno_value));
    lacks.add("create", text, mark_of(note.where));
  }
  check_paths(lacks, config, request);
  check_program(lacks, config, request);
  check_hooks(lacks, config);
  check_filesystems(lacks, config);
  check_cgroup(lacks, config, compiled);
  const spec::Cpu& cpu = config.linux.resources.cpu;
  check_list(lacks, "/sys/devices/system/cpu/online", cpu.cpus, mark_of(cpu.position, "cpus"));
  check_list(lacks, "/sys/devices/system/node/online", cpu.mems, mark_of(cpu.position, "mems"));
  check_sysctl(lacks, config);
  if (lacks.section.lines.empty())
    lacks.section.lines.push_back({"", "nothing that can be seen from outside", {}, Tone::good});
  return std::move(lacks.section);
}

}  // namespace davit::explain
