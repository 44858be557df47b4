// SPDX-License-Identifier: Apache-2.0
#include "faults/verdict.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <set>

namespace faults {
namespace {

using What = Finding::What;

struct ErrorName {
  int value;
  const char* name;
};
constexpr ErrorName kErrors[] = {{EPERM, "EPERM"},      {ENOMEM, "ENOMEM"}, {EINVAL, "EINVAL"},
                                 {ENOSYS, "ENOSYS"},    {ENOSPC, "ENOSPC"}, {EINTR, "EINTR"},
                                 {Fault::kKill, "KILL"}};
constexpr const char* kWhat[] = {"nothing", "not reached",   "residue", "fail-open",
                                 "hang",    "false success", "silent"};

std::string error_name(int value) {
  for (const auto& error : kErrors)
    if (error.value == value) return error.name;
  return std::to_string(value);
}

/// The first lines in which two texts differ.
std::string difference(const std::string& expected, const std::string& found) {
  const auto left = support::split(expected, '\n');
  const auto right = support::split(found, '\n');
  const std::multiset<std::string> before(left.begin(), left.end());
  const std::multiset<std::string> after(right.begin(), right.end());
  std::string text;
  // What came instead first: it is short, and says why.
  for (const auto& line : after)
    if (before.count(line) < after.count(line)) text += "+" + line + "; ";
  for (const auto& line : before)
    if (after.count(line) < before.count(line)) text += "-" + line + "; ";
  return text.substr(0, 700);
}

/// What a runtime may do otherwise when a call fails: the same for whoever is inside, by other means. A /sys
/// that may not be mounted is the host's, with the cgroups that are mounted there below the container's own.
struct Fallback {
  long call;
  int error;         ///< 0: any
  const char* line;  ///< what begins a line that may be there instead
};
constexpr Fallback kFallbacks[] = {
    {SYS_fsopen, 0, "mount /.. /sys/fs/cgroup"},
    {SYS_fsconfig, 0, "mount /.. /sys/fs/cgroup"},
    {SYS_fsmount, 0, "mount /.. /sys/fs/cgroup"},
    {SYS_fsopen, 0, "mount / /sys/fs/cgroup ro"},
    {SYS_fsconfig, 0, "mount / /sys/fs/cgroup ro"},
    {SYS_fsmount, 0, "mount / /sys/fs/cgroup ro"},
    {SYS_mknodat, 0, "mount /null /dev/null ro"},
    {SYS_mknodat, 0, "mount /zero /dev/zero ro"},
    {SYS_mknodat, 0, "mount /full /dev/full ro"},
    {SYS_mknodat, 0, "mount /random /dev/random ro"},
    {SYS_mknodat, 0, "mount /urandom /dev/urandom ro"},
    {SYS_mknodat, 0, "mount /tty /dev/tty ro"},
    {SYS_keyctl, ENOSYS, "session keyring "},  // with a warning: the kernel has none
    {SYS_prctl, EPERM, "CapAmb"},              // with a warning: less than was asked for
};

/// A terminal that davit itself has served goes with it.
std::string without_terminal(const std::string& text) {
  std::string rest;
  for (const auto& line : support::split(text, '\n'))
    if (line.rfind("terminal ", 0) != 0 && line.find(" /dev/console ") == std::string::npos)
      rest += line + "\n";
  return rest;
}

std::string without_fallbacks(const std::string& text, long call, int error) {
  std::string rest;
  for (const auto& line : support::split(text, '\n')) {
    const bool is_one =
        std::any_of(std::begin(kFallbacks), std::end(kFallbacks), [&](const Fallback& fallback) {
          return fallback.call == call && (fallback.error == 0 || fallback.error == error) &&
                 line.rfind(fallback.line, 0) == 0;
        });
    if (!is_one) rest += line + "\n";
  }
  return rest;
}

/// Who is killed is the runtime itself.
bool is_killed(const Fault& fault) {
  return fault.process == 0 && fault.error == Fault::kKill;
}

/// Not that of the undisturbed run: a process that had to wait has made other calls.
long struck_call(const Result& result, const Fault& fault) {
  const auto index = static_cast<std::size_t>(fault.process);
  if (index >= result.processes.size()) return -1;
  const std::vector<long>& calls = result.processes[index].calls;
  return fault.call < calls.size() ? calls[fault.call] : -1;
}

std::string on_one_line(std::string text) {
  for (char& c : text) c = c == '\n' ? '|' : c;
  return text;
}

}  // namespace

std::size_t Tally::injections() const {
  std::size_t injections = 0;
  for (const std::size_t count : counts_) injections += count;
  return injections - counts_[static_cast<std::size_t>(What::not_reached)];
}

std::string Tally::line() const {
  std::string text = "faults: " + std::to_string(injections()) + " injections";
  for (const What what : {What::residue, What::fail_open, What::hang, What::false_success, What::silent})
    text += std::string(", ") + kWhat[static_cast<std::size_t>(what)] + " " +
            std::to_string(counts_[static_cast<std::size_t>(what)]);
  return text;
}

std::string Judge::learn() {
  const std::string why = learn_twice();
  if (!why.empty()) scenario_.sweep_up();
  return why;
}

std::string Judge::learn_twice() {
  // The first one fills caches, the second must find nothing else.
  scenario_.learn_clean();
  for (int round = 0; round < 2; ++round) {
    if (const std::string why = scenario_.prepare(); !why.empty()) return why;
    standing_ = scenario_.standing();
    undisturbed_ = trace(scenario_.command(), {});
    if (undisturbed_.hung) return "no end after " + std::to_string(undisturbed_.took_ms) + " ms";
    if (undisturbed_.status != 0)
      return "status " + std::to_string(undisturbed_.status) + ": " + undisturbed_.err;
    effect_ = scenario_.effect();
    if (const std::string why = scenario_.remove(); !why.empty()) return why;
    if (const std::string left = scenario_.residue(); !left.empty()) return "it leaves " + left;
    if (round == 0) scenario_.learn_clean();
  }
  scenario_.be_patient(1000 + 10 * undisturbed_.took_ms);
  return effect_.empty() && scenario_.kind().verb->effect != Verb::Effect::gone ? "no effect" : "";
}

/// Where the runtime's main() begins: before it, libc starts up, and dies of a failure without a word,
/// whatever the program. Of davit's own calls the first is close_range, which libc does not make.
std::size_t Judge::first_own_call() const {
  const auto& calls = undisturbed_.processes[0].calls;
  const auto found = std::find(calls.begin(), calls.end(), SYS_close_range);
  return found == calls.end() ? 0 : static_cast<std::size_t>(found - calls.begin());
}

std::vector<Fault> Judge::all_faults() const {
  std::vector<Fault> faults;
  for (std::size_t process = 0; process < undisturbed_.processes.size(); ++process) {
    // What a runtime with threads does when is not the same twice, and whoever dies takes the others along.
    if (undisturbed_.processes[process].role == "thread") continue;
    for (std::size_t call = 0; call < undisturbed_.processes[process].calls.size(); ++call)
      for (const auto& error : kErrors) {
        const bool is_own = process != 0 || call >= first_own_call();
        if (error.value == Fault::kKill || (is_own && can_fail(undisturbed_.processes[process].calls[call])))
          faults.push_back({static_cast<int>(process), call, error.value});
      }
  }
  return faults;
}

Finding Judge::inject(const Fault& fault) {
  if (const std::string why = scenario_.prepare(); !why.empty()) {
    scenario_.sweep_up();
    return {What::residue, "the next container cannot be made: " + why};
  }
  if (scenario_.kind().verb->reverts) standing_ = scenario_.standing();
  Command command = scenario_.command();
  command.limit_ms = 10000 + 20 * undisturbed_.took_ms;
  const Result result = trace(command, fault);
  last_error_ = result.err;
  struck_ = struck_call(result, fault);
  Finding finding = judge(fault, result);
  if (finding.what == What::hang) {
    scenario_.sweep_up();
    return finding;
  }
  const std::string refusal = scenario_.remove();
  const std::string left = scenario_.residue();
  if (finding.is_fault() || (refusal.empty() && left.empty())) {
    if (finding.is_fault()) scenario_.sweep_up();
    return finding;
  }
  scenario_.sweep_up();
  return {What::residue, "after delete --force: " + refusal + left};
}

Finding Judge::judge(const Fault& fault, const Result& result) {
  if (result.hung) return {What::hang, "no end after " + std::to_string(result.took_ms) + " ms"};
  if (!result.was_hit) return {What::not_reached, ""};
  // Who is killed, or may not put it back, leaves the terminal as it is.
  const bool is_excused = is_killed(fault) || (fault.process == 0 && struck_ == SYS_ioctl);
  if (!is_excused && !scenario_.terminal_is_as_before())
    return {What::residue, "the caller's terminal has other settings than before"};
  return result.status == 0 ? judge_success(fault) : judge_failure(fault, result);
}

bool Judge::is_same(const std::string& effect, const Fault& fault) const {
  if (is_killed(fault) && scenario_.is_in_foreground() &&
      without_terminal(effect) == without_terminal(effect_))
    return true;
  return effect == effect_ ||
         without_fallbacks(effect, struck_, fault.error) == without_fallbacks(effect_, struck_, fault.error);
}

/// Whoever was ended while it wrote down what it sees has seen nothing else.
bool Judge::is_begin_of_same(const std::string& seen) const {
  const auto all = support::split(effect_, '\n');
  for (const auto& line : support::split(seen, '\n'))
    if (std::none_of(all.begin(), all.end(), [&](const auto& known) { return known.rfind(line, 0) == 0; }))
      return false;
  return seen.find("\nend\n") == std::string::npos;
}

/// Init dies of its last calls while it waits for its start: create had nothing more to wait for, and start
/// says what is the matter, whether it comes before that death or after it.
bool Judge::is_death_in_waiting(const Fault& fault, const std::string& effect) const {
  constexpr std::size_t kLast = 4;  // the word that it may outlive davit, and the wait
  const auto index = static_cast<std::size_t>(fault.process);
  if (fault.process == 0 || index >= undisturbed_.processes.size()) return false;
  return scenario_.kind().verb->name == std::string("create") &&
         fault.call + kLast >= undisturbed_.processes[index].calls.size() &&
         (effect.find("cannot start a container that has stopped") != std::string::npos ||
          effect.find("init ended unexpectedly") != std::string::npos);
}

Finding Judge::judge_success(const Fault& fault) {
  const std::string effect = scenario_.effect();
  if (is_same(effect, fault) || is_death_in_waiting(fault, effect)) return {};
  const bool is_inside = scenario_.kind().verb->effect == Verb::Effect::process ||
                         scenario_.kind().verb->effect == Verb::Effect::more;
  const bool has_run = is_inside && !scenario_.seen_inside().empty();
  return {has_run ? What::fail_open : What::false_success, difference(effect_, effect)};
}

Finding Judge::judge_failure(const Fault& fault, const Result& result) {
  const Verb& verb = *scenario_.kind().verb;
  const bool is_inside = verb.effect == Verb::Effect::process || verb.effect == Verb::Effect::more;
  const std::string seen = is_inside ? scenario_.seen_inside() : "";
  if (!seen.empty() && !is_same(seen, fault) && !is_begin_of_same(seen))
    return {What::fail_open, "and it failed: " + difference(effect_, seen)};
  // A runtime that was killed can neither say a word nor put anything right.
  if (is_killed(fault)) return {};
  if (support::trim(result.err).empty()) return {What::silent, "status " + std::to_string(result.status)};
  if (!verb.reverts) return {};
  std::string standing;
  const bool is_back =
      verb.before == Verb::Before::nothing
          ? (standing = scenario_.residue()).empty()
          : support::eventually([&] { return (standing = scenario_.standing()) == standing_; }, 3000);
  return is_back ? Finding() : Finding{What::residue, difference(standing_, standing)};
}

std::string Judge::describe(const Fault& fault, const Finding& finding) const {
  const auto index = static_cast<std::size_t>(fault.process);
  const std::string role = index < undisturbed_.processes.size() ? undisturbed_.processes[index].role : "?";
  return std::string("FAULT ") + kWhat[static_cast<std::size_t>(finding.what)] + ": " +
         scenario_.kind().name() + ": " + role + " call " + std::to_string(fault.call) + " " +
         call_name(struck_) + " " + error_name(fault.error) +
         ": DAVIT_FAULTS_AT=" + std::to_string(fault.process) + ":" + std::to_string(fault.call) + ":" +
         error_name(fault.error) + " --gtest_filter='*/" + scenario_.kind().name() +
         "': " + on_one_line(finding.detail + " [" + last_error_ + "]");
}

Fault Judge::parse(const std::string& text) {
  const auto parts = support::split(text, ':');
  Fault fault;
  if (parts.size() != 3) return fault;
  fault.process = atoi(parts[0].c_str());
  fault.call = static_cast<std::size_t>(atol(parts[1].c_str()));
  for (const auto& error : kErrors)
    if (parts[2] == error.name) fault.error = error.value;
  return fault;
}

}  // namespace faults
