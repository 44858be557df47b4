// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "features/cgroup/device_rules.hpp"

namespace davit::cgroup {
namespace {

using spec::DeviceRule;
using spec::DeviceRuleType;

// Registers: what is asked for, and the answer.
constexpr std::uint8_t kResult = BPF_REG_0;
constexpr std::uint8_t kContext = BPF_REG_1;
constexpr std::uint8_t kType = BPF_REG_2;
constexpr std::uint8_t kAccess = BPF_REG_3;  ///< kinds of access that no rule has allowed yet
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;

constexpr std::uint32_t kMknod = BPF_DEVCG_ACC_MKNOD;
constexpr std::uint32_t kRead = BPF_DEVCG_ACC_READ;
constexpr std::uint32_t kWrite = BPF_DEVCG_ACC_WRITE;
constexpr std::uint32_t kFull = kMknod | kRead | kWrite;

std::uint32_t access_of(const DeviceRule& rule) {
  return (rule.mknod ? kMknod : 0) | (rule.read ? kRead : 0) | (rule.write ? kWrite : 0);
}
bool full(const DeviceRule& rule) {
  return access_of(rule) == kFull;
}

/// Writes the program front to back; jumps to the two ends are filled in last.
class Writer {
 public:
  void load(std::uint8_t to, std::int16_t offset) {
    program_.push_back({BPF_LDX | BPF_MEM | BPF_W, to, kContext, offset, 0});
  }
  void move(std::uint8_t to, std::uint8_t from) {
    program_.push_back({BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0});
  }
  void alu(std::uint8_t operation, std::uint8_t to, std::uint32_t value) {
    program_.push_back(
        {static_cast<std::uint8_t>(BPF_ALU | operation | BPF_K), to, 0, 0, static_cast<std::int32_t>(value)});
  }
  /// A conditional jump; returns its index for land().
  std::size_t jump_if(std::uint8_t operation, std::uint8_t left, std::uint32_t value) {
    // The immediate is sign-extended in 64-bit comparisons; the 32-bit ones need Linux 5.1.
    const std::uint8_t width = value > 0x7fffffffU ? BPF_JMP32 : BPF_JMP;
    program_.push_back(
        {static_cast<std::uint8_t>(width | operation | BPF_K), left, 0, 0, static_cast<std::int32_t>(value)});
    return program_.size() - 1;
  }
  void finish_if(std::uint8_t operation, std::uint8_t left, std::uint32_t value, bool allow) {
    ends_.push_back({jump_if(operation, left, value), allow});
  }
  void finish(bool allow) {
    program_.push_back({BPF_JMP | BPF_JA, 0, 0, 0, 0});
    ends_.push_back({program_.size() - 1, allow});
  }
  /// Lets an earlier jump arrive here.
  void land(std::size_t jump) { program_[jump].off = static_cast<std::int16_t>(program_.size() - jump - 1); }
  std::vector<bpf_insn> end() {
    for (const bool allow : {false, true}) {
      bool used = false;
      for (const End& end : ends_)
        if (end.allow == allow) land(end.jump), used = true;
      if (!used) continue;  // the kernel refuses instructions that cannot be reached
      program_.push_back({BPF_ALU64 | BPF_MOV | BPF_K, kResult, 0, 0, allow ? 1 : 0});
      program_.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
    }
    return std::move(program_);
  }

 private:
  struct End {
    std::size_t jump = 0;
    bool allow = false;
  };
  std::vector<bpf_insn> program_;
  std::vector<End> ends_;
};

/// What a matching rule does, if it does not cover all kinds of access.
void write_partial(Writer& writer, const DeviceRule& rule) {
  if (rule.allow) {
    writer.alu(BPF_AND, kAccess, kFull & ~access_of(rule));
    writer.finish_if(BPF_JEQ, kAccess, 0, true);
  } else {
    writer.finish_if(BPF_JSET, kAccess, access_of(rule), false);
  }
}

/// The minor's half of a rule; true when nothing after it can be reached.
bool write_minor(Writer& writer, const DeviceRule& rule) {
  if (full(rule)) {
    if (rule.minor) return writer.finish_if(BPF_JEQ, kMinor, *rule.minor, rule.allow), false;
    return writer.finish(rule.allow), true;
  }
  if (!rule.minor) return write_partial(writer, rule), false;
  const std::size_t other = writer.jump_if(BPF_JNE, kMinor, *rule.minor);
  write_partial(writer, rule);
  writer.land(other);
  return false;
}

using Rules = std::vector<const DeviceRule*>;

/// Rules of one effect, among which order does not matter, sorted; true when nothing after them can be
/// reached.
bool write_run(Writer& writer, const Rules& run) {
  for (std::size_t i = 0; i < run.size();) {
    if (!run[i]->major) {
      if (write_minor(writer, *run[i++])) return true;
      continue;
    }
    std::size_t end = i;
    while (end < run.size() && run[end]->major == run[i]->major) ++end;
    if (end == i + 1 && full(*run[i]) && !run[i]->minor) {
      writer.finish_if(BPF_JEQ, kMajor, *run[i]->major, run[i]->allow);
    } else {
      const std::size_t other = writer.jump_if(BPF_JNE, kMajor, *run[i]->major);
      for (bool closed = false; i < end && !closed; ++i) closed = write_minor(writer, *run[i]);
      writer.land(other);
    }
    i = end;
  }
  return false;
}

/// What decides sooner comes first; a rule without number closes its group, so it comes last there.
bool goes_before(const DeviceRule* one, const DeviceRule* other) {
  const auto key = [](const DeviceRule& rule) {
    const bool closing = full(rule) && !rule.minor;
    const bool any_major = !rule.major;
    return std::make_tuple(any_major && closing ? 2
                           : any_major          ? 0
                                                : 1,
                           rule.major.value_or(0), closing, rule.minor.value_or(0));
  };
  return key(*one) < key(*other);
}

/// Decides for one type of device; the last rule of the list is asked first.
void write_type(Writer& writer, const Rules& rules, bool base) {
  for (std::size_t end = rules.size(); end > 0;) {
    std::size_t begin = end;
    while (begin > 0 && rules[begin - 1]->allow == rules[end - 1]->allow) --begin;
    Rules run(rules.begin() + static_cast<std::ptrdiff_t>(begin),
              rules.begin() + static_cast<std::ptrdiff_t>(end));
    std::stable_sort(run.begin(), run.end(), goes_before);
    if (write_run(writer, run)) return;
    end = begin;
  }
  writer.finish(base);
}

}  // namespace

std::vector<bpf_insn> device_program(const DeviceList& list) {
  Rules characters;
  Rules blocks;
  for (const DeviceRule& rule : list.rules)
    (rule.type == DeviceRuleType::block ? blocks : characters).push_back(&rule);
  Writer writer;
  writer.load(kType, 0);  // struct bpf_cgroup_dev_ctx: access << 16 | type, major, minor
  writer.move(kAccess, kType);
  writer.alu(BPF_AND, kType, 0xffff);
  writer.alu(BPF_RSH, kAccess, 16);
  writer.load(kMajor, 4);
  writer.load(kMinor, 8);
  const std::size_t block = writer.jump_if(BPF_JNE, kType, BPF_DEVCG_DEV_CHAR);
  write_type(writer, characters, list.base);
  writer.land(block);
  write_type(writer, blocks, list.base);
  return writer.end();
}

}  // namespace davit::cgroup
