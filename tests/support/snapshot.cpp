#include "support/snapshot.hpp"

#include <sys/stat.h>

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

}  // namespace

HostSnapshot HostSnapshot::take(const std::string& state_dir) {
  HostSnapshot snapshot;
  reap_orphans();
  for (const auto& line : split(read_file("/proc/self/mountinfo"), '\n'))
    snapshot.things_.insert("mount " + line);
  for (const pid_t pid : descendants()) {
    const std::string proc = "/proc/" + std::to_string(pid);
    std::string command = read_file(proc + "/cmdline");
    for (char& c : command) c = c == '\0' ? ' ' : c;
    snapshot.things_.insert("process " + std::to_string(pid) + " " + trim(read_file(proc + "/comm")) + " " +
                            command);
  }
  for (const auto& name : list_dir("/sys/fs/cgroup"))
    marked_directories("/sys/fs/cgroup/" + name, kDepth, snapshot.things_);
  for (const char* dir : {"/run", "/tmp", "/dev/shm", "/var/lib", "/run/user"})
    marked_names(dir, snapshot.things_);
  if (!state_dir.empty())
    for (const auto& name : list_dir(state_dir))
      if (name.find(Sandbox::get().mark()) != std::string::npos) snapshot.things_.insert("state " + name);
  return snapshot;
}

std::string HostSnapshot::leaked_since(const HostSnapshot& before) const {
  std::string text;
  for (const auto& thing : things_)
    if (before.things_.count(thing) == 0) text += thing + "\n";
  return text;
}

}  // namespace support
