// SPDX-License-Identifier: Apache-2.0
// cgroupsPath for systemd: which unit, in which slice, and where its cgroup will be.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "davit/sys/file.hpp"
#include "features/cgroup/tree.hpp"
#include "features/cgroup/unit.hpp"

namespace davit::cgroup {
namespace {

constexpr std::string_view kSlice = ".slice";
constexpr std::string_view kScope = ".scope";
constexpr std::size_t kLongestName = 255;  // UNIT_NAME_MAX of systemd, a file name

Error invalid(const std::string& why) {
  Error error = make_error(Code::invalid_config, why);
  return error.advise(
      "with the systemd cgroup driver it is slice:prefix:name, e.g. machine.slice:libpod:web");
}

/// systemd.unit(5): what a name may consist of.
bool has_only_unit_characters(std::string_view name) {
  constexpr std::string_view kOthers = ":-_.\\@";
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

/// systemd.slice(5): dashes are levels, so that none may be empty.
Result<void> check_slice(const std::string& slice) {
  const auto bad = [&](const char* why) { return invalid("slice \"" + slice.substr(0, 80) + "\" " + why); };
  if (slice == "-.slice") return {};
  if (!slice.ends_with(kSlice) || slice.size() == kSlice.size()) return bad("does not end in .slice");
  if (slice.find('/') != std::string::npos)
    return bad("has a slash; the slices above it are in its name: a-b.slice is in a.slice");
  const std::string levels = slice.substr(0, slice.size() - kSlice.size());
  if (levels.front() == '-' || levels.back() == '-' || levels.find("--") != std::string::npos)
    return bad("has an empty level between its dashes");
  if (slice.size() > kLongestName || !has_only_unit_characters(slice)) return bad("is no name of a unit");
  return {};
}

Result<void> check_unit(const std::string& unit) {
  if (unit.ends_with(kSlice)) return check_slice(unit);
  if (unit.size() > kLongestName || !has_only_unit_characters(unit) || unit.find('@') != std::string::npos)
    return invalid("\"" + unit.substr(0, 80) + "\" is no name of a scope");
  return {};
}

/// Our effective uid as the real root knows it.
std::string outer_uid() {
  const auto map = sys::read_record("/proc/self/uid_map");
  const unsigned long own = ::geteuid();
  const char* at = map.ok() ? map->c_str() : "";
  for (char* end = nullptr; *at != '\0'; at = end) {
    const unsigned long inner = std::strtoul(at, &end, 10);
    const unsigned long outer = std::strtoul(end, &end, 10);
    const unsigned long count = std::strtoul(end, &end, 10);
    if (own >= inner && own - inner < count) return std::to_string(outer + (own - inner));
    if (end == at || *end != '\n') break;
    ++end;
  }
  return std::to_string(own);
}

/// The cgroup below which a manager makes its slices: that of the user's is in the middle of our own path, if
/// it has started us; the other one is process 1.
std::string root_of_manager(bool of_user, host::CgroupMode mode) {
  if (!of_user) {
    std::string root = systemd_cgroup_of("1", mode);
    constexpr std::string_view kInit = "/init.scope";
    if (root.ends_with(kInit)) root.resize(root.size() - kInit.size());
    return root == "/" ? "" : root;
  }
  const std::string uid = outer_uid();
  const std::string service = "/user@" + uid + ".service";
  const std::string own = systemd_cgroup_of("self", mode) + "/";
  const std::size_t at = own.find(service + "/");
  return at != std::string::npos ? own.substr(0, at + service.size())
                                 : "/user.slice/user-" + uid + ".slice" + service;
}

/// Root talks to the system's manager, a user to his own. In a user namespace root may be either: whose
/// socket lets him in is the one.
bool is_of_user() {
  if (::geteuid() != 0) return true;
  return unprivileged() && ::access("/run/systemd/private", W_OK) != 0;
}

}  // namespace

std::string systemd_cgroup_of(const std::string& process, host::CgroupMode mode) {
  const std::string_view name = mode == host::CgroupMode::v2 ? "::" : ":name=systemd:";
  const auto text = sys::read_record("/proc/" + process + "/cgroup");
  for (std::size_t begin = 0; text.ok() && begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string line = text->substr(begin, end - begin);
    const std::size_t at = line.find(':');
    if (line.compare(std::min(at, line.size()), name.size(), name) == 0) return line.substr(at + name.size());
    begin = end + 1;
  }
  return {};
}

std::string slice_path(std::string_view slice) {
  std::string path;
  if (slice == "-.slice") return path;
  const std::string_view levels = slice.substr(0, slice.size() - kSlice.size());
  for (std::size_t dash = levels.find('-');; dash = levels.find('-', dash + 1)) {
    path.append("/").append(levels.substr(0, dash)).append(kSlice);
    if (dash == std::string_view::npos) return path;
  }
}

Result<UnitName> unit_name(std::string_view cgroups_path, std::string_view id, bool of_user) {
  std::string slice;
  std::string prefix = "davit";
  std::string name(id);
  if (!cgroups_path.empty()) {
    const std::size_t first = cgroups_path.find(':');
    const std::size_t second = first == std::string_view::npos ? first : cgroups_path.find(':', first + 1);
    if (second == std::string_view::npos || cgroups_path.find(':', second + 1) != std::string_view::npos)
      return invalid(
          "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"" +
          std::string(cgroups_path.substr(0, 200)) + "\" instead");
    slice = cgroups_path.substr(0, first);
    prefix = cgroups_path.substr(first + 1, second - first - 1);
    name = cgroups_path.substr(second + 1);
    if (name.empty()) return invalid("cgroupsPath has no name after the last colon");
  }
  UnitName result;
  result.slice = !slice.empty() ? slice : of_user ? "user.slice" : "system.slice";
  // Engines name a slice where the pod's own is meant.
  result.unit = name.ends_with(kSlice) ? name : prefix + "-" + name + std::string(kScope);
  TRY(check_slice(result.slice));
  TRY(check_unit(result.unit));
  return result;
}

Result<Place> choose_unit(const spec::Config& config, const std::string& id,
                          const host::CgroupLayout& layout) {
  Place place;
  place.manager = Manager::systemd;
  place.mode = layout.mode;
  place.unit.of_user = is_of_user();
  auto name = unit_name(config.linux.cgroups_path, id, place.unit.of_user);
  if (!name.ok()) return spec::at(config.linux.position, "cgroupsPath", name.error());
  place.unit.name = name->unit;
  place.unit.slice = name->slice;
  if (place.mode == host::CgroupMode::v2) place.unit.subgroup = TRY(subgroup_of(config));
  TRY(delegated_of(config));  // a bad name is refused before anything is made
  // A slice's place is in its own name.
  const bool is_slice = name->unit.ends_with(kSlice);
  const std::string path = root_of_manager(place.unit.of_user, place.mode) +
                           (is_slice ? slice_path(name->unit) : slice_path(name->slice) + "/" + name->unit);
  for (const host::Hierarchy& hierarchy : layout.hierarchies)
    place.directories.push_back({hierarchy.controllers, hierarchy.mount_point + path, hierarchy.mount_point});
  return place;
}

}  // namespace davit::cgroup
