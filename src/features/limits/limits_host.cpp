// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "davit/features/limits.hpp"
#include "davit/sys/file.hpp"
#include "davit/sys/process.hpp"

namespace davit::limits {
namespace {

struct Resource {
  std::string_view name;
  int number;
};

constexpr Resource kResources[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

Text<24> number_text(std::uint64_t value) {
  if (value == RLIM64_INFINITY) return "unlimited";
  return Text<24>(std::to_string(value));
}

/// Says which of the kernel's rules was hit.
Error explain(const spec::Rlimit& limit, int resource, const Error& cause) {
  Text<768> message("error setting rlimit ");
  message.append(limit.type).append(" to ").append(number_text(limit.soft)).append(':');
  message.append(number_text(limit.hard));
  Error error = system_error(cause.errno_value, message);
  struct rlimit64 own = {};
  const auto which = static_cast<__rlimit_resource>(resource);
  if (cause.errno_value == EINVAL && limit.soft > limit.hard) error.advise("soft must not be above hard");
  if (cause.errno_value != EPERM || ::getrlimit64(which, &own) != 0) return error;
  Text<256> advice;
  if (limit.hard > own.rlim_max) {
    advice.append("davit runs with a hard limit of ").append(number_text(own.rlim_max));
    advice.append(
        " and without CAP_SYS_RESOURCE: lower the limit in the config, or raise the limit of the caller");
  } else {
    // setrlimit(2): NOFILE has a ceiling that not even privileges lift.
    advice.append("hard must not be above /proc/sys/fs/nr_open");
  }
  error.advise(advice);
  return error;
}

/// A stage is one process more of the same user, and the fork needs descriptors.
bool is_held_back(int resource) {
  return resource == RLIMIT_NPROC || resource == RLIMIT_NOFILE;
}

/// What is set now of a limit that the process will take later: lowering it then needs no privilege.
Result<struct rlimit> permission_for(pid_t pid, int resource, const struct rlimit& wanted) {
  struct rlimit now = TRY(sys::limit_of(pid, resource));
  if (wanted.rlim_cur > wanted.rlim_max) return wanted;  // for the kernel to refuse
  now.rlim_max = std::max(now.rlim_max, wanted.rlim_max);
  return now;
}

Result<void> set(pid_t pid, const spec::Rlimit& limit, bool forks) {
  const std::optional<int> resource = resource_of(limit.type);
  if (!resource)
    return spec::at(limit.position, "type",
                    make_error(Code::invalid_config, "unknown rlimit type " + limit.type));
  struct rlimit values = {};
  values.rlim_cur = limit.soft;
  values.rlim_max = limit.hard;
  if (forks && is_held_back(*resource)) values = TRY(permission_for(pid, *resource, values));
  const auto done = sys::set_limit(pid, *resource, values);
  if (!done.ok()) return spec::at(limit.position, explain(limit, *resource, done.error()));
  return {};
}

constexpr const char* kOwnScore = "/proc/self/oom_score_adj";

Result<void> adjust_oom_score(pid_t pid, const spec::Process& process, bool tolerant) {
  const std::string path = "/proc/" + std::to_string(pid) + "/oom_score_adj";
  const std::string value = std::to_string(*process.oom_score_adj);
  const auto written = sys::write_file(path, value);
  if (written.ok()) return {};
  Error error = written.error();
  const bool refused = error.errno_value == EACCES || error.errno_value == EPERM;
  if (refused && tolerant) return {};
  error.message = Text<768>("set oom_score_adj to ").append(value);
  if (refused) error.advise("lowering it below the caller's own needs CAP_SYS_RESOURCE");
  return spec::at(process.position, "oomScoreAdj", error);
}

}  // namespace

std::optional<int> resource_of(std::string_view type) {
  for (const Resource& resource : kResources)
    if (resource.name == type) return resource.number;
  return std::nullopt;
}

bool wanted(const spec::Process& process) {
  return !process.rlimits.empty() || process.oom_score_adj.has_value();
}

BirthScore::BirthScore(const spec::Process* process, bool privileged) {
  if (privileged || process == nullptr || !process->oom_score_adj) return;
  auto own = sys::read_file(kOwnScore);
  if (own.ok() && sys::write_file(kOwnScore, std::to_string(*process->oom_score_adj)).ok())
    own_ = std::move(*own);
}

BirthScore::~BirthScore() {
  if (!own_.empty()) (void)sys::write_file(kOwnScore, own_);
}

void compile_held_back(features::Compilation& out, const spec::Process& process) {
  for (const spec::Rlimit& limit : process.rlimits) {
    const std::optional<int> resource = resource_of(limit.type);
    if (!resource || !is_held_back(*resource)) continue;
    program::SetLimit operation;
    operation.resource = static_cast<std::uint32_t>(*resource);
    operation.soft = limit.soft;
    operation.hard = limit.hard;
    out.builder.emit(operation, out.origin(limit.position));
  }
}

Result<void> apply(pid_t pid, const spec::Process& process, bool tolerant, bool forks) {
  if (process.oom_score_adj) TRY(adjust_oom_score(pid, process, tolerant));
  for (const spec::Rlimit& limit : process.rlimits) TRY(set(pid, limit, forks));
  return {};
}

}  // namespace davit::limits
