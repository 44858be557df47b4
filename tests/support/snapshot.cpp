// SPDX-License-Identifier: Apache-2.0
#include "support/snapshot.hpp"

#include <sys/stat.h>

#include <set>

#include "support/process.hpp"
#include "support/sandbox.hpp"
#include "support/view.hpp"

namespace support {
namespace {

constexpr int kDepth = 5;

void marked_directories(const std::string& path, int depth, std::set<std::string>& found) {
  for (const auto& name : list_dir(path)) {
    const std::string full = path + "/" + name;
    struct stat status {};
    if (lstat(full.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    if (full.find(Sandbox::get().mark()) != std::string::npos) found.insert("cgroup " + full);
    if (depth > 0) marked_directories(full, depth - 1, found);
  }
}

void marked_names(const std::string& path, std::set<std::string>& found) {
  for (const auto& name : list_dir(path))
    if (name.find(Sandbox::get().mark()) != std::string::npos) found.insert("file " + path + "/" + name);
}

struct Stat {
  pid_t parent = 0;
  std::string name;  ///< pid and start time: a number may be given twice
};

Stat stat_of(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto end = text.rfind(')');
  if (end == std::string::npos) return {};
  constexpr std::size_t kParent = 1;  // fields behind the command, from 0: state, parent, ...
  constexpr std::size_t kStart = 19;
  const auto fields = split(text.substr(end + 2), ' ');
  if (fields.size() <= kStart) return {};
  return {static_cast<pid_t>(std::stol(fields[kParent])),
          "process " + std::to_string(pid) + " " + fields[kStart]};
}

}  // namespace

void HostSnapshot::add_processes() {
  std::map<pid_t, Stat> all;
  for (const pid_t pid : descendants()) all[pid] = stat_of(pid);
  for (const auto& [pid, stat] : all) {
    if (stat.name.empty()) continue;  // gone meanwhile
    pid_t top = pid;
    for (auto at = all.find(stat.parent); at != all.end(); at = all.find(at->second.parent)) top = at->first;
    const std::string proc = "/proc/" + std::to_string(pid);
    std::string command = read_file(proc + "/cmdline");
    for (char& c : command) c = c == '\0' ? ' ' : c;
    const std::string shown =
        "process " + std::to_string(pid) + " " + trim(read_file(proc + "/comm")) + " " + command;
    things_[stat.name] = {shown, all[top].name};
  }
}

HostSnapshot HostSnapshot::take(const std::string& state_dir) {
  HostSnapshot snapshot;
  reap_orphans();
  for (const auto& line : split(read_file("/proc/self/mountinfo"), '\n')) snapshot.add("mount " + line);
  snapshot.add_processes();
  std::set<std::string> marked;
  marked_directories("/sys/fs/cgroup", kDepth + 1, marked);
  for (const char* dir : {"/run", "/tmp", "/dev/shm", "/var/lib", "/run/user"}) marked_names(dir, marked);
  for (const auto& thing : marked) snapshot.add(thing);
  if (!state_dir.empty())
    for (const auto& name : list_dir(state_dir))
      if (name.find(Sandbox::get().mark()) != std::string::npos) snapshot.add("state " + name);
  return snapshot;
}

std::string HostSnapshot::leaked_since(const HostSnapshot& before) const {
  std::string text;
  for (const auto& [name, thing] : things_)
    if (before.things_.count(name) == 0 && before.things_.count(thing.ancestor) == 0)
      text += thing.shown + "\n";
  return text;
}

}  // namespace support
