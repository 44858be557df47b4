// SPDX-License-Identifier: Apache-2.0
// The life of a container's unit: systemd makes it, changes it, takes it away.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

constexpr unsigned kPatienceAfterFailure = 5;  // seconds
constexpr int kAttempts = 3;
constexpr std::size_t kMostNamed = 5;  ///< processes in an error

constexpr std::string_view kUseCgroupfs =
    "or let davit make cgroups itself: Podman cgroup_manager = \"cgroupfs\" in containers.conf, dockerd "
    "--exec-opt native.cgroupdriver=cgroupfs, containerd SystemdCgroup = false, CRI-O cgroup_manager = "
    "\"cgroupfs\"";

std::string environment(const char* name) {
  const char* value = ::getenv(name);
  return value != nullptr ? value : "";
}

/// The address in a list like "unix:path=/run/user/1000/bus,guid=..."; empty: none that davit can use.
std::string path_in(const std::string& list) {
  for (const auto& [key, prefix] : {std::pair("unix:path=", ""), std::pair("unix:abstract=", "@")}) {
    const std::size_t at = list.find(key);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + std::string_view(key).size();
    return prefix + list.substr(begin, std::min(list.find_first_of(",;", begin), list.size()) - begin);
  }
  return {};
}

/// Where the manager listens: its own socket needs nobody between, and is there when a bus is not (yet).
std::vector<bus::Address> addresses(const Unit& unit) {
  if (!unit.of_user) return {{"/run/systemd/private"}, {"/run/dbus/system_bus_socket", true}};
  std::string runtime = environment("XDG_RUNTIME_DIR");
  if (runtime.empty()) runtime = "/run/user/" + std::to_string(::geteuid());
  std::vector<bus::Address> list{{runtime + "/systemd/private"}};
  const std::string session = path_in(environment("DBUS_SESSION_BUS_ADDRESS"));
  if (!session.empty()) list.push_back({session, true});
  list.push_back({runtime + "/bus", true});
  return list;
}

Result<bus::Systemd> connect(const Unit& unit) {
  const auto deadline = bus::Deadline::in(std::int64_t{unit.patience} * 1000);
  auto systemd = bus::Systemd::connect(addresses(unit), deadline);
  if (systemd.ok()) return systemd;
  Error error = systemd.error();
  if (!exists("/run/systemd/system")) {
    // sd_booted(3)
    error = make_error(Code::unsupported,
                       "the systemd cgroup driver was asked for, but systemd does not run this machine "
                       "(there is no /run/systemd/system)");
    return error.advise(kUseCgroupfs.substr(3));
  }
  Text<256> advice(unit.of_user ? "log in properly (is XDG_RUNTIME_DIR set?), "
                                : "in a container mount /run/systemd, ");
  return error.advise(advice.append(kUseCgroupfs));
}

std::string name_of(pid_t pid) {
  auto name = sys::read_record("/proc/" + std::to_string(pid) + "/comm");
  if (!name.ok()) return "gone";
  while (!name->empty() && name->back() == '\n') name->pop_back();
  return *name;
}

/// A unit left by a crash can be used again if nobody is in it.
Result<void> check_empty(const Place& place) {
  std::vector<pid_t> found;
  for (const Directory& directory : place.directories) {
    found = TRY(members(directory.path));
    if (!found.empty()) break;
  }
  if (found.empty()) return {};
  Text<768> message("the unit ");
  message.append(place.unit.name).append(" exists already, and has processes: ");
  for (std::size_t i = 0; i < std::min(found.size(), kMostNamed); ++i)
    message.append(i == 0 ? "" : ", ")
        .append_number(found[i])
        .append(" (")
        .append(name_of(found[i]))
        .append(")");
  if (found.size() > kMostNamed) message.append(" and others");
  Error error = make_error(Code::wrong_state, message);
  return error.advise("stop it with `systemctl stop`, or choose another name in cgroupsPath");
}

bool is_scope(const Unit& unit) {
  return unit.name.ends_with(".scope");
}

void add(std::vector<bus::Property>& properties, const char* name, bus::Value value) {
  for (const bus::Property& property : properties)
    if (property.name == name) return;
  properties.push_back({name, std::move(value)});
}

/// Without those that this systemd is too old for; it is only asked how old it is if that matters.
Result<std::vector<bus::Property>> known_properties(std::vector<UnitProperty> wanted, bus::Systemd& systemd) {
  std::vector<bus::Property> properties;
  unsigned version = 0;
  for (UnitProperty& one : wanted) {
    if (one.since > 0 && version == 0) version = TRY(systemd.version());
    if (one.since <= version) properties.push_back(std::move(one.property));
  }
  return properties;
}

/// What the config's limits are to systemd, which writes them anew at a reload.
Result<std::vector<bus::Property>> limits_of(const Place& place, const spec::Resources& resources,
                                             bus::Systemd& systemd) {
  std::vector<Setting> settings = TRY(settings_for(place, resources));
  std::erase_if(settings, hinders_birth);
  std::vector<bus::Property> all;
  for (bus::Property& property : TRY(known_properties(TRY(unit_properties(settings, place.mode)), systemd)))
    add(all, property.name.c_str(), std::move(property.value));
  // On v2 a second program can only take away from what davit's own allows, which stays through every reload.
  if (place.mode != host::CgroupMode::v2)
    for (bus::Property& property : device_properties(resources.devices))
      add(all, property.name.c_str(), std::move(property.value));
  return all;
}

/// What makes the unit a container's. What annotations say goes before what davit would say, but for limits.
Result<std::vector<bus::Property>> all_properties(const Place& place, const spec::Config& config,
                                                  const std::string& id, pid_t member,
                                                  bus::Systemd& systemd) {
  std::vector<bus::Property> all = TRY(limits_of(place, config.linux.resources, systemd));
  for (bus::Property& property : TRY(annotated_properties(config, all))) all.push_back(std::move(property));
  add(all, "Description", bus::text("davit container " + id));
  add(all, "DefaultDependencies", bus::flag(false));
  add(all, "CollectMode", bus::text("inactive-or-failed"));
  for (const char* accounting : {"CPUAccounting", "MemoryAccounting", "TasksAccounting"})
    add(all, accounting, bus::flag(true));
  add(all, place.mode == host::CgroupMode::v2 ? "IOAccounting" : "BlockIOAccounting", bus::flag(true));
  if (!is_scope(place.unit)) return all;
  add(all, "Slice", bus::text(place.unit.slice));
  add(all, "Delegate", bus::flag(true));
  const auto pid = static_cast<std::uint64_t>(member);
  add(all, "PIDs", bus::array("u", {{.type = "u", .number = pid}}));
  return all;
}

/// Where the kernel says that the member is now: it is the one who knows.
Result<void> find_directories(Place& place, pid_t member) {
  const std::string path = systemd_cgroup_of(std::to_string(member), place.mode);
  if (!path.ends_with("/" + place.unit.name))
    return make_error(Code::system,
                      "systemd has not put the process into " + place.unit.name + ": it is in " + path);
  for (Directory& directory : place.directories) {
    const std::string expected = directory.path.substr(directory.mount_point.size());
    // What is mounted may begin further down than the paths that the kernel tells.
    if (exists(directory.mount_point + path) || !path.ends_with(expected))
      directory.path = directory.mount_point + path;
  }
  return {};
}

}  // namespace

bool needs_member(const Place& place) {
  return place.manager == Manager::systemd && is_scope(place.unit);
}

Result<void> make_unit(Place& place, const spec::Config& config, const std::string& id, pid_t member,
                       Undo& undo) {
  TRY(check_empty(place));
  bus::Systemd systemd = TRY(connect(place.unit));
  const std::vector<bus::Property> properties = TRY(all_properties(place, config, id, member, systemd));
  for (int attempt = 1;; ++attempt) {
    const auto started = systemd.start(place.unit.name, properties);
    // Not before: what was there is perhaps somebody else's.
    if (!started.ok() || *started)
      undo.push([&place] {
        std::vector<Error> unheard;
        Place hasty = place;
        hasty.unit.patience = std::min(place.unit.patience, kPatienceAfterFailure);
        stop_unit(hasty, unheard);
      });
    if (!started.ok()) return started.error();
    if (*started) break;
    TRY(check_empty(place));
    if (attempt == kAttempts)
      return make_error(Code::already_exists, "the unit " + place.unit.name + " exists already");
    (void)TRY(systemd.stop(place.unit.name));
    TRY(systemd.reset_failed(place.unit.name));
  }
  return is_scope(place.unit) ? find_directories(place, member) : Result<void>();
}

Result<void> update_unit(const Place& place, std::vector<Setting> settings) {
  settings = TRY(with_counterparts(std::move(settings), place.mode, [&place](const char* file) {
    return read_value(find_directory(place, "cpu")->path + "/" + file);
  }));
  std::vector<UnitProperty> wanted = TRY(unit_properties(settings, place.mode));
  if (wanted.empty()) return {};
  bus::Systemd systemd = TRY(connect(place.unit));
  const std::vector<bus::Property> properties = TRY(known_properties(std::move(wanted), systemd));
  if (TRY(systemd.set_properties(place.unit.name, properties))) return {};
  return make_error(Code::wrong_state, "systemd does not know the unit " + place.unit.name);
}

void take_back_update(const Place& place, const std::vector<Setting>& former) {
  Place hasty = place;
  hasty.unit.patience = std::min(place.unit.patience, kPatienceAfterFailure);
  (void)update_unit(hasty, former);
}

bool is_shut(const Place& place) {
  const Directory* v2 = unified(place);
  if (!place.unit.of_user || place.mode != host::CgroupMode::v2 || v2 == nullptr) return false;
  const std::string own = v2->mount_point + systemd_cgroup_of("self", place.mode) + "/";
  const std::string target = v2->path + "/";
  const auto differ = std::mismatch(own.begin(), own.end(), target.begin(), target.end()).first;
  const std::string common = own.substr(0, own.rfind('/', static_cast<std::size_t>(differ - own.begin())));
  return ::faccessat(AT_FDCWD, (common + "/cgroup.procs").c_str(), W_OK, AT_EACCESS) != 0;
}

Result<void> attach_to_unit(const Place& place, pid_t pid) {
  bus::Systemd systemd = TRY(connect(place.unit));
  return systemd.attach(place.unit.name, place.unit.subgroup, pid);
}

Result<void> make_subgroup(const Place& place, const Directory& directory) {
  const std::string path = directory.path + place.unit.subgroup;
  TRY(sys::make_directories(path, 0755));
  for (const pid_t pid : TRY(members(directory.path)))
    TRY(sys::write_file(path + "/cgroup.procs", std::to_string(pid)));
  if (place.mode != host::CgroupMode::v2) return {};
  const std::string offered = TRY(read_value(directory.path + "/cgroup.controllers"));
  std::string all;
  for (std::size_t begin = 0; begin < offered.size();) {
    const std::size_t end = std::min(offered.find(' ', begin), offered.size());
    all += "+" + offered.substr(begin, end - begin) + " ";
    begin = end + 1;
  }
  return all.empty() ? Result<void>() : sys::write_file(directory.path + "/cgroup.subtree_control", all);
}

void stop_unit(const Place& place, std::vector<Error>& warnings) {
  auto done = [&]() -> Result<void> {
    bus::Systemd systemd = TRY(connect(place.unit));
    // systemd would first ask them politely, and wait.
    if (!TRY(processes(place)).empty()) TRY(kill(place, SIGKILL));
    if (TRY(systemd.stop(place.unit.name))) TRY(systemd.reset_failed(place.unit.name));
    return {};
  }();
  if (done.ok()) return;
  warnings.push_back(done.error());
  warnings.back().wrap("the unit " + place.unit.name + " may be left");
}

}  // namespace davit::cgroup
