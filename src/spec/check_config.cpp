// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "davit/spec/state.hpp"
#include "spec/sections.hpp"

namespace davit::spec {
namespace {

bool is_number(std::string_view text) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return !text.empty() && digits && (text == "0" || text.front() != '0');
}

bool is_identifiers(std::string_view text, bool numbers_plain) {
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    const bool letters = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    const bool digits = part.find_first_not_of("0123456789") == std::string_view::npos;
    if (part.empty() || !letters || (numbers_plain && digits && !is_number(part))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// SemVer 2.0.0: MAJOR.MINOR.PATCH[-pre-release][+build]; returns the major version or an empty view.
std::string_view major_version(std::string_view version) {
  const std::size_t plus = version.find('+');
  if (plus != std::string_view::npos && !is_identifiers(version.substr(plus + 1), false)) return {};
  version = version.substr(0, plus);
  const std::size_t dash = version.find('-');
  if (dash != std::string_view::npos && !is_identifiers(version.substr(dash + 1), true)) return {};
  version = version.substr(0, dash);
  const std::size_t first = version.find('.');
  const std::size_t second = first == std::string_view::npos ? first : version.find('.', first + 1);
  if (second == std::string_view::npos) return {};
  const std::string_view major = version.substr(0, first);
  const bool sane = is_number(major) && is_number(version.substr(first + 1, second - first - 1)) &&
                    is_number(version.substr(second + 1));
  return sane ? major : std::string_view();
}

void check_version(Report& report, const Config& config) {
  const std::string_view major = major_version(config.oci_version);
  const std::string shown = json::quoted(config.oci_version);
  if (major.empty())
    report.error(config.position, "ociVersion", text("not a semantic version: ", shown), "e.g. \"1.3.0\"");
  else if (major != "1")
    report.error(config.position, "ociVersion",
                 text("version ", shown, " of the specification is not supported"),
                 text("davit implements ", kOciVersionMin, " to ", kOciVersion));
}

void check_name(Report& report, const Position& position, std::string_view below, std::string_view name) {
  constexpr std::size_t kMaximumName = 64;
  if (name.size() > kMaximumName) report.error(position, below, "must be at most 64 bytes long");
}

bool has_option(const Mount& mount, std::string_view option) {
  return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
}

/// Without mappings of its own an idmapped mount takes those of the user namespace.
void check_idmap(Report& report, const Config& config) {
  const bool user_namespace = config.linux.find_namespace(NamespaceType::user) != nullptr;
  for (const Mount& mount : config.mounts) {
    const bool idmap = has_option(mount, "idmap") || has_option(mount, "ridmap");
    if (idmap && mount.uid_mappings.empty() && !user_namespace)
      report.error(mount.position, "options",
                   "an idmapped mount needs mappings, and there is no user namespace",
                   "set uidMappings and gidMappings of the mount");
  }
}

}  // namespace

void check(Report& report, Config& config) {
  check_version(report, config);
  check_name(report, config.position, "hostname", config.hostname);
  check_name(report, config.position, "domainname", config.domainname);
  check_idmap(report, config);
}

void check(Report& report, Root& root) {
  if (root.path.empty()) report.error(root.position, "path", "must not be empty");
}

void check(Report& report, Mount& mount) {
  if (mount.destination.empty()) report.error(mount.position, "destination", "must not be empty");
  if (!mount.destination.empty() && mount.destination.front() != '/')
    report.warning(mount.position, "destination", "a relative destination is deprecated",
                   "write an absolute path");
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
    report.error(mount.position, {}, "uidMappings and gidMappings must come together");
  if (has_option(mount, "idmap") && has_option(mount, "ridmap"))
    report.error(mount.position, "options", "idmap and ridmap exclude each other");
  check_mappings(report, mount.uid_mappings);
  check_mappings(report, mount.gid_mappings);
}

void check(Report& report, Hook& hook) {
  check_absolute(report, hook.position, "path", hook.path);
  if (hook.timeout == 0u) report.error(hook.position, "timeout", "must be greater than 0");
}

void check(Report& report, IdMapping& mapping) {
  if (mapping.size == 0) report.error(mapping.position, "size", "must be greater than 0");
  for (const auto& [first, key] :
       {std::pair(mapping.container_id, "containerID"), std::pair(mapping.host_id, "hostID")})
    if (std::uint64_t{first} + mapping.size > UINT32_MAX)
      report.error(mapping.position, key, "the range goes beyond the last id, 4294967294");
}

void check_mappings(Report& report, const std::vector<IdMapping>& mappings) {
  using First = std::uint32_t IdMapping::*;
  constexpr std::array kSides = {std::pair<First, std::string_view>(&IdMapping::container_id, "containerID"),
                                 std::pair<First, std::string_view>(&IdMapping::host_id, "hostID")};
  std::vector<const IdMapping*> sorted;
  for (const IdMapping& mapping : mappings) sorted.push_back(&mapping);
  for (const auto& [first, key] : kSides) {
    const First side = first;
    std::stable_sort(sorted.begin(), sorted.end(), [side](const IdMapping* left, const IdMapping* right) {
      return left->*side < right->*side;
    });
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (std::uint64_t{sorted[i - 1]->*side} + sorted[i - 1]->size > sorted[i]->*side)
        report.error(sorted[i]->position, key,
                     text("the range overlaps that of ", pointer_of(sorted[i - 1]->position)));
  }
}

}  // namespace davit::spec
