// SPDX-License-Identifier: Apache-2.0
// cgroups, by making one and removing it.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "davit/features/cgroup.hpp"
#include "davit/host/facts.hpp"
#include "davit/sys/bpf.hpp"
#include "davit/sys/file.hpp"
#include "doctor/trials.hpp"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace davit::doctor {
namespace {

const char* const kMode[] = {"v1", "v2", "v1 and v2 (hybrid)"};

/// Directories that are gone when this is. Meanwhile nobody's ^C gets between.
class Trial {
 public:
  Trial() {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) ::sigaddset(&blocked, signal);
    ::sigprocmask(SIG_BLOCK, &blocked, &before_);
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial() {
    for (const std::string& path : made_) remove(path);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  /// 0 or an errno.
  int make(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0) return errno;
    made_.push_back(path);
    return 0;
  }

 private:
  static void remove(const std::string& path) {
    constexpr int kAttempts = 100;
    constexpr useconds_t kPause = 10'000;
    // Who has just ended in there may still count.
    for (int i = 0; i < kAttempts && ::rmdir(path.c_str()) != 0 && errno == EBUSY; ++i) ::usleep(kPause);
  }

  std::vector<std::string> made_;
  sigset_t before_;
};

std::string delegation_remedy(int errno_value) {
  if (errno_value == EROFS)
    return "mount -o remount,rw /sys/fs/cgroup (in a container: start it with a writable cgroup mount)";
  if (is_root())
    return "run davit where the cgroup filesystem belongs to root of this user namespace (a delegated "
           "cgroup)";
  return "systemd-run --user --scope -p Delegate=yes COMMAND, or loginctl enable-linger and a session of "
         "systemd";
}

/// The controllers in which limits can be set; those that are missing make the configs fail that name them.
void judge_controllers(Diagnoses& out, const host::CgroupLayout& layout, const std::string& unified) {
  std::vector<std::string> there;
  for (const host::Hierarchy& hierarchy : layout.hierarchies)
    for (const std::string& controller : hierarchy.controllers)
      if (!controller.starts_with("name=")) there.push_back(controller);
  std::string word;
  const std::string listed =
      unified.empty() ? std::string()
                      : first_line(unified.substr(0, unified.rfind('/')) + "/cgroup.controllers") + " ";
  for (const char character : listed) {
    if (character != ' ') {
      word += character;
      continue;
    }
    if (!word.empty()) there.push_back(word);
    word.clear();
  }
  std::string missing;
  for (const char* wanted : {"cpu", "cpuset", "memory", "pids"})
    if (std::find(there.begin(), there.end(), wanted) == there.end())
      missing += std::string(missing.empty() ? "" : ", ") + wanted;
  if (std::find(there.begin(), there.end(), "io") == there.end() &&
      std::find(there.begin(), there.end(), "blkio") == there.end())
    missing += missing.empty() ? "io" : ", io";
  std::string list;
  for (const std::string& name : there) list += (list.empty() ? "" : ", ") + name;
  Diagnosis result{"controllers", missing.empty() ? Health::good : Health::lacking};
  result.evidence =
      missing.empty() ? list : "missing: " + missing + "; there: " + (list.empty() ? "none" : list);
  if (!missing.empty())
    result.remedy = is_root() ? "boot without cgroup_disable=, and with the controllers built into the kernel"
                              : "systemctl edit user@.service, with Delegate=cpu cpuset io memory pids";
  out.push_back(std::move(result));
}

void try_birth(Diagnoses& out, const std::string& path) {
  const Outcome outcome = attempt([&](Steps& steps) {
    const auto directory = sys::open(path, O_PATH | O_DIRECTORY);
    if (!directory.ok()) errno = directory.error().errno_value;
    if (!steps.did("open", directory.ok() ? 0 : -1)) return;
    clone_args arguments = {};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<std::uint64_t>(directory->number());
    const long child = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) ::_exit(0);
    if (steps.did("clone3(CLONE_INTO_CGROUP)", child)) (void)::waitpid(static_cast<pid_t>(child), nullptr, 0);
  });
  out.push_back({"birth in a cgroup", outcome.ok() ? Health::good : Health::lacking,
                 outcome.ok() ? "CLONE_INTO_CGROUP works" : told(outcome),
                 outcome.ok()
                     ? ""
                     : "davit attaches processes afterwards, which takes longer; the caller has to be in a "
                       "cgroup of the same delegated tree"});
}

void try_device_rules(Diagnoses& out, const std::string& path) {
  const Outcome outcome = attempt([&](Steps& steps) {
    bpf_insn program[2] = {};
    program[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
    program[0].imm = 1;
    program[1].code = BPF_JMP | BPF_EXIT;
    const auto loaded = sys::load_device_program(program);
    if (!loaded.ok()) errno = loaded.error().errno_value;
    if (!steps.did("load a device program", loaded.ok() ? 0 : -1)) return;
    const auto cgroup = sys::open(path, O_RDONLY | O_DIRECTORY);
    if (!cgroup.ok()) errno = cgroup.error().errno_value;
    if (!steps.did("open", cgroup.ok() ? 0 : -1)) return;
    // It ends with the cgroup.
    (void)steps.did("attach it", sys::attach_device_program(*cgroup, *loaded, {}));
  });
  const bool is_fine = outcome.ok() || !is_root();
  out.push_back({"device rules",
                 outcome.ok() ? Health::good
                 : is_fine    ? Health::unasked
                              : Health::lacking,
                 outcome.ok()
                     ? "a BPF program was attached"
                     : told(outcome) + (is_fine ? " (users cannot open devices of others anyway)" : ""),
                 is_fine ? "" : "a kernel with CONFIG_CGROUP_BPF, and CAP_BPF or CAP_SYS_ADMIN for davit"});
}

}  // namespace

void try_cgroups(Diagnoses& out) {
  auto layout = host::probe_cgroup_layout();
  if (!layout.ok() || layout->hierarchies.empty()) {
    out.push_back({"cgroups", Health::lacking,
                   "no cgroup filesystem is mounted: containers run, but without limits",
                   "mount -t cgroup2 none /sys/fs/cgroup"});
    return;
  }
  out.push_back({"cgroups", Health::good, kMode[static_cast<std::size_t>(layout->mode)]});
  const std::string id = "davit-doctor-" + std::to_string(::getpid());
  const auto place = cgroup::choose({}, id, *layout, cgroup::Manager::cgroupfs);
  if (!place.ok()) {
    out.push_back(
        {"delegation", Health::lacking, std::string(place.error().message.view()), delegation_remedy(0)});
    return;
  }
  Trial trial;
  std::string unified;
  std::string refused;
  int errno_value = 0;
  for (const cgroup::Directory& directory : place->directories) {
    const int failed = trial.make(directory.path);
    if (failed != 0) refused = directory.path, errno_value = failed;
    if (failed == 0 && directory.controllers.empty()) unified = directory.path;
  }
  if (errno_value != 0)
    out.push_back({"delegation", is_root() ? Health::bad : Health::lacking,
                   "mkdir " + refused + ": " + errno_text(errno_value), delegation_remedy(errno_value)});
  else
    out.push_back({"delegation", Health::good,
                   "a cgroup was made and removed in " + std::to_string(place->directories.size()) +
                       (place->directories.size() == 1 ? " hierarchy" : " hierarchies")});
  if (errno_value == 0) judge_controllers(out, *layout, unified);
  const bool is_v2 = layout->mode == host::CgroupMode::v2;
  if (unified.empty() || !is_v2) {
    out.push_back({"birth in a cgroup", Health::unasked, "only cgroup v2 has it; on v1 init moves itself"});
    return;
  }
  try_birth(out, unified);
  try_device_rules(out, unified);
}

}  // namespace davit::doctor
