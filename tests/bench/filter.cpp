// SPDX-License-Identifier: Apache-2.0
// The floor's seccomp filter. Most of the time that loading a filter takes is spent by the kernel emulating
// it for every system call number, so the way to any answer has to be short: a tree over ranges of numbers.
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>

#include "profile.hpp"

namespace davit::bench {
namespace {

constexpr unsigned kNumbers = 600;
constexpr uint32_t kX32Bit = 0x40000000;
constexpr uint32_t kDefault = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t kNumberOffset = offsetof(seccomp_data, nr);
constexpr uint32_t kArchOffset = offsetof(seccomp_data, arch);
constexpr size_t kReach = 250;  // an 8-bit offset, with room for a trampoline or two

// What one system call gets: a plain answer, or rules that look at the arguments.
struct Verdict {
  uint32_t answer = kDefault;
  std::vector<const Rule*> conditional;
  bool decided = false;
  bool operator==(const Verdict& other) const {
    return answer == other.answer && conditional == other.conditional;
  }
};

uint32_t answer_of(const Rule& rule) {
  return rule.allow ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | rule.error;
}

// By way of the names of all numbers: asked for the number of a name, libseccomp gives x86's socket calls a
// number below zero, since most programs there reach them through socketcall.
std::map<std::string, unsigned> numbers_of(uint32_t arch) {
  std::map<std::string, unsigned> numbers;
  for (unsigned number = 0; number < kNumbers; number++) {
    const unsigned full = arch == SCMP_ARCH_X32 ? number | kX32Bit : number;
    char* name = seccomp_syscall_resolve_num_arch(arch, static_cast<int>(full));
    if (name == nullptr) continue;
    numbers[name] = number;
    free(name);
  }
  return numbers;
}

// An unconditional rule beats conditional ones, and the first of two unconditional ones wins, as in
// libseccomp.
std::vector<Verdict> verdicts_of(const Profile& profile, uint32_t arch) {
  const std::map<std::string, unsigned> numbers = numbers_of(arch);
  std::vector<Verdict> verdicts(kNumbers);
  for (const Rule& rule : profile) {
    for (const std::string& name : rule.names) {
      const auto known = numbers.find(name);
      if (known == numbers.end()) continue;
      Verdict& verdict = verdicts[known->second];
      if (verdict.decided) continue;
      if (!rule.conditions.empty()) {
        verdict.conditional.push_back(&rule);
      } else {
        verdict = {answer_of(rule), {}, true};
      }
    }
  }
  return verdicts;
}

// Writes a program from its end to its beginning, so that every jump goes to an instruction that already
// exists; a place is its distance from the end.
class BackwardsProgram {
 public:
  size_t put(unsigned code, uint32_t k, size_t yes_offset = 0, size_t no_offset = 0) {
    const auto yes = static_cast<uint8_t>(yes_offset), no = static_cast<uint8_t>(no_offset);
    code_.push_back({static_cast<uint16_t>(code), yes, no, k});
    return code_.size() - 1;
  }
  size_t load(uint32_t offset) { return put(BPF_LD | BPF_W | BPF_ABS, offset); }
  size_t give(uint32_t answer) { return put(BPF_RET | BPF_K, answer); }
  size_t test(unsigned how, uint32_t k, size_t yes, size_t no) {
    yes = within_reach(yes);
    no = within_reach(no);
    return put(BPF_JMP | how | BPF_K, k, offset_to(yes), offset_to(no));
  }
  // Makes sure that falling into the next written-before instruction means going to `place`.
  size_t fall_to(size_t place) {
    return offset_to(place) == 0 ? place : put(BPF_JMP | BPF_JA, offset_to(place));
  }
  size_t size() const { return code_.size(); }
  std::vector<sock_filter> forwards() const { return {code_.rbegin(), code_.rend()}; }

 private:
  size_t offset_to(size_t place) const { return code_.size() - place - 1; }
  size_t within_reach(size_t place) {
    return offset_to(place) <= kReach ? place
                                      : put(BPF_JMP | BPF_JA, static_cast<uint32_t>(offset_to(place)));
  }
  std::vector<sock_filter> code_;
};

class TreeWriter {
 public:
  TreeWriter(BackwardsProgram& program, const std::vector<Verdict>& verdicts) : program_(program) {
    for (uint32_t number = 0; number < verdicts.size(); number++) {
      if (ranges_.empty() || !(*ranges_.back().verdict == verdicts[number]))
        ranges_.push_back({number, &verdicts[number]});
    }
  }
  // The place of the tree's root; the accumulator must hold the number there.
  size_t write() { return branch(0, ranges_.size()); }

 private:
  struct Range {
    uint32_t first;
    const Verdict* verdict;
  };

  size_t branch(size_t begin, size_t end) {
    if (end - begin == 1) return leaf(*ranges_[begin].verdict);
    const size_t middle = (begin + end) / 2;
    const size_t upper = branch(middle, end);
    const size_t lower = branch(begin, middle);
    return program_.test(BPF_JGE, ranges_[middle].first, upper, lower);
  }

  size_t leaf(const Verdict& verdict) {
    if (!verdict.conditional.empty()) return conditions(verdict);
    const auto known = answers_.find(verdict.answer);
    if (known != answers_.end() && program_.size() - known->second < kReach / 2) return known->second;
    return answers_[verdict.answer] = program_.give(verdict.answer);
  }

  size_t conditions(const Verdict& verdict) {
    size_t next = program_.give(verdict.answer);
    for (auto rule = verdict.conditional.rbegin(); rule != verdict.conditional.rend(); ++rule) {
      size_t holds = program_.give(answer_of(**rule));
      const std::vector<Condition>& all = (*rule)->conditions;
      for (auto condition = all.rbegin(); condition != all.rend(); ++condition)
        holds = compare(*condition, holds, next);
      next = holds;
    }
    return next;
  }

  size_t compare(const Condition& condition, size_t holds, size_t fails) {
    const uint32_t low = offsetof(seccomp_data, args) + 8 * condition.index;
    const size_t same = condition.equal ? holds : fails, other = condition.equal ? fails : holds;
    program_.test(BPF_JEQ, static_cast<uint32_t>(condition.value), same, other);
    const size_t low_half = program_.load(low);
    program_.test(BPF_JEQ, static_cast<uint32_t>(condition.value >> 32), low_half, other);
    return program_.load(low + 4);
  }

  BackwardsProgram& program_;
  std::vector<Range> ranges_;
  std::map<uint32_t, size_t> answers_;
};

// Runs a filter as the kernel would, for the few instructions that such filters consist of.
uint32_t emulate(const sock_filter* filter, const seccomp_data& data) {
  uint32_t a = 0;
  for (;; filter++) {
    const uint32_t k = filter->k;
    bool holds = false;
    switch (filter->code) {
      case BPF_LD | BPF_W | BPF_ABS:
        a = *reinterpret_cast<const uint32_t*>(reinterpret_cast<const char*>(&data) + k);
        continue;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= k;
        continue;
      case BPF_RET | BPF_K:
        return k;
      case BPF_JMP | BPF_JA:
        filter += k;
        continue;
      case BPF_JMP | BPF_JEQ | BPF_K:
        holds = a == k;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        holds = a >= k;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        holds = a > k;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        holds = (a & k) != 0;
        break;
      default:
        fprintf(stderr, "filter: cannot emulate instruction %#x\n", filter->code);
        exit(2);
    }
    filter += holds ? filter->jt : filter->jf;
  }
}

std::vector<sock_filter> libseccomp_filter(const Profile& profile) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
  seccomp_arch_add(context, SCMP_ARCH_X86);
  seccomp_arch_add(context, SCMP_ARCH_X32);
  for (const Rule& rule : profile) {
    std::vector<scmp_arg_cmp> arguments;
    for (const Condition& condition : rule.conditions)
      arguments.push_back({condition.index, condition.equal ? SCMP_CMP_EQ : SCMP_CMP_NE, condition.value, 0});
    for (const std::string& name : rule.names) {
      const int number = seccomp_syscall_resolve_name(name.c_str());
      if (number == __NR_SCMP_ERROR) continue;
      const uint32_t action = rule.allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(rule.error);
      seccomp_rule_add_array(context, action, number, static_cast<unsigned>(arguments.size()),
                             arguments.data());
    }
  }
  const int file = memfd_create("filter", MFD_CLOEXEC);
  if (file < 0 || seccomp_export_bpf(context, file) != 0) exit((perror("seccomp_export_bpf"), 2));
  std::vector<sock_filter> filter(static_cast<size_t>(lseek(file, 0, SEEK_END)) / sizeof(sock_filter));
  const ssize_t size = static_cast<ssize_t>(filter.size() * sizeof(sock_filter));
  if (pread(file, filter.data(), filter.size() * sizeof(sock_filter), 0) != size) exit((perror("pread"), 2));
  close(file);
  seccomp_release(context);
  return filter;
}

}  // namespace

std::vector<sock_filter> compile_filter(const Profile& profile) {
  BackwardsProgram program;
  const std::vector<Verdict> x32 = verdicts_of(profile, SCMP_ARCH_X32);
  const std::vector<Verdict> x86 = verdicts_of(profile, SCMP_ARCH_X86);
  const std::vector<Verdict> x86_64 = verdicts_of(profile, SCMP_ARCH_X86_64);
  TreeWriter x32_tree(program, x32), x86_tree(program, x86), x86_64_tree(program, x86_64);

  program.fall_to(x32_tree.write());
  const size_t x32_entry = program.put(BPF_ALU | BPF_AND | BPF_K, ~kX32Bit);
  program.fall_to(x86_tree.write());
  const size_t x86_entry = program.load(kNumberOffset);
  const size_t x86_64_root = x86_64_tree.write();
  program.test(BPF_JGE, kX32Bit, x32_entry, x86_64_root);
  const size_t x86_64_entry = program.load(kNumberOffset);
  const size_t other_arch = program.give(SECCOMP_RET_KILL_THREAD);
  const size_t not_x86_64 = program.test(BPF_JEQ, AUDIT_ARCH_I386, x86_entry, other_arch);
  program.test(BPF_JEQ, AUDIT_ARCH_X86_64, x86_64_entry, not_x86_64);
  program.load(kArchOffset);
  return program.forwards();
}

unsigned compare_with_libseccomp(const Profile& profile, const std::vector<sock_filter>& filter) {
  const std::vector<sock_filter> reference = libseccomp_filter(profile);
  // Every way to fill the first three arguments from these; the third one only matters for socket.
  const uint64_t values[] = {0, 1, 8, 9, 16, 131072, 131080, 0xffffffff};
  const struct {
    uint32_t arch, bit;
  } kinds[] = {
      {AUDIT_ARCH_X86_64, 0}, {AUDIT_ARCH_I386, 0}, {AUDIT_ARCH_X86_64, kX32Bit}, {AUDIT_ARCH_ARM, 0}};
  unsigned differences = 0;
  for (const auto& kind : kinds) {
    for (uint32_t number = 0; number < kNumbers + 10; number++) {
      for (uint64_t first : values) {
        for (uint64_t third : values) {
          seccomp_data data{};
          data.nr = static_cast<int>(number | kind.bit);
          data.arch = kind.arch;
          data.args[0] = first;
          data.args[2] = third;
          if (emulate(filter.data(), data) == emulate(reference.data(), data)) continue;
          if (differences++ < 5)
            fprintf(stderr, "filter: arch %#x number %u arg0 %llu arg2 %llu: %#x, libseccomp %#x\n",
                    kind.arch, number, static_cast<unsigned long long>(first),
                    static_cast<unsigned long long>(third), emulate(filter.data(), data),
                    emulate(reference.data(), data));
        }
      }
    }
  }
  return differences;
}

}  // namespace davit::bench
