// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

#include "davit/sys/file.hpp"
#include "library.hpp"
#include "names.hpp"

namespace davit::seccomp {
namespace {

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Library = std::unique_ptr<void, Release>;

/// The last system call of the numbering before all architectures count in step (Linux 5.1): a smaller number
/// is older than any profile in use.
constexpr int kLastOldCall = 423;
constexpr int kX32Bit = 0x40000000;

Error library_error(int code, std::string_view what) {
  return system_error(-code, std::string("seccomp: ").append(what));
}

scmp_compare comparison(spec::SeccompOperator op) {
  switch (op) {
    case spec::SeccompOperator::not_equal:
      return SCMP_CMP_NE;
    case spec::SeccompOperator::less:
      return SCMP_CMP_LT;
    case spec::SeccompOperator::less_or_equal:
      return SCMP_CMP_LE;
    case spec::SeccompOperator::equal:
      return SCMP_CMP_EQ;
    case spec::SeccompOperator::greater_or_equal:
      return SCMP_CMP_GE;
    case spec::SeccompOperator::greater:
      return SCMP_CMP_GT;
    case spec::SeccompOperator::masked_equal:
      return SCMP_CMP_MASKED_EQ;
  }
  return SCMP_CMP_EQ;
}

std::vector<scmp_arg_cmp> arguments_of(const spec::SeccompRule& rule) {
  std::vector<scmp_arg_cmp> arguments;
  for (const spec::SeccompArgument& argument : rule.args) {
    scmp_arg_cmp entry = {};
    entry.arg = argument.index;
    entry.op = comparison(argument.op);
    // libseccomp's order for a masked comparison is mask, then value: as in the spec.
    entry.datum_a = argument.value;
    entry.datum_b = argument.value_two;
    arguments.push_back(entry);
  }
  return arguments;
}

bool is_repeated(const std::vector<scmp_arg_cmp>& arguments) {
  unsigned seen = 0;
  for (const scmp_arg_cmp& argument : arguments) {
    if ((seen & 1U << argument.arg) != 0) return true;
    seen |= 1U << argument.arg;
  }
  return false;
}

int add_rule(void* context, std::uint32_t action, int number, const std::vector<scmp_arg_cmp>& arguments) {
  // libseccomp cannot compare one argument twice in a rule; the engines' profiles mean "or" there, as runc
  // and crun read them.
  if (!is_repeated(arguments)) {
    const auto count = static_cast<unsigned>(arguments.size());
    return ::seccomp_rule_add_array(context, action, number, count, arguments.data());
  }
  for (const scmp_arg_cmp& argument : arguments)
    if (const int code = ::seccomp_rule_add_array(context, action, number, 1, &argument); code < 0)
      return code;
  return 0;
}

class FilterBuilder {
 public:
  explicit FilterBuilder(const spec::Seccomp& seccomp)
      : seccomp_(seccomp), default_(encode(seccomp.default_action, seccomp.default_errno_ret)) {}

  Result<Filter> build() {
    library_.reset(::seccomp_init(default_));
    if (!library_) return make_error(Code::unsupported, "seccomp: cannot set up the default action");
    TRY(add_architectures());
    // A binary tree instead of a list; needs libseccomp 2.5, without it the filter is only slower.
    (void)::seccomp_attr_set(library_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (const spec::SeccompRule& rule : seccomp_.syscalls) TRY(add(rule));
    Filter filter;
    stub(filter);
    TRY(append_export(filter));
    return filter;
  }

 private:
  Result<void> add_architectures() {
    tokens_.push_back(::seccomp_arch_native());  // seccomp_init(3) always has it
    for (std::size_t i = 0; i < seccomp_.architectures.size(); ++i) {
      const auto token = architecture_token(seccomp_.architectures[i]);
      if (!token) continue;
      const int code = ::seccomp_arch_add(library_.get(), *token);
      if (code < 0 && code != -EEXIST) {
        const Error error = library_error(code, "cannot add architecture " + seccomp_.architectures[i]);
        return spec::at(seccomp_.position, "architectures/" + std::to_string(i), error);
      }
      if (code == 0) tokens_.push_back(*token);
    }
    return {};
  }

  Result<void> add(const spec::SeccompRule& rule) {
    const std::uint32_t action = encode(rule.action, rule.errno_ret);
    const std::vector<scmp_arg_cmp> arguments = arguments_of(rule);
    for (std::size_t i = 0; i < rule.names.size(); ++i) {
      const std::string& name = rule.names[i];
      const int number = ::seccomp_syscall_resolve_name(name.c_str());
      const std::string below = "names/" + std::to_string(i);
      if (number == __NR_SCMP_ERROR) continue;
      if (action == default_) continue;  // libseccomp refuses what says nothing
      const int code = add_rule(library_.get(), action, number, arguments);
      if (code < 0 && code != -EEXIST)
        return spec::at(rule.position, below, library_error(code, "cannot add a rule for " + name));
    }
    return {};
  }

  /// The highest number in the profile, for one architecture.
  [[nodiscard]] int last_call(std::uint32_t token) const {
    int last = token == SCMP_ARCH_X32 ? kX32Bit + kLastOldCall : kLastOldCall;
    for (const spec::SeccompRule& rule : seccomp_.syscalls)
      for (const std::string& name : rule.names)
        last = std::max(last, ::seccomp_syscall_resolve_name_arch(token, name.c_str()));
    return last;
  }

  static void emit(Filter& filter, std::uint16_t code, std::uint32_t k, unsigned jump_true = 0,
                   unsigned jump_false = 0) {
    const sock_filter instruction = {code, static_cast<std::uint8_t>(jump_true),
                                     static_cast<std::uint8_t>(jump_false), k};
    filter.instructions.push_back(std::bit_cast<std::uint64_t>(instruction));
  }

  /// Calls that are newer than the profile fail with ENOSYS instead of EPERM, so that a C library falls back
  /// to the older call. Only where the default is EPERM: any other default is somebody's decision.
  void stub(Filter& filter) const {
    if (default_ != SCMP_ACT_ERRNO(EPERM)) return;
    const bool has_x32 = std::find(tokens_.begin(), tokens_.end(), SCMP_ARCH_X32) != tokens_.end();
    for (const std::uint32_t token : tokens_) {
      if (!is_in_step(token)) continue;
      const bool is_split = token == SCMP_ARCH_X86_64 && has_x32;
      emit(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
      emit(filter, BPF_JMP | BPF_JEQ | BPF_K, token, 0, is_split ? 6 : 3);
      emit(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
      if (is_split) {
        emit(filter, BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 2, 0);
        emit(filter, BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(last_call(token)), 2, 0);
        emit(filter, BPF_JMP | BPF_JA, 2);
        emit(filter, BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(last_call(SCMP_ARCH_X32)), 0, 1);
      } else {
        emit(filter, BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(last_call(token)), 0, 1);
      }
      emit(filter, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
  }

  /// Architectures whose numbers are those of the unified table without an offset, and whose token is what
  /// seccomp_data says.
  static bool is_in_step(std::uint32_t token) {
    constexpr std::uint32_t kTokens[] = {SCMP_ARCH_X86_64,  SCMP_ARCH_X86,     SCMP_ARCH_ARM,
                                         SCMP_ARCH_AARCH64, SCMP_ARCH_PPC64LE, SCMP_ARCH_RISCV64,
                                         SCMP_ARCH_S390X,   SCMP_ARCH_S390};
    return std::find(std::begin(kTokens), std::end(kTokens), token) != std::end(kTokens);
  }

  Result<void> append_export(Filter& filter) {
    const int number = ::memfd_create("seccomp-export", MFD_CLOEXEC);
    if (number < 0) return system_error(errno, "memfd_create seccomp-export");
    const sys::UniqueFd file = sys::UniqueFd::adopt(number);
    if (const int code = ::seccomp_export_bpf(library_.get(), file.number()); code < 0)
      return library_error(code, "cannot generate the filter");
    if (::lseek(file.number(), 0, SEEK_SET) < 0) return system_error(errno, "lseek seccomp-export");
    const std::string bytes = TRY(sys::read_all(file));
    const std::size_t before = filter.instructions.size();
    const std::size_t count = bytes.size() / sizeof(std::uint64_t);
    if (count == 0 || before + count > BPF_MAXINSNS)
      return make_error(Code::unsupported, "seccomp: the filter has more than 4096 instructions");
    filter.instructions.resize(before + count);
    std::memcpy(filter.instructions.data() + before, bytes.data(), count * sizeof(std::uint64_t));
    return {};
  }

  const spec::Seccomp& seccomp_;
  std::uint32_t default_;
  Library library_;
  std::vector<std::uint32_t> tokens_;
};

}  // namespace

Result<Filter> build_with_library(const spec::Seccomp& seccomp) {
  auto filter = FilterBuilder(seccomp).build();
  if (!filter.ok()) return spec::at(seccomp.position, filter.error());
  return filter;
}

}  // namespace davit::seccomp
