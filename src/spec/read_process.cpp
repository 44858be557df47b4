// SPDX-License-Identifier: Apache-2.0
#include "spec/sections.hpp"

namespace davit::spec {
namespace {

/// consoleSize must be ignored without a terminal, so nothing in it may be an error then.
struct Window {
  ConsoleSize size;
  Position position;
};

void read_members(Object& object, Window& window) {
  object.required("height", window.size.height);
  object.required("width", window.size.width);
}

}  // namespace

void read_members(Object& object, Process& process) {
  object.optional("terminal", process.terminal);
  if (process.terminal) {
    std::optional<Window> window;
    object.optional("consoleSize", window);
    if (window) process.console_size = window->size;
  } else {
    object.ignored("consoleSize");
  }
  object.optional("user", process.user);
  object.required("args", process.args);
  object.optional("env", process.env);
  object.required("cwd", process.cwd);
  object.optional("capabilities", process.capabilities);
  object.optional("rlimits", process.rlimits);
  object.optional("noNewPrivileges", process.no_new_privileges);
  object.optional("apparmorProfile", process.apparmor_profile);
  object.optional("selinuxLabel", process.selinux_label);
  object.optional("oomScoreAdj", process.oom_score_adj);
  object.optional("scheduler", process.scheduler);
  object.optional("ioPriority", process.io_priority);
  object.optional("execCPUAffinity", process.exec_cpu_affinity);
  object.ignored("commandLine");
}

void read_members(Object& object, User& user) {
  object.optional("uid", user.uid);
  object.optional("gid", user.gid);
  object.optional("umask", user.umask);
  object.optional("additionalGids", user.additional_gids);
  object.ignored("username");
}

void read_members(Object& object, Capabilities& capabilities) {
  object.optional("bounding", capabilities.bounding);
  object.optional("effective", capabilities.effective);
  object.optional("inheritable", capabilities.inheritable);
  object.optional("permitted", capabilities.permitted);
  object.optional("ambient", capabilities.ambient);
}

void read_members(Object& object, Rlimit& rlimit) {
  object.required("type", rlimit.type);
  object.required("hard", rlimit.hard);
  object.required("soft", rlimit.soft);
}

void read_members(Object& object, Scheduler& scheduler) {
  object.required("policy", scheduler.policy);
  object.optional("nice", scheduler.nice);
  object.optional("priority", scheduler.priority);
  object.optional("flags", scheduler.flags);
  object.optional("runtime", scheduler.runtime);
  object.optional("deadline", scheduler.deadline);
  object.optional("period", scheduler.period);
}

void read_members(Object& object, IoPriority& priority) {
  object.required("class", priority.priority_class);
  object.optional("priority", priority.priority);
}

void read_members(Object& object, ExecCpuAffinity& affinity) {
  object.optional("initial", affinity.initial);
  object.optional("final", affinity.final);
}

}  // namespace davit::spec
