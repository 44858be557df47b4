// SPDX-License-Identifier: Apache-2.0
#include <sys/capability.h>

#include <algorithm>

#include "davit/features/credentials.hpp"

namespace davit::credentials {
namespace {

using Names = std::vector<std::string>;

constexpr program::u64 bit(int number) {
  return program::u64{1} << number;
}

/// The kernel's number of a name in the spelling of the spec ("CAP_CHOWN"); libcap would also take others.
std::optional<int> number_of(std::string_view name, int last_capability) {
  if (!name.starts_with("CAP_")) return std::nullopt;
  const std::string text(name);
  cap_value_t number = -1;
  if (text != std::string_view(text.c_str()) || cap_from_name(text.c_str(), &number) != 0)
    return std::nullopt;
  if (number < 0 || number > last_capability || number > 63) return std::nullopt;
  return static_cast<int>(number);
}

/// More warnings than this tell nobody anything.
constexpr std::size_t kMostWarnings = 50;

void warn(features::Compilation& out, const spec::Capabilities& sets, std::string_view set, std::size_t index,
          const std::string& message, const std::string& advice = {}) {
  if (out.warnings.size() >= kMostWarnings) return;
  const std::string below = std::string(set) + "/" + std::to_string(index);
  Error warning = make_error(Code::unsupported, message);
  if (!advice.empty()) warning.advise(advice);
  out.warnings.push_back(spec::at(sets.position, below, warning));
}

/// "kill" and "KILL" as the spec writes them.
std::string full_name(std::string_view name) {
  std::string upper(name);
  for (char& letter : upper)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  return upper.starts_with("CAP_") ? upper : "CAP_" + upper;
}

/// The mask of one set; what the kernel cannot have is reported once per set, at its place.
program::u64 mask_of(features::Compilation& out, const spec::Capabilities& sets, const Names& names,
                     std::string_view set) {
  program::u64 mask = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto number = number_of(names[i], out.facts.last_capability)) {
      mask |= bit(*number);
      continue;
    }
    const std::string meant = full_name(names[i]);
    const bool is_slip = number_of(meant, out.facts.last_capability).has_value();
    warn(out, sets, set, i, "ignoring unknown or unavailable capability " + names[i],
         is_slip ? "did you mean " + meant + "?"
                 : "`davit features` lists those of this host; each must be named");
  }
  return mask;
}

void add_name(Names& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// Ambient capabilities that cannot be raised, as capabilities(7) has it, are left out with a warning.
program::u64 raisable(features::Compilation& out, const spec::Capabilities& sets, program::u64 ambient,
                      program::u64 possible, bool is_root) {
  // The example config of older runtimes: root has after execve(2) all that it lists without being ambient.
  if (is_root && sets.inheritable.empty() && sets.ambient == sets.permitted) return ambient & possible;
  for (std::size_t i = 0; i < sets.ambient.size(); ++i) {
    const auto number = number_of(sets.ambient[i], out.facts.last_capability);
    if (!number || (possible & bit(*number)) != 0) continue;
    warn(out, sets, "ambient", i,
         "can't raise ambient capability " + sets.ambient[i] + ": it is not both permitted and inheritable");
  }
  return ambient & possible;
}

}  // namespace

void compile_umask(features::Compilation& out, const spec::Process& process) {
  constexpr program::u32 kUsual = 0022;  // as with the peers, whatever davit's caller has
  program::SetUmask operation;
  operation.mask = process.user.umask.value_or(kUsual) & 0777;
  out.builder.emit(operation, out.origin(process.user.position, "umask"));
}

void compile_bounding(features::Compilation& out, const spec::Process& process) {
  program::DropBounding operation;
  operation.last = static_cast<std::uint32_t>(out.facts.last_capability);
  if (!process.capabilities) {
    out.builder.emit(operation, out.origin(process.position));
    return;
  }
  const spec::Capabilities& sets = *process.capabilities;
  operation.keep = mask_of(out, sets, sets.bounding, "bounding");
  out.builder.emit(operation, out.origin(sets.position, "bounding"));
}

void compile_user(features::Compilation& out, const spec::Config& config, const spec::Process& process,
                  IsUser is_user) {
  program::BecomeUser operation;
  operation.uid = process.user.uid;
  operation.gid = process.user.gid;
  const auto keep = config.annotations.find("run.oci.keep_original_groups");
  const bool is_asked = keep != config.annotations.end() && keep->second != "0" && keep->second != "false";
  // For users, whose groups open their own files. Real root's caller may be anybody, and his groups too:
  // there crun keeps them and runc does not.
  const bool has_user = config.linux.find_namespace(spec::NamespaceType::user) != nullptr;
  operation.keep_groups = is_asked && (has_user || !out.facts.privileged || is_user());
  if (operation.keep_groups == 0)
    operation.groups = out.builder.list(std::span<const program::u32>(process.user.additional_gids));
  // user_namespaces(7): without privileges outside, gid_map demands that setgroups is denied for good.
  operation.allow_no_setgroups = has_user;
  out.builder.emit(operation, out.origin(process.user.position));
}

void compile_capabilities(features::Compilation& out, const spec::Process& process, bool holds_admin) {
  program::SetCapabilities operation;
  if (holds_admin) operation.held = bit(CAP_SYS_ADMIN);
  if (!process.capabilities) {
    out.builder.emit(operation, out.origin(process.position));
    return;
  }
  const spec::Capabilities& sets = *process.capabilities;
  operation.permitted = mask_of(out, sets, sets.permitted, "permitted");
  operation.effective = mask_of(out, sets, sets.effective, "effective");
  operation.inheritable = mask_of(out, sets, sets.inheritable, "inheritable");
  operation.ambient = raisable(out, sets, mask_of(out, sets, sets.ambient, "ambient"),
                               operation.permitted & operation.inheritable, process.user.uid == 0);
  out.builder.emit(operation, out.origin(sets.position));
}

void compile_release(features::Compilation& out, const spec::Process& process) {
  out.builder.emit(program::ReleaseCapabilities{}, out.origin(process.position, "capabilities"));
}

void compile_no_new_privileges(features::Compilation& out, const spec::Process& process) {
  if (!process.no_new_privileges) return;
  out.builder.emit(program::NoNewPrivileges{}, out.origin(process.position, "noNewPrivileges"));
}

void add_capability(spec::Process& process, std::string_view name) {
  const std::string upper = full_name(name);
  if (!process.capabilities) process.capabilities.emplace();
  spec::Capabilities& sets = *process.capabilities;
  add_name(sets.bounding, upper);
  add_name(sets.effective, upper);
  add_name(sets.permitted, upper);
  const Names& inheritable = sets.inheritable;
  if (std::find(inheritable.begin(), inheritable.end(), upper) != inheritable.end())
    add_name(sets.ambient, upper);
}

bool may_trace(const std::optional<spec::Capabilities>& sets) {
  const auto has = [](const Names& names) {
    return std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return number_of(name, CAP_LAST_CAP) == CAP_SYS_PTRACE;  // in whatever letters it is granted
    });
  };
  return sets && (has(sets->bounding) || has(sets->permitted));
}

std::vector<std::string> all_capabilities() {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number) {
    char* name = cap_to_name(static_cast<cap_value_t>(number));
    std::string upper = name != nullptr ? name : "";
    cap_free(name);
    // libcap writes a number for what it has no name for.
    if (!upper.starts_with("cap_")) continue;
    for (char& letter : upper)
      if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    names.push_back(std::move(upper));
  }
  return names;
}

}  // namespace davit::credentials
