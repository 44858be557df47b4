// SPDX-License-Identifier: Apache-2.0
// The sections that are read off the config: what davit itself does, and what needs no operation.
#include <array>

#include "davit/features/cgroup_preview.hpp"
#include "davit/features/hooks.hpp"
#include "davit/features/seccomp.hpp"
#include "davit/json/document.hpp"
#include "davit/program/all.hpp"
#include "davit/program/printer.hpp"
#include "davit/spec/names.hpp"
#include "explain/sections.hpp"
#include "explain/words.hpp"

namespace davit::explain {
namespace {

using spec::NamespaceType;

std::string_view mode_name(host::CgroupMode mode) {
  constexpr std::string_view kNames[] = {"v1", "v2", "v1 and v2 (hybrid)"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string range(std::uint32_t first, std::uint32_t size) {
  return size == 1 ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(first + size - 1);
}

void add_mappings(Section& section, const char* name, const std::vector<spec::IdMapping>& mappings) {
  for (const spec::IdMapping& mapping : mappings)
    section.lines.push_back({std::string(name) + " " + range(mapping.container_id, mapping.size),
                             "is " + range(mapping.host_id, mapping.size) + " on the host",
                             mark_of(mapping.position), Tone::plain, 1});
}

/// What is special about a new one, and about that of the host.
struct About {
  NamespaceType type;
  const char* fresh;
  const char* shared;
  bool is_notable;  ///< to share it
};
constexpr About kAbout[] = {
    {NamespaceType::user, "new", "the host's: root in the container is root outside", true},
    {NamespaceType::mount, "new", "the host's: what is mounted shows outside", true},
    {NamespaceType::pid, "new: the program is process 1",
     "the host's: it sees, and as root signals, all processes", true},
    {NamespaceType::network, "new: nothing but lo, which is brought up",
     "the host's: all its interfaces and ports", true},
    {NamespaceType::uts, "new", "the host's", false},
    {NamespaceType::ipc, "new", "the host's: its shared memory and queues", true},
    {NamespaceType::cgroup, "new: its cgroup looks like the root",
     "the host's: paths of cgroups are those outside", false},
    {NamespaceType::time, "new", "the host's", false},
};

void add_offset(Section& section, const char* clock, const std::optional<spec::TimeOffset>& offset) {
  if (!offset) return;
  section.lines.push_back(
      {clock,
       "is moved by " + std::to_string(offset->secs) + " s and " + std::to_string(offset->nanosecs) + " ns",
       mark_of(offset->position), Tone::plain, 1});
}

/// A value of a cgroup file for people; empty: it is plain.
std::string reading_of(const cgroup::Write& write) {
  std::uint64_t number = 0;
  for (const char digit : write.value) {
    if (digit < '0' || digit > '9') return {};
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (write.controller == "memory" && write.file.find("swappiness") == std::string::npos)
    return round_bytes(number);
  return write.controller == "hugetlb" ? round_bytes(number) : std::string();
}

/// "50000 100000" of cpu.max.
std::string cpu_reading(const std::string& value) {
  const std::size_t space = value.find(' ');
  if (space == std::string::npos || value.starts_with("max")) return {};
  const std::uint64_t quota = std::strtoull(value.c_str(), nullptr, 10);
  const std::uint64_t period = std::strtoull(value.c_str() + space, nullptr, 10);
  if (period == 0) return {};
  const std::uint64_t hundredths = quota * 100 / period;
  const std::string rest = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (rest.size() < 2 ? "0" + rest : rest) + " CPUs";
}

void add_place(Section& section, const Subject& subject) {
  const cgroup::Place& place = subject.compiled.place;
  const Mark mark = subject.config.linux.cgroups_path.empty()
                        ? Mark()
                        : mark_of(subject.config.linux.position, "cgroupsPath");
  if (place.manager == cgroup::Manager::systemd) {
    std::string text = place.unit.name;
    if (!place.unit.slice.empty()) text += " in " + place.unit.slice;
    section.lines.push_back(
        {"unit", text + (place.unit.of_user ? ", made by the user's systemd" : ", made by systemd"), mark});
  }
  // The same path in all hierarchies, as a rule.
  std::vector<std::pair<std::string, std::vector<std::string>>> paths;
  for (const cgroup::Directory& directory : place.directories) {
    const std::string path = directory.path.substr(directory.mount_point.size()) + place.unit.subgroup;
    const std::string controllers =
        directory.controllers.empty() ? "cgroup2" : joined(directory.controllers, ",");
    if (paths.empty() || paths.back().first != path) paths.push_back({path, {}});
    paths.back().second.push_back(controllers);
  }
  for (const auto& [path, controllers] : paths)
    section.lines.push_back(
        {"path",
         path + (controllers.size() == 1 && controllers.front() == "cgroup2" ? std::string(" in cgroup v2")
                                                                             : " in " + joined(controllers)),
         mark});
  if (place.directories.empty())
    section.lines.push_back(
        {"path", "none: the container stays in the cgroup of whoever creates it", mark, Tone::notable});
}

std::string rule_text(const spec::DeviceRule& rule) {
  const auto number = [](const std::optional<std::uint32_t>& value) {
    return value ? std::to_string(*value) : std::string("*");
  };
  std::string text = rule.type == spec::DeviceRuleType::block ? "b " : "c ";
  text += number(rule.major) + ":" + number(rule.minor) + " ";
  return text + (rule.read ? "r" : "") + (rule.write ? "w" : "") + (rule.mknod ? "m" : "");
}

std::string limit_text(std::uint64_t value) {
  return value == UINT64_MAX ? "unlimited" : std::to_string(value);
}

/// Where and when hooks of a kind run (config.md, POSIX-platform Hooks).
struct HookKind {
  hooks::Kind kind;
  const char* when;
};
constexpr HookKind kHooks[] = {
    {hooks::Kind::prestart,
     "at create, by davit, in the host's namespaces; the mounts are there, the pivot is to come"},
    {hooks::Kind::create_runtime, "at create, by davit, in the host's namespaces, after prestart"},
    {hooks::Kind::create_container, "at create, by init, in the container's namespaces and the host's tree"},
    {hooks::Kind::start_container, "at start, by init, in the container, right before the program"},
    {hooks::Kind::poststart, "at start, by davit, in the host's namespaces, once the program runs"},
    {hooks::Kind::poststop, "at delete, by davit, in the host's namespaces"},
};

void add_network_devices(Section& section, const spec::Linux& linux) {
  for (const spec::NetDevice& device : linux.net_devices)
    section.lines.push_back({device.name,
                             "the host's " + device.host_name + ", moved in with its addresses, and up",
                             mark_of(device.position), Tone::plain, 1});
}

void add_resctrl(Section& section, const Subject& subject) {
  if (!subject.config.linux.intel_rdt) return;
  const spec::IntelRdt& rdt = *subject.config.linux.intel_rdt;
  const std::string name = rdt.clos_id.empty() ? "its own" : rdt.clos_id == "/" ? "the default" : rdt.clos_id;
  section.lines.push_back({"resctrl", "class of service: " + name, mark_of(rdt.position)});
  std::vector<std::string> schemata = {rdt.l3_cache_schema, rdt.mem_bw_schema};
  schemata.insert(schemata.end(), rdt.schemata.begin(), rdt.schemata.end());
  for (const std::string& line : schemata)
    if (!line.empty()) section.lines.push_back({"schemata", line, mark_of(rdt.position), Tone::plain, 1});
  if (rdt.enable_monitoring)
    section.lines.push_back({"monitoring", "a group of its own", mark_of(rdt.position), Tone::plain, 1});
}

}  // namespace

Section host_section(const Subject& subject) {
  Section section{"host", "Host", {}};
  const host::Facts& facts = subject.compiled.facts;
  section.lines.push_back({"cgroups", std::string(mode_name(facts.cgroup.mode))});
  section.lines.push_back({"caller", facts.privileged ? "root" : "a user without privileges"});
  std::vector<std::string> modules;
  if (subject.compiled.has_apparmor) modules.emplace_back("AppArmor");
  if (subject.compiled.has_selinux) modules.emplace_back("SELinux");
  section.lines.push_back({"modules", modules.empty() ? "neither AppArmor nor SELinux" : joined(modules)});
  for (const Error& note : subject.compiled.notes)
    section.lines.push_back(
        {"warning",
         std::string(note.message.view()) +
             (note.errno_value != 0 ? std::string(": ") + errno_text(note.errno_value) : ""),
         mark_of(note.where), Tone::notable});
  return section;
}

Section namespaces_section(const Subject& subject) {
  Section section{"namespaces", "Namespaces", {}};
  const spec::Linux& linux = subject.config.linux;
  for (const About& about : kAbout) {
    const spec::Namespace* entry = linux.find_namespace(about.type);
    Line line;
    line.label = spec::name_of(about.type);
    if (entry == nullptr) {
      line.text = about.shared;
      line.tone = about.is_notable ? Tone::notable : Tone::plain;
    } else {
      line.text = entry->path.empty() ? about.fresh : "that of " + entry->path;
      line.mark = mark_of(entry->position);
    }
    section.lines.push_back(std::move(line));
    if (about.type == NamespaceType::user) {
      add_mappings(section, "uid", linux.uid_mappings);
      add_mappings(section, "gid", linux.gid_mappings);
    }
    if (about.type == NamespaceType::network) add_network_devices(section, linux);
    if (about.type == NamespaceType::time && linux.time_offsets) {
      add_offset(section, "monotonic", linux.time_offsets->monotonic);
      add_offset(section, "boottime", linux.time_offsets->boottime);
    }
  }
  return section;
}

Section cgroup_section(const Subject& subject) {
  Section section{"cgroup", "Cgroup", {}};
  add_place(section, subject);
  const spec::Resources& resources = subject.config.linux.resources;
  const cgroup::Preview preview = cgroup::preview(subject.compiled.place, resources);
  for (const cgroup::Write& write : preview.writes) {
    std::string reading = write.file == "cpu.max" ? cpu_reading(write.value) : reading_of(write);
    if (!reading.empty()) reading = " (" + reading + ")";
    section.lines.push_back({write.file, write.value + reading, mark_of(write.position, write.below)});
  }
  for (const Error& error : preview.errors)
    section.lines.push_back({"warning", "create would refuse: " + std::string(error.message.view()),
                             mark_of(error.where), Tone::notable});
  add_resctrl(section, subject);
  if (preview.writes.empty() && preview.errors.empty())
    section.lines.push_back({"limits", "none", {}, Tone::notable});
  return section;
}

Section devices_section(const Subject& subject) {
  Section section{"devices", "Devices", {}};
  if (subject.compiled.plan) {
    const plan::Plan& plan = *subject.compiled.plan;
    program::for_each_operation(plan.program.image, [&](const program::Operation& operation) {
      bool is_wanted = operation.op == program::Op::make_device;
      if (operation.op == program::Op::make_symlink)
        is_wanted =
            program::text(plan.program.image, static_cast<const program::MakeSymlink&>(operation).path)
                .starts_with("/dev/");
      if (is_wanted) section.lines.push_back(line_of(plan, operation, {}));
    });
  }
  const cgroup::Preview preview = cgroup::preview(subject.compiled.place, subject.config.linux.resources);
  const bool is_open = preview.allows_devices && preview.devices.empty();
  if (subject.compiled.place.directories.empty() || is_open) {
    section.lines.push_back({"access", "to every device of the host", {}, Tone::notable});
    return section;
  }
  section.lines.push_back(
      {"access", preview.allows_devices ? "to every device, but for these:" : "to none, but for these:"});
  std::vector<std::string> usual;  // what no config asks for
  for (const spec::DeviceRule& rule : preview.devices)
    if (rule.position.document == nullptr) usual.push_back(rule_text(rule));
  if (!usual.empty()) section.lines.push_back({"always", joined(usual), {}, Tone::plain, 1});
  for (const spec::DeviceRule& rule : preview.devices)
    if (rule.position.document != nullptr)
      section.lines.push_back(
          {rule.allow ? "allow" : "deny", rule_text(rule), mark_of(rule.position), Tone::plain, 1});
  return section;
}

Section limits_section(const Subject& subject) {
  Section section{"limits", "Limits of the process", {}};
  if (!subject.config.process) return section;
  const spec::Process& process = *subject.config.process;
  for (const spec::Rlimit& limit : process.rlimits) {
    std::string text = limit_text(limit.soft);
    if (limit.hard != limit.soft) text += ", which it may raise to " + limit_text(limit.hard);
    section.lines.push_back({limit.type, text, mark_of(limit.position)});
  }
  if (process.oom_score_adj)
    section.lines.push_back(
        {"oom_score_adj", std::to_string(*process.oom_score_adj), mark_of(process.position, "oomScoreAdj")});
  constexpr auto kKinds = std::to_array<program::Op>(
      {program::Op::set_scheduler, program::Op::set_io_priority, program::Op::set_memory_policy});
  if (subject.compiled.plan)
    program::for_each_operation(subject.compiled.plan->program.image,
                                [&](const program::Operation& operation) {
                                  for (const program::Op kind : kKinds)
                                    if (operation.op == kind)
                                      section.lines.push_back(line_of(*subject.compiled.plan, operation, {}));
                                });
  if (section.lines.empty()) section.lines.push_back({"", "those of whoever creates it"});
  return section;
}

Section hooks_section(const Subject& subject) {
  Section section{"hooks", "Hooks", {}};
  for (const HookKind& about : kHooks) {
    const std::vector<spec::Hook>& list = hooks::of(subject.config.hooks, about.kind);
    const std::string name(hooks::name_of(about.kind));
    if (!list.empty()) section.lines.push_back({name, about.when});
    for (const spec::Hook& hook : list) {
      // args[0] is the name that the program sees; what is executed is the path.
      std::vector<std::string> words = hook.args;
      if (words.empty()) words.emplace_back();
      words.front() = hook.path;
      std::string text = command_line(words);
      if (hook.timeout) text += " (at most " + std::to_string(*hook.timeout) + " s)";
      section.lines.push_back(
          {"#" + std::to_string(&hook - list.data()), text, mark_of(hook.position), Tone::plain, 1});
    }
  }
  if (section.lines.empty()) section.lines.push_back({"", "none"});
  return section;
}

Document explain(const spec::Config& config, const Request& request, const Compiled& compiled) {
  const Subject subject{config, request, compiled};
  Document document;
  const std::string file = config.document != nullptr ? " of " + config.document->name() : "";
  document.title = "Container " + request.call.id + file + ", OCI " + config.oci_version;
  using Make = Section (*)(const Subject&);
  for (const Make make : {host_section, namespaces_section, cgroup_section, mounts_section, devices_section,
                          masks_section, settings_section, identity_section, limits_section, seccomp_section,
                          hooks_section, program_section}) {
    Section section = make(subject);
    if (!section.lines.empty()) document.sections.push_back(std::move(section));
  }
  return document;
}

}  // namespace davit::explain
