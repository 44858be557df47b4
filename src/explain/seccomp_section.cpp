// SPDX-License-Identifier: Apache-2.0
// The seccomp profile by what it does, not by how it is written.
#include <cstring>
#include <set>

#include "davit/spec/names.hpp"
#include "explain/sections.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

/// Calls that have led out of containers, or whose job it is to change the host.
constexpr std::string_view kNotable[] = {
    "acct",
    "add_key",
    "bpf",
    "clone",
    "clone3",
    "delete_module",
    "finit_module",
    "fsmount",
    "fsopen",
    "init_module",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "name_to_handle_at",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setns",
    "settimeofday",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
};

/// How a profile treats a call.
struct Verdict {
  std::string action;
  bool is_conditional = false;  ///< only with certain arguments
};

std::string action_text(spec::SeccompAction action, const std::optional<std::uint32_t>& errno_ret) {
  switch (action) {
    case spec::SeccompAction::allow:
      return "allowed";
    case spec::SeccompAction::error:
      return std::string("fails with ") + errno_name(static_cast<int>(errno_ret.value_or(1)));
    case spec::SeccompAction::kill:
    case spec::SeccompAction::kill_thread:
      return "kills the thread";
    case spec::SeccompAction::kill_process:
      return "kills the process";
    case spec::SeccompAction::trap:
      return "raises SIGSYS";
    case spec::SeccompAction::trace:
      return "is shown to a tracer";
    case spec::SeccompAction::log:
      return "allowed and logged";
    case spec::SeccompAction::notify:
      return "is decided by the listener";
  }
  return "?";
}

/// The calls of each action, those with conditions apart.
struct Group {
  std::string action;
  std::set<std::string> always;
  std::set<std::string> sometimes;
  Mark mark;  ///< of the first rule
};

std::vector<Group> groups_of(const spec::Seccomp& profile) {
  std::vector<Group> groups;
  for (const spec::SeccompRule& rule : profile.syscalls) {
    const std::string action = action_text(rule.action, rule.errno_ret);
    auto group = groups.begin();
    while (group != groups.end() && group->action != action) ++group;
    if (group == groups.end()) {
      groups.push_back({action, {}, {}, mark_of(rule.position)});
      group = groups.end() - 1;
    }
    (rule.args.empty() ? group->always : group->sometimes).insert(rule.names.begin(), rule.names.end());
  }
  for (Group& group : groups)
    for (const std::string& name : group.always) group.sometimes.erase(name);
  return groups;
}

bool is_permissive(std::string_view action) {
  return action.starts_with("allowed");
}

/// The calls of note that are let through.
std::vector<std::string> open_calls(const std::vector<Group>& groups, const std::string& otherwise) {
  std::vector<std::string> names;
  for (const std::string_view notable : kNotable) {
    const std::string name(notable);
    const Group* decided = nullptr;
    bool is_conditional = false;
    for (const Group& group : groups) {
      if (group.always.count(name) == 0 && group.sometimes.count(name) == 0) continue;
      if (decided == nullptr || is_permissive(group.action)) decided = &group;
      if (decided == &group) is_conditional = group.always.count(name) == 0;
    }
    const bool is_open = decided != nullptr ? is_permissive(decided->action) : is_permissive(otherwise);
    if (is_open) names.push_back(name + (is_conditional ? " (some arguments)" : ""));
  }
  return names;
}

std::string without_prefix(const std::string& word, std::string_view prefix) {
  return word.starts_with(prefix) ? word.substr(prefix.size()) : word;
}

void add_group(Section& section, const Group& group) {
  std::string text = counted(group.always.size(), "call");
  if (!group.sometimes.empty()) {
    const std::vector<std::string> names(group.sometimes.begin(), group.sometimes.end());
    const std::string some = counted(names.size(), "call") + " only with certain arguments: " + joined(names);
    text = group.always.empty() ? some : text + "; " + some;
  }
  // A short list says more than its length; what is refused is mostly meant one by one.
  constexpr std::size_t kFew = 12;
  if (!group.always.empty() && group.always.size() <= kFew)
    text = joined({group.always.begin(), group.always.end()}) + (group.sometimes.empty() ? "" : "; " + text);
  section.lines.push_back({group.action, text, group.mark});
}

}  // namespace

Section seccomp_section(const Subject& subject) {
  Section section{"seccomp", "System calls (seccomp)", {}};
  if (!subject.config.linux.seccomp) {
    section.lines.push_back(
        {"", "no filter: every system call of the kernel can be made", {}, Tone::notable});
    return section;
  }
  const spec::Seccomp& profile = *subject.config.linux.seccomp;
  const std::string otherwise = action_text(profile.default_action, profile.default_errno_ret);
  const std::vector<Group> groups = groups_of(profile);
  for (const Group& group : groups) add_group(section, group);
  section.lines.push_back({"any other", otherwise, mark_of(profile.position, "defaultAction"),
                           is_permissive(otherwise) ? Tone::notable : Tone::plain});
  const std::vector<std::string> open = open_calls(groups, otherwise);
  section.lines.push_back({"of note",
                           open.empty() ? "no call that reaches the host is open" : "open: " + joined(open),
                           {},
                           open.empty() ? Tone::plain : Tone::notable});
  std::vector<std::string> names;
  for (const std::string& name : profile.architectures) names.push_back(without_prefix(name, "SCMP_ARCH_"));
  section.lines.push_back({"architectures", names.empty() ? "that of the host" : joined(names),
                           names.empty() ? Mark() : mark_of(profile.position, "architectures")});
  if (!profile.listener_path.empty())
    section.lines.push_back({"listener", profile.listener_path, mark_of(profile.position, "listenerPath")});
  return section;
}

}  // namespace davit::explain
