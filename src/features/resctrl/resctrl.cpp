// SPDX-License-Identifier: Apache-2.0
#include "davit/features/resctrl.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <string_view>

#include "davit/base/fields.hpp"
#include "features/resctrl/schemata.hpp"

namespace davit::resctrl {
namespace {

using Domains = std::map<std::string, std::string, std::less<>>;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

/// The kernel fills its masks up with zeros.
std::string plain_value(std::string_view text) {
  std::string value(trimmed(text));
  value.erase(0, std::min(value.find_first_not_of('0'), value.size()));
  std::transform(value.begin(), value.end(), value.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'F' ? static_cast<char>(letter | 0x20) : letter;
  });
  return value.empty() ? "0" : value;
}

/// "0=ff;1=f0" by domain.
Domains domains_of(std::string_view text) {
  Domains domains;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view one = text.substr(0, end);
    const std::size_t equals = one.find('=');
    if (equals != std::string_view::npos)
      domains[plain_value(one.substr(0, equals))] = plain_value(one.substr(equals + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return domains;
}

/// "L3" of "    L3:0=ff"; empty where a line has none.
std::string_view resource_of(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(0, colon));
}

Domains domains_in(std::string_view file, std::string_view resource) {
  const std::string_view line = line_in(file, resource);
  return line.empty() ? Domains() : domains_of(line.substr(line.find(':') + 1));
}

/// What a schemata file says of the resources that these are about.
std::string lines_about(std::string_view file, const Schemata& schemata) {
  const std::string all = schemata.l3_cache + "\n" + schemata.memory_bandwidth;
  std::string lines;
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view line = line_in(file, resource_of(next_line(rest)));
    // A resource may be named once.
    if (!line.empty() && lines.find(line) == std::string::npos) lines.append(line).append("\n");
  }
  return lines;
}

/// Whether every domain that a schema names has that value already.
bool matches(std::string_view file, std::string_view schema) {
  const std::size_t colon = schema.find(':');
  if (colon == std::string_view::npos) return false;
  const Domains present = domains_in(file, trimmed(schema.substr(0, colon)));
  const Domains wanted = domains_of(schema.substr(colon + 1));
  return !wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto found = present.find(entry.first);
    return found != present.end() && found->second == entry.second;
  });
}

Result<void> compare(Tree& tree, const Group& group, const spec::IntelRdt& wanted) {
  if (wanted.l3_cache_schema.empty() && wanted.mem_bw_schema.empty()) return {};
  const std::string file = TRY(tree.read(group.directory + "/schemata"));
  const auto check = [&](std::string_view member, const std::string& schema) -> Result<void> {
    if (schema.empty() || matches(file, schema)) return {};
    Error error =
        make_error(Code::invalid_config, group.directory + "/schemata has other values than " + schema);
    error.advise("a class that exists already is not changed: choose another closID, or its values");
    return spec::at(wanted.position, member, error);
  };
  TRY(check("l3CacheSchema", wanted.l3_cache_schema));
  return check("memBwSchema", wanted.mem_bw_schema);
}

/// The kernel says in a file of the root why it did not like what was written.
Error refusal(Tree& tree, const Group& group, Error error) {
  for (const std::string& root : {group.directory, group.directory.substr(0, group.directory.rfind('/'))}) {
    const auto status = tree.read(root + "/info/last_cmd_status");
    if (!status.ok()) continue;
    const std::string_view why = std::string_view(*status).substr(0, status->find('\n'));
    if (!why.empty() && why != "ok") error.message.append(": ").append(why);
    break;
  }
  return error;
}

Result<void> write_schemata(Tree& tree, const Group& group, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    if (!line.empty()) text += line + "\n";
  if (text.empty()) return {};
  const auto written = tree.write(group.directory + "/schemata", text);
  return written.ok() ? written : refusal(tree, group, written.error());
}

/// What `schemata` says comes last, and in a write of its own: the kernel refuses one that names a domain
/// twice.
Result<void> fill(Tree& tree, const Group& group, const spec::IntelRdt& wanted) {
  TRY(write_schemata(tree, group, {wanted.l3_cache_schema, wanted.mem_bw_schema}));
  return write_schemata(tree, group, wanted.schemata);
}

bool sets_anything(const spec::IntelRdt& wanted) {
  return !wanted.l3_cache_schema.empty() || !wanted.mem_bw_schema.empty() || !wanted.schemata.empty();
}

Result<void> make(Tree& tree, const std::string& directory, Undo& undo) {
  auto made = tree.make_directory(directory);
  if (!made.ok()) {
    if (made.error().errno_value == ENOSPC)
      made.error().advise(
          "the hardware has no more classes or monitors: remove a group below the resctrl mount");
    return made;
  }
  undo.push([&tree, directory] { (void)tree.remove_directory(directory); });
  return {};
}

}  // namespace

std::string_view line_in(std::string_view file, std::string_view resource) {
  while (!file.empty()) {
    const std::string_view line = next_line(file);
    if (!resource.empty() && resource_of(line) == resource) return trimmed(line);
  }
  return {};
}

Result<Group> choose(Tree& tree, const std::string& root, const spec::IntelRdt& wanted,
                     const std::string& id) {
  Group group;
  if (wanted.clos_id == "/")
    group.directory = root;
  else
    group.directory = root + "/" + (wanted.clos_id.empty() ? id : wanted.clos_id);
  const bool is_there = tree.has_directory(group.directory);
  if (!wanted.clos_id.empty() && !is_there && !sets_anything(wanted)) {
    Error error = make_error(Code::invalid_config, "there is no class of service " + group.directory);
    error.advise("make it before, or say with l3CacheSchema, memBwSchema or schemata what it shall be");
    return spec::at(wanted.position, "closID", error);
  }
  group.is_own = wanted.clos_id.empty() && !is_there;
  if (wanted.enable_monitoring) group.monitoring = group.directory + "/mon_groups/" + id;
  return group;
}

Result<void> prepare(Tree& tree, const Group& group, const spec::IntelRdt& wanted, Undo& undo) {
  const bool is_there = tree.has_directory(group.directory);
  if (is_there) {
    TRY(compare(tree, group, wanted));
  } else {
    Undo kept;  // a class with a name of its own is for others, too, once it is as it should be
    TRY(make(tree, group.directory, group.is_own ? undo : kept));
    const auto written = fill(tree, group, wanted);
    if (!written.ok()) return spec::at(wanted.position, written.error());
    kept.commit();
  }
  if (is_there) {
    const auto written = write_schemata(tree, group, wanted.schemata);
    if (!written.ok()) return spec::at(wanted.position, "schemata", written.error());
  }
  if (group.monitoring.empty()) return {};
  const auto made = make(tree, group.monitoring, undo);
  return made.ok() ? made : Result<void>(spec::at(wanted.position, "enableMonitoring", made.error()));
}

std::vector<std::string> task_paths(const Group& group) {
  std::vector<std::string> paths;
  if (group.exists()) paths.push_back(group.directory + "/tasks");
  // Only a member of the class can become one of a monitoring group in it.
  if (!group.monitoring.empty()) paths.push_back(group.monitoring + "/tasks");
  return paths;
}

Result<void> update(Tree& tree, const Group& group, const Schemata& schemata, Undo& undo) {
  if (schemata.l3_cache.empty() && schemata.memory_bandwidth.empty()) return {};
  if (!group.exists()) {
    Error error = make_error(Code::wrong_state, "the container was created without linux.intelRdt");
    return error.advise("cache and memory bandwidth are those of the default class, which is everybody's");
  }
  const std::string file = group.directory + "/schemata";
  // Before it is written: the kernel may take one line and refuse the next.
  const std::string former = lines_about(TRY(tree.read(file)), schemata);
  undo.push([&tree, file, former] { (void)tree.write(file, former); });
  return write_schemata(tree, group, {schemata.l3_cache, schemata.memory_bandwidth});
}

Result<void> remove(Tree& tree, const Group& group) {
  Result<void> monitoring;
  if (!group.monitoring.empty()) monitoring = tree.remove_directory(group.monitoring);
  if (group.is_own) TRY(tree.remove_directory(group.directory));
  return monitoring;
}

}  // namespace davit::resctrl
