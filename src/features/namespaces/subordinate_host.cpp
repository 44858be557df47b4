// SPDX-License-Identifier: Apache-2.0
// The mappings of a user namespace whose config has none: what the caller may map anyway.
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "davit/base/fields.hpp"
#include "davit/features/namespaces.hpp"
#include "davit/host/users.hpp"
#include "davit/sys/file.hpp"

namespace davit::namespaces {
namespace {

bool read_number(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::vector<spec::IdMapping> mappings_of(const char* file, std::string_view name, uid_t user,
                                         std::uint32_t own) {
  std::vector<spec::IdMapping> mappings{{.container_id = 0, .host_id = own, .size = 1, .position = {}}};
  const auto text = sys::read_file(file);
  const spec::IdMapping range = text.ok() ? subordinate_range(*text, name, user) : spec::IdMapping{};
  if (range.size > 0) mappings.push_back({1, range.host_id, range.size, {}});
  return mappings;
}

}  // namespace

spec::IdMapping subordinate_range(std::string_view text, std::string_view name, std::uint32_t id) {
  const std::string number = std::to_string(id);
  while (!text.empty()) {
    std::string_view line = next_line(text);
    const std::string_view owner = next_field(line, ':');
    spec::IdMapping range;
    const bool is_owner = !owner.empty() && (owner == name || owner == number);
    if (is_owner && read_number(next_field(line, ':'), range.host_id) &&
        read_number(next_field(line, ':'), range.size))
      return range;
  }
  return {};
}

std::string unlisted_advice(std::string_view file, const spec::IdMapping& range, std::string_view key) {
  if (range.size == 0)
    return std::string(file) + " has no line for this user (`usermod --add-subuids`, --add-subgids)";
  const std::uint64_t last = std::uint64_t{range.host_id} + range.size - 1;
  return std::string(file) + " grants this user " + std::to_string(range.host_id) + "-" +
         std::to_string(last) + ", and the own id is free: keep to these in linux." + std::string(key) +
         ", or add a line there";
}

std::string unlisted_advice_for_caller(bool is_of_groups) {
  const char* file = is_of_groups ? "/etc/subgid" : "/etc/subuid";
  const auto text = sys::read_file(file);
  const spec::IdMapping range =
      text.ok() ? subordinate_range(*text, host::user_name(::geteuid()), ::geteuid()) : spec::IdMapping{};
  return unlisted_advice(file, range, is_of_groups ? "gidMappings" : "uidMappings");
}

void map_caller(spec::Config& config) {
  spec::Linux& linux = config.linux;
  if (!makes(config, spec::NamespaceType::user)) return;
  if (!linux.uid_mappings.empty() || !linux.gid_mappings.empty()) return;
  const std::string name = host::user_name(::geteuid());
  linux.uid_mappings = mappings_of("/etc/subuid", name, ::geteuid(), ::geteuid());
  linux.gid_mappings = mappings_of("/etc/subgid", name, ::geteuid(), ::getegid());
}

}  // namespace davit::namespaces
