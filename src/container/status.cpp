// SPDX-License-Identifier: Apache-2.0
#include "davit/container/status.hpp"

#include <array>
#include <string>

namespace davit::container {

namespace {

using spec::Status;

constexpr std::uint8_t bit(Status status) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(status));
}
constexpr std::uint8_t kAlive = bit(Status::created) | bit(Status::running) | bit(Status::paused);
constexpr std::uint8_t kAny = kAlive | bit(Status::creating) | bit(Status::stopped);

struct Rule {
  Operation operation;
  std::uint8_t allowed;      ///< set of statuses
  std::string_view refusal;  ///< for all other statuses; "{}" stands for the status, "{id}" for the id
};

// The one place that says what may be done when. `created` may be deleted, as engines expect: it is killed.
constexpr std::array<Rule, kOperations> kRules = {{
    {Operation::start, bit(Status::created), "cannot start a container in the {} state"},
    {Operation::exec, bit(Status::created) | bit(Status::running), "cannot exec in a {} container"},
    {Operation::kill, kAlive, "container not running"},
    {Operation::remove, bit(Status::created) | bit(Status::stopped),
     "cannot delete container {id} that is not stopped: {}"},
    {Operation::force_remove, kAny, ""},
    {Operation::pause, bit(Status::created) | bit(Status::running),
     "cannot pause a {} container: container not running"},
    {Operation::resume, bit(Status::paused), "cannot resume a {} container: container not paused"},
    {Operation::update, kAlive, "cannot update a {} container: container not running"},
    {Operation::processes, kAlive | bit(Status::stopped), "cannot list the processes of a {} container"},
    {Operation::observe, kAlive, "cannot watch a {} container: container not running"},
    {Operation::change_mounts, kAlive, "cannot change the mounts of a {} container: container not running"},
    {Operation::checkpoint, bit(Status::running) | bit(Status::paused),
     "cannot checkpoint a {} container: container not running"},
}};

constexpr bool rules_are_in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i)
    if (static_cast<std::size_t>(kRules[i].operation) != i) return false;
  return true;
}
static_assert(rules_are_in_order());

// Some refusals have words of their own that engines or people know.
struct Special {
  Operation operation;
  Status status;
  std::string_view refusal;
};
constexpr std::array<Special, 4> kSpecials = {{
    {Operation::start, Status::running, "cannot start an already running container"},
    {Operation::start, Status::stopped, "cannot start a container that has stopped"},
    {Operation::exec, Status::paused, "cannot exec in a paused container (use --ignore-paused to override)"},
    {Operation::pause, Status::paused, "cannot pause a paused container: it is paused already"},
}};

std::string_view advice_for(Operation operation, Status status) {
  if (status == Status::creating) return "another davit is still creating it";
  if (operation == Operation::remove) return "kill it first, or use delete --force";
  if (operation == Operation::start && status == Status::paused) return "resume it first";
  return {};
}

}  // namespace

Status derive_status(Evidence& evidence) {
  if (!evidence.has_init()) return evidence.being_created() ? Status::creating : Status::stopped;
  if (!evidence.init_alive()) return Status::stopped;
  // Before `created`: whatever wants to talk to a frozen init would wait for ever.
  if (evidence.frozen()) return Status::paused;
  return evidence.waits_for_start() ? Status::created : Status::running;
}

Result<void> check_allowed(Operation operation, Status status, std::string_view id) {
  const Rule& rule = kRules[static_cast<std::size_t>(operation)];
  if ((rule.allowed & bit(status)) != 0) return {};
  std::string text(rule.refusal);
  for (const Special& special : kSpecials)
    if (special.operation == operation && special.status == status) text = special.refusal;
  if (const auto at = text.find("{id}"); at != std::string::npos) text.replace(at, 4, id);
  if (const auto at = text.find("{}"); at != std::string::npos)
    text.replace(at, 2, spec::status_name(status));
  Error error = make_error(Code::wrong_state, text);
  error.advise(advice_for(operation, status));
  return error;
}

}  // namespace davit::container
