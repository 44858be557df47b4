// SPDX-License-Identifier: Apache-2.0
#include "faults/scenario.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "faults/bundles.hpp"
#include "support/process.hpp"
#include "support/sandbox.hpp"

namespace faults {
namespace {

using support::eventually;
using support::Outcome;
using support::read_file;
using support::write_file;
using Before = Verb::Before;
using Effect = Verb::Effect;

/// A caller that leaves behind what must not reach a container: whatever is not undone shows inside.
void be_untidy() {
  const gid_t groups[] = {7, 8};
  setgroups(2, groups);
  signal(SIGUSR2, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  umask(077);
  dup2(open("/", O_RDONLY | O_DIRECTORY), 9);
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "of-the-caller");
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return;
  for (auto& set : sets) set.inheritable = set.permitted;
  syscall(SYS_capset, &header, sets);
}

}  // namespace

Scenario::Scenario(const Kind& kind)
    : kind_(kind),
      id_(support::Sandbox::get().mark() + "-fault"),
      runtime_(support::Runtime::path_under_test(), state_.path()),
      console_(directory_ / "console") {
  runtime_.view = kind.view;
  if (is_in_foreground()) terminal_.emplace();
  for (const char* name : {"identity", "marks"}) {
    write_file(file(name), "", 0666);
    write_file(bundle_.rootfs() + "/" + name, "");
  }
  bundle_.config = config_for(kind_, {id_, bundle_.rootfs(), file("identity"), file("marks")});
  const bool creates = kind.verb->effect == Effect::process;
  bundle_.args(creates ? std::vector<std::string>{"/bin/probe", "identity", "/identity"}
               : kind.verb->before == Before::stopped ? std::vector<std::string>{"/bin/true"}
                                                      : std::vector<std::string>{"/bin/sleep", "1000"});
  bundle_.write();
  const char* resources = kind.view == support::View::v2
                              ? R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})"
                              : R"({"pids": {"limit": 64}, "cpu": {"shares": 512},
                                    "memory": {"limit": 134217728}})";
  write_file(file("resources"), resources);
}

bool Scenario::is_in_foreground() const {
  const std::string name = kind_.verb->name;
  return has_terminal() && (name == "run" || name == "exec");
}

std::vector<std::string> Scenario::creation(const char* verb) const {
  std::vector<std::string> words = {verb, "--bundle", bundle_.path()};
  if (has_terminal()) words.insert(words.end(), {"--console-socket", console_.path()});
  return words;
}

std::vector<std::string> Scenario::arguments() const {
  const std::string name = kind_.verb->name;
  std::vector<std::string> words = {name};
  if (name == "create") words = creation("create");
  if (name == "run-detached") (words = creation("run")).emplace_back("--detach");
  if (name == "run") words.insert(words.end(), {"--bundle", bundle_.path()});
  if (name == "exec-detached") words = {"exec", "--detach"};
  if (kind_.verb->effect == Effect::more && has_terminal()) words.emplace_back("--tty");
  if (name == "exec-detached" && has_terminal())
    words.insert(words.end(), {"--console-socket", console_.path()});
  if (name == "update") words.insert(words.end(), {"--resources", file("resources")});
  if (name == "delete-force") words = {"delete", "--force"};
  words.push_back(id_);
  if (name == "kill") words.emplace_back("KILL");
  if (kind_.verb->effect == Effect::more) words.insert(words.end(), {"/bin/probe", "identity", "/identity"});
  return runtime_.argv(words);
}

std::string Scenario::prepare() {
  for (const char* name : {"identity", "marks"})
    if (truncate(file(name).c_str(), 0) != 0) return "truncate";
  const Before before = kind_.verb->before;
  init_ = -1;
  console_.take();  // what a runtime that failed has left there: nobody can connect when there is too much
  if (terminal_) terminal_->reset();
  if (before == Before::nothing) return "";
  std::vector<std::string> words = creation(before == Before::created ? "create" : "run");
  if (before != Before::created) words.emplace_back("--detach");
  words.push_back(id_);
  const Outcome made = runtime_(words);
  if (!made.ok()) return made.all();
  console_.take();
  if (before == Before::stopped)
    return eventually([&] { return runtime_.status(id_) == "stopped"; }, 20000) ? "" : "it does not stop";
  init_ = runtime_.pid(id_);
  if (before == Before::paused) {
    const Outcome paused = runtime_({"pause", id_});
    if (!paused.ok()) return paused.all();
  }
  return "";
}

Command Scenario::command() const {
  Command command;
  command.argv = arguments();
  const int terminal = terminal_ ? terminal_->number() : -1;
  command.in_child = [change = support::enter(kind_.view), terminal] {
    if (change) change();
    if (terminal >= 0) dup2(terminal, 0);
    if (chdir("/") != 0) _exit(126);
    be_untidy();
  };
  if (kind_.verb->before == Before::created) command.existing = init_;
  return command;
}

std::string Scenario::seen_inside() const {
  const std::string text = read_file(file("identity"));
  return text.empty() ? "" : canonical(text) + read_file(file("marks"));
}

void Scenario::wait_inside() {
  console_.take();
  eventually([&] { return read_file(file("identity")).find("\nend\n") != std::string::npos; }, patience_ms_);
}

std::string Scenario::effect() {
  switch (kind_.verb->effect) {
    case Effect::process:
      if (kind_.verb->name == std::string("create")) {
        const Outcome started = runtime_({"start", id_});
        if (!started.ok()) return "start: " + started.all();
      }
      wait_inside();
      return seen_inside();
    case Effect::more:
      wait_inside();
      return seen_inside();
    case Effect::ended:
      eventually([&] { return support::reap_orphans(), !support::alive(init_); }, patience_ms_);
      return runtime_.status(id_);
    case Effect::frozen: {
      const std::string status = runtime_.status(id_);
      const Outcome resumed = runtime_({"resume", id_});
      return status + " " + std::to_string(resumed.status) + " " + runtime_.status(id_);
    }
    case Effect::thawed:
    case Effect::values:
      return runtime_.status(id_) + "\n" + values();
    case Effect::gone:
      return residue();
  }
  return "";
}

std::string Scenario::values() const {
  std::string text;
  for (const char* name : {"pids/ID/pids.max", "cpu/ID/cpu.shares", "memory/ID/memory.limit_in_bytes"}) {
    const auto parts = support::split(name, '/');
    const std::string mount = support::v1_mount(parts[0]);
    if (!mount.empty()) text += read_file(mount + "/" + id_ + "/" + parts[2]);
  }
  return text + read_file(support::v2_mount() + "/" + id_ + "/hugetlb.2MB.max");
}

std::string Scenario::processes() const {
  std::string text;
  for (const pid_t pid : support::descendants())
    text += std::to_string(pid) + " " + read_file("/proc/" + std::to_string(pid) + "/comm");
  return text;
}

std::string Scenario::standing() {
  if (kind_.verb->before == Before::nothing) return residue();
  support::reap_orphans();
  return runtime_.status(id_) + "\n" + values() + processes();
}

std::string Scenario::remove() {
  // A pid namespace does not end before we, to whom its orphans came, have taken their exit status.
  support::Child deletion = runtime_.start({"delete", "--force", id_});
  eventually([&] { return support::reap_orphans(), !support::alive(deletion.pid()); }, 15000);
  const Outcome outcome = deletion.wait();
  console_.close_all();
  return outcome.ok() ? "" : outcome.all();
}

}  // namespace faults
