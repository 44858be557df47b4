// SPDX-License-Identifier: Apache-2.0
#include "write_filter.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace davit::seccomp {
namespace {

using Operator = spec::SeccompOperator;
/// An instruction by its distance from the end.
using Place = std::size_t;

/// A program that is written from its end on, since a jump only goes forward, to what must have been written.
class Program {
 public:
  Place load(std::size_t offset) { return put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  Place mask(std::uint32_t bits) { return put(BPF_ALU | BPF_AND | BPF_K, bits); }
  Place answer(std::uint32_t action) { return put(BPF_RET | BPF_K, action); }

  /// `how`: BPF_JEQ, BPF_JGT or BPF_JGE.
  Place test(unsigned how, std::uint32_t value, Place yes, Place no) {
    // The second detour, if there is one, moves the first one further away.
    yes = near(yes, kReach - 1);
    no = near(no, kReach);
    return put(BPF_JMP | how | BPF_K, value, distance(yes), distance(no));
  }

  /// What is written next goes on at `place`.
  void go_on_at(Place place) {
    if (distance(place) != 0) put(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance(place)));
  }

  [[nodiscard]] bool reaches(Place place) const { return distance(place) < kReach / 2; }
  [[nodiscard]] std::size_t size() const { return code_.size(); }
  [[nodiscard]] Filter filter() const { return {{code_.rbegin(), code_.rend()}}; }

 private:
  static constexpr std::size_t kReach = 255;

  Place put(unsigned code, std::uint32_t value, std::size_t yes = 0, std::size_t no = 0) {
    const sock_filter instruction = {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes),
                                     static_cast<std::uint8_t>(no), value};
    code_.push_back(std::bit_cast<std::uint64_t>(instruction));
    return code_.size() - 1;
  }
  [[nodiscard]] std::size_t distance(Place place) const { return code_.size() - place - 1; }
  Place near(Place place, std::size_t reach) {
    if (distance(place) <= reach) return place;
    return put(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance(place)));
  }

  std::vector<std::uint64_t> code_;
};

/// The low half first in memory: davit runs on such machines only.
std::size_t low_half(std::uint32_t index) {
  static_assert(std::endian::native == std::endian::little);
  return offsetof(seccomp_data, args) + sizeof(std::uint64_t) * index;
}
std::size_t high_half(std::uint32_t index) {
  return low_half(index) + sizeof(std::uint32_t);
}

class TableWriter {
 public:
  TableWriter(Program& program, const Table& table) : program_(program), runs_(table.runs) {
    for (std::size_t i = 0; i < runs_.size(); ++i) weights_.push_back(weights_.back() + weight(i));
  }

  /// Returns the place that finds the answer for the number in the accumulator.
  Place write() { return branch(0, runs_.size()); }

 private:
  /// How often a run is asked for: the kernel goes through all numbers that have calls.
  [[nodiscard]] std::size_t weight(std::size_t i) const {
    constexpr std::size_t kMost = 128;
    return i + 1 == runs_.size() ? 1 : std::min<std::size_t>(runs_[i + 1].first - runs_[i].first, kMost);
  }

  Place branch(std::size_t begin, std::size_t end) {
    if (end - begin == 1) return leaf(runs_[begin]);
    if (is_hole(begin, end)) {
      const Place around = leaf(runs_[begin]);
      const Place within = leaf(runs_[begin + 1]);
      return program_.test(BPF_JEQ, runs_[begin + 1].first, within, around);
    }
    const std::size_t middle = split(begin, end);
    const Place upper = branch(middle, end);
    const Place lower = branch(begin, middle);
    return program_.test(BPF_JGE, runs_[middle].first, upper, lower);
  }

  /// One call between runs that get the same.
  [[nodiscard]] bool is_hole(std::size_t begin, std::size_t end) const {
    return end - begin == 3 && runs_[begin].rules.empty() && runs_[begin + 2].rules.empty() &&
           runs_[begin].action == runs_[begin + 2].action &&
           runs_[begin + 2].first - runs_[begin + 1].first == 1;
  }

  /// Where both sides weigh about the same.
  [[nodiscard]] std::size_t split(std::size_t begin, std::size_t end) const {
    const std::size_t half = (weights_[begin] + weights_[end]) / 2;
    const auto found = std::lower_bound(weights_.begin() + static_cast<std::ptrdiff_t>(begin) + 1,
                                        weights_.begin() + static_cast<std::ptrdiff_t>(end) - 1, half);
    return static_cast<std::size_t>(found - weights_.begin());
  }

  Place leaf(const Run& run) {
    Place next = answer(run.action);
    for (auto rule = run.rules.rbegin(); rule != run.rules.rend(); ++rule) {
      Place holds = answer(rule->action);
      for (auto condition = rule->conditions.rbegin(); condition != rule->conditions.rend(); ++condition)
        holds = compare(*condition, holds, next);
      next = holds;
    }
    return next;
  }

  /// One that is near enough is used again.
  Place answer(std::uint32_t action) {
    for (const auto& [known, place] : answers_)
      if (known == action && program_.reaches(place)) return place;
    return answers_.emplace_back(action, program_.answer(action)).second;
  }

  Place compare(const Condition& condition, Place holds, Place fails) {
    switch (condition.op) {
      case Operator::equal:
      case Operator::masked_equal:
        return equal(condition, holds, fails);
      case Operator::not_equal:
        return equal(condition, fails, holds);
      case Operator::greater:
        return greater(condition, BPF_JGT, holds, fails);
      case Operator::greater_or_equal:
        return greater(condition, BPF_JGE, holds, fails);
      case Operator::less:
        return greater(condition, BPF_JGE, fails, holds);
      case Operator::less_or_equal:
        return greater(condition, BPF_JGT, fails, holds);
    }
    return fails;
  }

  Place equal(const Condition& condition, Place holds, Place fails) {
    const Place low = equal_half(low_half(condition.index), static_cast<std::uint32_t>(condition.value),
                                 static_cast<std::uint32_t>(condition.mask), holds, fails);
    if (!condition.is_wide) return low;
    return equal_half(high_half(condition.index), static_cast<std::uint32_t>(condition.value >> 32),
                      static_cast<std::uint32_t>(condition.mask >> 32), low, fails);
  }

  Place equal_half(std::size_t offset, std::uint32_t value, std::uint32_t mask, Place holds, Place fails) {
    if (mask == 0) return holds;
    program_.test(BPF_JEQ, value, holds, fails);
    if (mask != 0xffffffff) program_.mask(mask);
    return program_.load(offset);
  }

  Place greater(const Condition& condition, unsigned how, Place holds, Place fails) {
    program_.test(how, static_cast<std::uint32_t>(condition.value), holds, fails);
    const Place low = program_.load(low_half(condition.index));
    if (!condition.is_wide) return low;
    const auto high = static_cast<std::uint32_t>(condition.value >> 32);
    const Place same = program_.test(BPF_JEQ, high, low, fails);
    program_.test(BPF_JGT, high, holds, same);
    return program_.load(high_half(condition.index));
  }

  Program& program_;
  const std::vector<Run>& runs_;
  std::vector<std::size_t> weights_ = {0};  ///< of all runs before each, and of all
  std::vector<std::pair<std::uint32_t, Place>> answers_;
};

}  // namespace

std::optional<Filter> write_filter(std::span<const Table> tables) {
  Program program;
  Place next = program.answer(SECCOMP_RET_KILL_THREAD);  // another architecture
  // From the last table to the first: the own architecture's is asked for first.
  std::vector<std::pair<std::uint32_t, Place>> entries;
  for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
    program.go_on_at(TableWriter(program, *table).write());
    entries.emplace_back(table->arch, program.load(offsetof(seccomp_data, nr)));
  }
  for (const auto& [arch, entry] : entries) next = program.test(BPF_JEQ, arch, entry, next);
  program.load(offsetof(seccomp_data, arch));
  if (program.size() > BPF_MAXINSNS) return std::nullopt;
  return program.filter();
}

}  // namespace davit::seccomp
