// SPDX-License-Identifier: Apache-2.0
// Compares the filter that davit makes of a profile with libseccomp's, call by call.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "davit/spec/config.hpp"
#include "features/seccomp/decide.hpp"
#include "features/seccomp/library.hpp"
#include "features/seccomp/write_filter.hpp"
#include "fuzz/config_harness.hpp"

namespace davit::fuzz {

/// What the kernel's BPF machine makes of a call, for the instructions that occur in filters; none for a
/// program that the kernel would not take.
inline std::optional<std::uint32_t> verdict(const seccomp::Filter& filter, const seccomp_data& data) {
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < filter.instructions.size(); ++at) {
    const auto step = std::bit_cast<sock_filter>(filter.instructions[at]);
    const auto branch = [&](bool taken) { at += taken ? step.jt : step.jf; };
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (step.k % sizeof a != 0 || step.k >= sizeof data) return std::nullopt;
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + step.k, sizeof a);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= step.k;
        break;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        branch(a == step.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        branch(a >= step.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        branch(a > step.k);
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

/// All calls that can matter to a profile.
class Calls {
 public:
  /// With at most so many combinations of arguments a call.
  Calls(const spec::Seccomp& profile, std::size_t most) : most_(most) {
    for (std::uint32_t number = 0; number < 600; ++number) add(number);
    for (const std::uint32_t edge : {0x3fffffffU, 0x7fffffffU, 0x80000000U, 0xfffffffeU, 0xffffffffU})
      numbers_.push_back(edge);
    for (const spec::SeccompRule& rule : profile.syscalls) {
      for (const std::string& name : rule.names) add(name, !rule.args.empty());
      for (const spec::SeccompArgument& argument : rule.args) add(argument);
    }
    // A part of socketcall(2) or ipc(2) is its first argument.
    if (!conditional_.empty())
      for (std::uint64_t part = 0; part < 26; ++part) values_[0].push_back(part);
    conditional_.insert(conditional_.end(), {102, 117});
    for (auto* list : {&numbers_, &conditional_}) sort(*list);
    for (auto& list : values_) sort(list);
  }

  /// The first call for which both filters differ, in words; empty: none.
  std::string difference(const seccomp::Filter& left, const seccomp::Filter& right) {
    constexpr std::uint32_t kArchitectures[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                                AUDIT_ARCH_ARM, AUDIT_ARCH_S390X};
    for (const std::uint32_t arch : kArchitectures) {
      for (const std::uint32_t number : numbers_)
        for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}})
          if (!agree(left, right, {static_cast<int>(number), arch, 0, {value, value, value}})) return words_;
      for (const std::uint32_t number : conditional_)
        if (!agree_on_arguments(left, right, arch, number)) return words_;
    }
    return {};
  }

 private:
  template <typename List>
  static void sort(List& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }

  void add(std::uint32_t number) { numbers_.insert(numbers_.end(), {number, number | 0x40000000}); }

  void add(const std::string& name, bool is_conditional) {
    constexpr std::uint32_t kTokens[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64,
                                         SCMP_ARCH_ARM};
    for (const std::uint32_t token : kTokens) {
      const int number = ::seccomp_syscall_resolve_name_arch(token, name.c_str());
      if (number < 0) continue;
      for (const int near : {number - 1, number, number + 1})
        numbers_.push_back(static_cast<std::uint32_t>(near));
      if (is_conditional) conditional_.push_back(static_cast<std::uint32_t>(number));
    }
    // x86 has numbers of their own for most parts of socketcall(2) and ipc(2).
    if (is_conditional && ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name.c_str()) < 0)
      for (std::uint32_t number = 337; number < 403; ++number) conditional_.push_back(number);
  }

  void add(const spec::SeccompArgument& argument) {
    auto& values = values_[argument.index];
    const bool is_masked = argument.op == spec::SeccompOperator::masked_equal;
    constexpr std::uint64_t kHigh = std::uint64_t{1} << 32;
    for (const std::uint64_t base : {argument.value, is_masked ? argument.value_two : argument.value})
      for (const std::uint64_t value : {base, base & 0xffffffff})
        values.insert(values.end(), {value, value + 1, value - 1, value + kHigh, value - kHigh, ~value});
    if (is_masked) values.insert(values.end(), {argument.value_two | ~argument.value, std::uint64_t{0}});
  }

  bool agree(const seccomp::Filter& left, const seccomp::Filter& right, const seccomp_data& data) {
    const auto one = verdict(left, data), other = verdict(right, data);
    if (one && other && *one == *other) return true;
    std::array<char, 200> text;
    std::snprintf(text.data(), text.size(),
                  "arch %#x call %#x (%#llx, %#llx, %#llx, %#llx, ...): %#llx, %#llx", data.arch,
                  static_cast<unsigned>(data.nr), data.args[0], data.args[1], data.args[2], data.args[3],
                  one ? *one : ~0ULL, other ? *other : ~0ULL);
    words_ = text.data();
    return false;
  }

  /// All combinations of the values, or as many random ones where there are too many.
  bool agree_on_arguments(const seccomp::Filter& left, const seccomp::Filter& right, std::uint32_t arch,
                          std::uint32_t number) {
    std::size_t combinations = 1;
    for (const auto& values : values_)
      combinations = std::min(combinations * std::max<std::size_t>(values.size(), 1), most_ + 1);
    const bool all = combinations <= most_;
    for (std::size_t i = 0; i < std::min(combinations, most_); ++i) {
      seccomp_data data = {static_cast<int>(number), arch, 0, {}};
      std::size_t rest = i;
      for (std::size_t index = 0; index < values_.size(); ++index) {
        const auto& values = values_[index];
        if (values.empty()) continue;
        data.args[index] = values[(all ? rest : random_()) % values.size()];
        rest /= values.size();
      }
      if (!agree(left, right, data)) return false;
    }
    return true;
  }

  std::size_t most_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> conditional_;  ///< those whose arguments are looked at
  std::array<std::vector<std::uint64_t>, 6> values_;
  std::minstd_rand random_;
  std::string words_;
};

/// How davit's own filter for a profile differs from libseccomp's; empty: not at all, or there is none.
inline std::string difference_to_libseccomp(const spec::Seccomp& profile, bool* is_ours = nullptr,
                                            std::size_t most_combinations = 2000) {
  const auto tables = seccomp::decide(profile);
  if (is_ours != nullptr) *is_ours = tables.has_value();
  if (!tables) return {};
  const auto ours = seccomp::write_filter(*tables);
  const auto theirs = seccomp::build_with_library(profile);
  if (!ours || !theirs.ok()) return ours ? "libseccomp refuses" : "";
  return Calls(profile, most_combinations).difference(*ours, *theirs);
}

/// How many profiles compare_filters() has looked at.
inline std::size_t compared_filters = 0;

/// For on_config of the config fuzzer.
inline void compare_filters(const spec::Config& config) {
  if (!config.linux.seccomp) return;
  const std::string difference = difference_to_libseccomp(*config.linux.seccomp);
  if (!difference.empty()) std::fprintf(stderr, "%s\n", difference.c_str());
  must(difference.empty(), "davit's filter says what libseccomp's says");
  ++compared_filters;
}

}  // namespace davit::fuzz
