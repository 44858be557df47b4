// SPDX-License-Identifier: Apache-2.0
#include "support/view.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "support/files.hpp"
#include "support/sandbox.hpp"

namespace support {
namespace {

struct CgroupMount {
  std::string point;
  std::string type;
  std::string options;
};

std::vector<CgroupMount> read_cgroup_mounts() {
  std::vector<CgroupMount> found;
  for (const auto& line : split(read_file("/proc/self/mountinfo"), '\n')) {
    const auto fields = split(line, ' ');
    for (std::size_t i = 6; i + 3 < fields.size(); ++i)
      if (fields[i] == "-" && (fields[i + 1] == "cgroup" || fields[i + 1] == "cgroup2") && fields[3] == "/")
        found.push_back({fields[4], fields[i + 1], fields[i + 3]});
  }
  return found;
}

const std::vector<CgroupMount>& cgroup_mounts() {
  static const std::vector<CgroupMount> mounts = read_cgroup_mounts();
  return mounts;
}

std::string cgroup_layout(const std::vector<CgroupMount>& mounts) {
  bool v1 = false;
  bool v2 = false;
  for (const auto& mount : mounts) (mount.type == "cgroup" ? v1 : v2) = true;
  if (v1 && v2) return "hybrid";
  return v1 ? "v1" : v2 ? "v2" : "none";
}

std::string v2_point(const std::vector<CgroupMount>& mounts) {
  for (const auto& mount : mounts)
    if (mount.type == "cgroup2") return mount.point;
  return "";
}

bool lists(const std::string& text, const std::string& word, char separator) {
  for (const auto& part : split(trim(text), separator))
    if (part == word) return true;
  return false;
}

struct Hierarchy {
  std::string point;
  Fd tree;
};

/// A directory of mounts like that of a v1 host: the v1 hierarchies and the symbolic links between them.
bool arrange_v1() {
  std::vector<Hierarchy> hierarchies;
  for (const auto& mount : read_cgroup_mounts())
    if (mount.type == "cgroup")
      hierarchies.push_back(
          {mount.point, Fd(open_tree(AT_FDCWD, mount.point.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC))});
  std::vector<std::pair<std::string, std::string>> links;
  for (const auto& name : list_dir("/sys/fs/cgroup"))
    if (const auto target = read_link("/sys/fs/cgroup/" + name); !target.empty())
      links.emplace_back(target, "/sys/fs/cgroup/" + name);
  if (umount2("/sys/fs/cgroup", MNT_DETACH) != 0 ||
      mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, "mode=755") != 0)
    return false;
  for (const auto& hierarchy : hierarchies) {
    make_dirs(hierarchy.point);
    if (move_mount(hierarchy.tree.get(), "", AT_FDCWD, hierarchy.point.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
      return false;
  }
  for (const auto& [target, link] : links) make_symlink(target, link);
  return true;
}

bool arrange_v2() {
  // A new mount would set the options of the host's.
  if (cgroup_layout(read_cgroup_mounts()) == "v2") return true;
  return umount2("/sys/fs/cgroup", MNT_DETACH) == 0 &&
         mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
}

bool arrange(View view) {
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         (view == View::v1 ? arrange_v1() : arrange_v2()) &&
         mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0;
}

Fd make_namespace(View view) {
  Sandbox::get();
  int ready[2];
  int leave[2];
  if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(leave, O_CLOEXEC) != 0) return Fd();
  const pid_t child = fork();
  if (child == 0) {
    close(leave[1]);
    const char answer = unshare(CLONE_NEWNS) == 0 && arrange(view) ? 'y' : 'n';
    char byte = 0;
    if (write(ready[1], &answer, 1) == 1)
      while (read(leave[0], &byte, 1) > 0) {
      }
    _exit(0);
  }
  char answer = 'n';
  if (read(ready[0], &answer, 1) != 1) answer = 'n';
  Fd space(open(("/proc/" + std::to_string(child) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  for (const int fd : {ready[0], ready[1], leave[0], leave[1]}) close(fd);
  waitpid(child, nullptr, 0);
  return answer == 'y' ? std::move(space) : Fd();
}

int namespace_of(View view) {
  static std::map<View, Fd> spaces;
  auto at = spaces.find(view);
  if (at == spaces.end()) at = spaces.emplace(view, make_namespace(view)).first;
  return at->second.get();
}

}  // namespace

std::function<void()> enter(View view) {
  if (view == View::host) return nullptr;
  const int space = namespace_of(view);
  return [space] {
    if (setns(space, CLONE_NEWNS) != 0) _exit(125);
  };
}

std::string become(View view) {
  if (view == View::host) return "";
  Sandbox::get();
  const std::string layout = cgroup_layout(read_cgroup_mounts());
  if (view == View::v1 && layout != "v1" && layout != "hybrid")
    return "no cgroup v1 hierarchy is mounted here";
  if (view == View::v2 && layout == "none") return "no cgroup hierarchy is mounted here";
  return arrange(view) ? "" : std::string("the mounts of the view cannot be made: ") + strerror(errno);
}

std::string cgroup_layout() {
  return cgroup_layout(cgroup_mounts());
}

std::string missing(View view) {
  if (view == View::host) return "";
  const bool v1 = cgroup_layout() == "v1" || cgroup_layout() == "hybrid";
  if (view == View::v1 && !v1) return "no cgroup v1 hierarchy is mounted here";
  if (view == View::v2 && v2_mount().empty()) return "no cgroup v2 hierarchy is mounted here";
  return namespace_of(view) >= 0 ? "" : "the mount namespace of the view could not be made";
}

std::string v1_mount(const std::string& controller) {
  for (const auto& mount : cgroup_mounts())
    if (mount.type == "cgroup" && lists(mount.options, controller, ',')) return mount.point;
  return "";
}

bool has_v1(const std::string& controller) {
  return !v1_mount(controller).empty();
}

std::string v2_mount() {
  return v2_point(cgroup_mounts());
}

void restore_v2_options() {
  const auto options_of = [](const std::vector<CgroupMount>& mounts) {
    for (const auto& mount : mounts)
      if (mount.type == "cgroup2") return mount.options;
    return std::string();
  };
  std::string options = options_of(cgroup_mounts());
  if (options == options_of(read_cgroup_mounts()) || options.rfind("rw", 0) != 0) return;
  options.erase(0, std::min(options.size(), sizeof "rw"));
  mount("none", v2_mount().c_str(), "cgroup2", MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC,
        options.c_str());
}

bool has_v2(const std::string& controller) {
  return !v2_mount().empty() && lists(read_file(v2_mount() + "/cgroup.controllers"), controller, ' ');
}

}  // namespace support
