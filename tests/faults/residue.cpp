// SPDX-License-Identifier: Apache-2.0
// What a container leaves on the host, and how it looks from within when it is made comparable.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "faults/scenario.hpp"
#include "support/process.hpp"
#include "support/sandbox.hpp"

namespace faults {
namespace {

using support::read_file;
using support::split;

std::string tree(const std::string& path) {
  std::string text;
  for (const auto& name : support::list_dir(path)) {
    const std::string full = path + "/" + name;
    struct stat status {};
    if (lstat(full.c_str(), &status) != 0) continue;
    text += "file " + full + "\n";
    if (S_ISDIR(status.st_mode)) text += tree(full);
  }
  return text;
}

std::vector<std::string> hierarchies() {
  std::vector<std::string> paths;
  for (const auto& name : support::list_dir("/sys/fs/cgroup")) paths.push_back("/sys/fs/cgroup/" + name);
  paths.emplace_back("/sys/fs/cgroup");
  return paths;
}

/// Cgroups at the top that bear our mark, and everything below those.
std::vector<std::string> marked_cgroups() {
  std::vector<std::string> found;
  for (const auto& hierarchy : hierarchies())
    for (const auto& name : support::list_dir(hierarchy))
      if (name.find(support::Sandbox::get().mark()) != std::string::npos)
        found.push_back(hierarchy + "/" + name);
  return found;
}

void remove_cgroup(const std::string& path) {
  for (const auto& pid : split(read_file(path + "/cgroup.procs"), '\n'))
    if (!pid.empty()) kill(static_cast<pid_t>(atol(pid.c_str())), SIGKILL);
  for (const auto& name : support::list_dir(path)) {
    struct stat status {};
    if (lstat((path + "/" + name).c_str(), &status) == 0 && S_ISDIR(status.st_mode))
      remove_cgroup(path + "/" + name);
  }
  support::eventually([&] { return support::reap_orphans(), rmdir(path.c_str()) == 0 || errno == ENOENT; },
                      2000);
}

/// "12 7 0:33 / /proc rw shared:5 - proc proc rw" without its numbers.
std::string mount_line(const std::string& line) {
  auto fields = split(line, ' ');
  std::string text = "mount";
  for (std::size_t i = 4; i < fields.size(); ++i) {
    if (i > 6 && fields[i].find(':') != std::string::npos && fields[i].find("size=") == std::string::npos)
      fields[i].resize(fields[i].find(':'));
    text += " " + fields[i];
  }
  return text;
}

/// "namespace net:[4026531840]": ours, or another one.
std::string namespace_line(const std::string& line) {
  const auto begin = line.find(' ') + 1;
  const auto end = line.find(':');
  const std::string type = line.substr(begin, end - begin);
  const bool is_ours = support::read_link("/proc/self/ns/" + type) == line.substr(begin);
  return "namespace " + type + (is_ours ? " of the host" : " of its own");
}

bool begins(const std::string& text, const char* with) {
  return text.rfind(with, 0) == 0;
}

}  // namespace

std::string canonical(const std::string& identity) {
  std::multiset<std::string> lines;
  for (const auto& line : split(identity, '\n')) {
    if (begins(line, "pid ") || begins(line, "sid ") || begins(line, "pgid ") || begins(line, "SigCgt"))
      continue;
    if (begins(line, "/proc/self/mountinfo: "))
      lines.insert(mount_line(line));
    else if (begins(line, "namespace "))
      lines.insert(namespace_line(line));
    else if (begins(line, "fd "))
      lines.insert(line.substr(0, line.find(' ', 3)));
    else
      lines.insert(line);
  }
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

std::string Scenario::inventory() const {
  std::string text = tree(state_.path()) + tree(directory_.path());
  for (const auto& name : support::list_dir(bundle_.path())) text += "file in the bundle: " + name + "\n";
  for (const auto& line : split(read_file("/proc/self/mountinfo"), '\n')) text += "mount " + line + "\n";
  for (const auto& path : marked_cgroups()) text += "cgroup " + path + "\n";
  for (const char* place : {"/run", "/tmp", "/dev/shm"})
    for (const auto& name : support::list_dir(place))
      if (name.find(support::Sandbox::get().mark()) != std::string::npos)
        text += "file " + std::string(place) + "/" + name + "\n";
  for (const pid_t pid : support::descendants()) {
    const std::string proc = "/proc/" + std::to_string(pid);
    text += "process " + support::trim(read_file(proc + "/comm")) + " " + support::read_link(proc + "/exe") +
            "\n";
  }
  return text;
}

void Scenario::learn_clean() {
  support::reap_orphans();
  clean_ = inventory();
}

std::string Scenario::residue() {
  std::string left;
  int tries = 0;
  support::eventually(
      [&] {
        support::reap_orphans();
        const auto known = split(clean_, '\n');
        const std::multiset<std::string> before(known.begin(), known.end());
        left.clear();
        for (const auto& line : split(inventory(), '\n'))
          if (before.count(line) == 0) left += line + "; ";
        // A killed process and its cgroup need a moment; files do not go by themselves.
        const bool may_go =
            left.find("process ") != std::string::npos || left.find("cgroup ") != std::string::npos;
        return left.empty() || (!may_go && ++tries > 3);
      },
      patience_ms_);
  return left;
}

void Scenario::sweep_up() {
  for (const auto& path : marked_cgroups()) {
    support::put(path + "/freezer.state", "THAWED");
    support::put(path + "/cgroup.freeze", "0");
    remove_cgroup(path);
  }
  for (const pid_t pid : support::descendants()) kill(pid, SIGKILL);
  support::eventually([] { return support::reap_orphans(), support::descendants().empty(); }, 5000);
  for (const auto& name : support::list_dir(state_.path())) support::remove_tree(state_.path() + "/" + name);
  console_.close_all();
}

}  // namespace faults
