// SPDX-License-Identifier: Apache-2.0
#include "decide.hpp"

#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>

#include "davit/features/seccomp_calls.hpp"
#include "names.hpp"

namespace davit::seccomp {
namespace {

using Operator = spec::SeccompOperator;

constexpr std::uint64_t kLowHalf = 0xffffffff;
constexpr std::uint64_t kEnd = std::uint64_t{1} << 32;
constexpr std::uint32_t kX32Bit = 0x40000000;
/// The last system call of the numbering before all architectures count in step (Linux 5.1): a smaller number
/// is older than any profile in use.
constexpr std::uint32_t kLastOldCall = 423;
constexpr std::uint32_t kNewerCall = SCMP_ACT_ERRNO(ENOSYS);
/// What a tracer makes of a call that is to be skipped; libseccomp never takes it for one of x32.
constexpr std::uint64_t kSkippedCall = 0xffffffff;

/// x86's socketcall(2) and ipc(2): libseccomp gives their parts numbers below zero, and a rule for a part is
/// one for the whole with the part as first argument, and one for the call of its own that newer kernels
/// have.
struct Multiplexer {
  int first, last, hundreds;
  std::uint32_t call;
};
constexpr Multiplexer kMultiplexers[] = {{-120, -100, 100, 102}, {-224, -200, 200, 117}};
struct OwnCall {
  int part;
  std::uint32_t call;
};
constexpr OwnCall kOwnCalls[] = {{-101, 359}, {-102, 361}, {-103, 362}, {-104, 363}, {-106, 367}, {-107, 368},
                                 {-108, 360}, {-111, 369}, {-112, 371}, {-113, 373}, {-114, 366}, {-115, 365},
                                 {-116, 370}, {-117, 372}, {-118, 364}, {-119, 337}, {-120, 345}, {-202, 393},
                                 {-203, 394}, {-211, 400}, {-212, 401}, {-213, 399}, {-214, 402}, {-221, 397},
                                 {-222, 398}, {-223, 395}, {-224, 396}};

/// What the machine's kernel can run; the numbers of all others are left to libseccomp.
bool is_ours(std::uint32_t token) {
  if (token == SCMP_ARCH_NATIVE || token == ::seccomp_arch_native()) return true;
  switch (::seccomp_arch_native()) {
    case SCMP_ARCH_X86_64:
      return token == SCMP_ARCH_X86 || token == SCMP_ARCH_X32;
    case SCMP_ARCH_AARCH64:
      return token == SCMP_ARCH_ARM;
    default:
      return false;
  }
}

bool is_wide(std::uint32_t token) {
  return token == SCMP_ARCH_X86_64 || token == SCMP_ARCH_AARCH64;
}

/// Whether no value of the argument fulfils both; false if that is not obvious.
bool excludes(const Condition& left, const Condition& right) {
  if (left.index != right.index) return false;
  const bool is_equal = left.op == Operator::equal;
  if (is_equal && right.op == Operator::equal) return left.value != right.value;
  return left.value == right.value && ((is_equal && right.op == Operator::not_equal) ||
                                       (left.op == Operator::not_equal && right.op == Operator::equal));
}

bool excludes(const Rule& left, const Rule& right) {
  for (const Condition& one : left.conditions)
    for (const Condition& other : right.conditions)
      if (excludes(one, other)) return true;
  return false;
}

bool compares_twice(const spec::SeccompRule& rule) {
  unsigned seen = 0;
  for (const spec::SeccompArgument& argument : rule.args) {
    if ((seen & 1U << argument.index) != 0) return true;
    seen |= 1U << argument.index;
  }
  return false;
}

/// One way to fulfil a rule of the profile: libseccomp cannot compare an argument twice in a rule, and the
/// engines' profiles mean "or" there, as runc and crun read them.
struct Alternative {
  std::uint32_t action;
  std::span<const spec::SeccompArgument> arguments;
};

/// An alternative for one call.
struct Entry {
  std::uint32_t number;
  std::uint32_t part;  ///< of a multiplexer; 0: none
  const Alternative* alternative;
};

/// The conditions of a rule on one architecture, without those that hold always.
std::vector<Condition> conditions_of(const Entry& entry, bool wide) {
  std::vector<Condition> conditions;
  const std::uint64_t all = wide ? std::numeric_limits<std::uint64_t>::max() : kLowHalf;
  if (entry.part != 0) conditions.push_back({0, Operator::equal, wide, entry.part, all});
  for (const spec::SeccompArgument& argument : entry.alternative->arguments) {
    if (entry.part != 0 && argument.index == 0) continue;  // libseccomp puts the part in its place
    const bool masked = argument.op == Operator::masked_equal;
    const std::uint64_t mask = masked ? argument.value & all : all;
    if (mask == 0) continue;
    const std::uint64_t value = (masked ? argument.value_two : argument.value) & mask;
    conditions.push_back({argument.index, argument.op, wide, value, mask});
  }
  std::sort(conditions.begin(), conditions.end(),
            [](const Condition& left, const Condition& right) { return left.index < right.index; });
  return conditions;
}

/// libseccomp 2.5 turns a narrow "less or equal" around where it follows certain other comparisons.
bool is_turned_around(const Rule& rule) {
  bool turns = false;
  for (const Condition& condition : rule.conditions) {
    if (condition.op == Operator::less_or_equal && !condition.is_wide) {
      if (turns) return true;
      continue;
    }
    turns = condition.op != Operator::not_equal && condition.op != Operator::less;
  }
  return false;
}

bool is_about_equality(const Rule& rule) {
  return std::all_of(rule.conditions.begin(), rule.conditions.end(), [](const Condition& condition) {
    return condition.op == Operator::equal || condition.op == Operator::not_equal ||
           condition.op == Operator::masked_equal;
  });
}

/// Whether a rule is that very one, or has another action for the opposite of one of its conditions.
bool is_same_or_opposite(const Rule& rule, const Rule& all_equal) {
  if (rule.action == all_equal.action) return rule.conditions == all_equal.conditions;
  return rule.conditions.size() == 1 && rule.conditions[0].op == Operator::not_equal &&
         excludes(rule, all_equal);
}

/// Whether libseccomp takes the rules of a call for what they say. It merges them into one tree, and where
/// they overlap in some other way than these, that tree loses some of them.
bool are_taken_literally(const std::vector<Rule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (is_turned_around(rules[i])) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (rules[i].action != rules[j].action && !excludes(rules[i], rules[j])) return false;
  }
  if (rules.size() < 2) return true;
  const auto has_one = [](const Rule& rule) { return rule.conditions.size() == 1; };
  if (std::all_of(rules.begin(), rules.end(), has_one))
    return std::all_of(rules.begin(), rules.end(), is_about_equality);
  // As Podman has it: an error for one combination of arguments, and then leave for all that differs in one.
  const Rule& first = rules.front();
  for (const Condition& condition : first.conditions)
    if (condition.op != Operator::equal) return false;
  return std::all_of(rules.begin(), rules.end(),
                     [&first](const Rule& rule) { return is_same_or_opposite(rule, first); });
}

/// For one call: no filter holds more.
constexpr std::ptrdiff_t kMostRules = 1000;

class Decider {
 public:
  explicit Decider(const spec::Seccomp& seccomp)
      : seccomp_(seccomp), default_(encode(seccomp.default_action, seccomp.default_errno_ret)) {}

  std::optional<std::vector<Table>> decide() {
    std::vector<std::uint32_t> tokens = {::seccomp_arch_native()};
    for (const std::string& name : seccomp_.architectures) {
      const auto token = architecture_token(name);
      if (!token) continue;
      if (!is_ours(*token)) return std::nullopt;
      if (std::find(tokens.begin(), tokens.end(), *token) == tokens.end()) tokens.push_back(*token);
    }
    find_alternatives();
    const bool has_x32 = std::find(tokens.begin(), tokens.end(), SCMP_ARCH_X32) != tokens.end();
    std::vector<Table> tables;
    for (const std::uint32_t token : tokens) {
      if (token == SCMP_ARCH_X32) continue;  // a part of x86_64
      tables.push_back({token, {}});
      if (!fill(tables.back(), has_x32)) return std::nullopt;
    }
    return tables;
  }

  std::vector<std::uint32_t> tangled(std::uint32_t token) {
    find_alternatives();
    std::uint32_t last = 0;
    const std::vector<Entry> entries = entries_of(token, last);
    std::vector<std::uint32_t> numbers;
    Table table{token, {}};
    for (auto first = entries.begin(); first != entries.end();) {
      const auto beyond = end_of(first, entries.end());
      const bool fits = beyond - first <= kMostRules;
      if (fits && !put(table, token, {first, beyond})) numbers.push_back(first->number);
      first = beyond;
    }
    return numbers;
  }

 private:
  using Iterator = std::vector<Entry>::const_iterator;
  /// Where the entries for another call begin.
  static Iterator end_of(Iterator first, Iterator end) {
    return std::find_if(first, end, [first](const Entry& entry) { return entry.number != first->number; });
  }

  void find_alternatives() {
    for (const spec::SeccompRule& rule : seccomp_.syscalls) {
      const std::uint32_t action = encode(rule.action, rule.errno_ret);
      const std::span<const spec::SeccompArgument> arguments = rule.args;
      auto& all = alternatives_.emplace_back();
      if (action == default_) continue;  // says nothing
      if (!compares_twice(rule))
        all.push_back({action, arguments});
      else
        for (std::size_t i = 0; i < arguments.size(); ++i) all.push_back({action, arguments.subspan(i, 1)});
    }
  }

  bool fill(Table& table, bool has_x32) {
    if (table.arch != SCMP_ARCH_X86_64) return fill(table, table.arch, 0, kEnd);
    if (!fill(table, table.arch, 0, kX32Bit)) return false;
    if (has_x32) return fill(table, SCMP_ARCH_X32, kX32Bit, kEnd);
    if (has_stub()) return true;
    put(table, kX32Bit, SCMP_ACT_KILL_THREAD);
    put(table, kSkippedCall, default_);
    return true;
  }

  /// The runs of one architecture, whose numbers are those from `begin` up to `end`.
  bool fill(Table& table, std::uint32_t token, std::uint64_t begin, std::uint64_t end) {
    std::uint32_t last = static_cast<std::uint32_t>(begin) + kLastOldCall;
    const std::vector<Entry> entries = entries_of(token, last);
    std::uint64_t next = begin;
    for (auto first = entries.begin(); first != entries.end();) {
      const auto beyond = end_of(first, entries.end());
      if (first->number < next || first->number >= end) return false;
      if (first->number > next) put(table, next, default_);
      next = std::uint64_t{first->number} + 1;
      if (!put(table, token, {first, beyond})) return false;
      first = beyond;
    }
    if (next <= last || !has_stub()) put(table, next, default_);
    if (has_stub()) put(table, std::max<std::uint64_t>(next, std::uint64_t{last} + 1), kNewerCall);
    return true;
  }

  std::vector<Entry> entries_of(std::uint32_t token, std::uint32_t& last) const {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < alternatives_.size(); ++i)
      for (const std::string& name : seccomp_.syscalls[i].names) {
        const int number = ::seccomp_syscall_resolve_name_arch(token, name.c_str());
        if (number >= 0) last = std::max(last, static_cast<std::uint32_t>(number));
        for (const Alternative& alternative : alternatives_[i]) add(entries, token, number, alternative);
      }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& left, const Entry& right) { return left.number < right.number; });
    return entries;
  }

  static void add(std::vector<Entry>& entries, std::uint32_t token, int number,
                  const Alternative& alternative) {
    if (number >= 0) entries.push_back({static_cast<std::uint32_t>(number), 0, &alternative});
    if (number >= 0 || token != SCMP_ARCH_X86) return;
    for (const Multiplexer& whole : kMultiplexers)
      if (number >= whole.first && number <= whole.last)
        entries.push_back({whole.call, static_cast<std::uint32_t>(-number % whole.hundreds), &alternative});
    for (const OwnCall& own : kOwnCalls)
      if (own.part == number) entries.push_back({own.call, 0, &alternative});
  }

  /// Calls that are newer than the profile fail with ENOSYS instead of EPERM, so that a C library falls back
  /// to the older call. Only where the default is EPERM: any other default is somebody's decision.
  [[nodiscard]] bool has_stub() const { return default_ == SCMP_ACT_ERRNO(EPERM); }

  static void put(Table& table, std::uint64_t first, std::uint32_t action) {
    if (!table.runs.empty() && table.runs.back().rules.empty() && table.runs.back().action == action) return;
    table.runs.push_back({static_cast<std::uint32_t>(first), action, {}});
  }

  /// What all entries for one call come to. A rule without conditions ends it, the first one of several wins.
  bool put(Table& table, std::uint32_t token, std::span<const Entry> entries) const {
    Run run{entries.front().number, default_, {}};
    for (const Entry& entry : entries) {
      Rule rule{entry.alternative->action, conditions_of(entry, is_wide(token))};
      if (rule.conditions.empty()) {
        put(table, run.first, rule.action);
        return are_taken_literally(run.rules);  // one that was refused is missing elsewhere as well
      }
      run.rules.push_back(std::move(rule));
    }
    table.runs.push_back(std::move(run));
    return are_taken_literally(table.runs.back().rules);
  }

  const spec::Seccomp& seccomp_;
  std::uint32_t default_;
  std::vector<std::vector<Alternative>> alternatives_;  ///< of each rule; none where it says the default
};

}  // namespace

std::vector<std::string> calls_with_tangled_rules(const spec::Seccomp& seccomp) {
  std::vector<std::string> names;
  const std::uint32_t token = ::seccomp_arch_native();
  for (const std::uint32_t number : Decider(seccomp).tangled(token)) {
    const std::unique_ptr<char, decltype(&std::free)> name(
        ::seccomp_syscall_resolve_num_arch(token, static_cast<int>(number)), &std::free);
    if (name != nullptr) names.emplace_back(name.get());
  }
  return names;
}

std::optional<std::vector<Table>> decide(const spec::Seccomp& seccomp) {
  return Decider(seccomp).decide();
}

}  // namespace davit::seccomp
