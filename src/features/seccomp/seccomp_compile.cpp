// SPDX-License-Identifier: Apache-2.0
#include <seccomp.h>

#include "davit/features/seccomp.hpp"
#include "names.hpp"
#include "sha256.hpp"

namespace davit::seccomp {
namespace {

/// Changes whenever build() makes something else of the same profile.
constexpr std::uint32_t kGenerator = 2;

/// Everything that build() reads, without ambiguity: fixed widths, strings with their length in front.
class Serializer {
 public:
  void add(std::uint64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    bytes_.append(text);
  }
  void add(std::optional<std::uint32_t> value) { add(value ? std::uint64_t{*value} + 1 : 0); }
  void add(const spec::SeccompRule& rule) {
    add(std::uint64_t{rule.names.size()});
    for (const std::string& name : rule.names) add(std::string_view(name));
    add(static_cast<std::uint64_t>(rule.action));
    add(rule.errno_ret);
    add(std::uint64_t{rule.args.size()});
    for (const spec::SeccompArgument& argument : rule.args) {
      add(std::uint64_t{argument.index});
      add(argument.value);
      add(argument.value_two);
      add(static_cast<std::uint64_t>(argument.op));
    }
  }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

Error listener_error(const spec::Position& position, std::string_view below, std::string_view text) {
  return spec::at(position, below, make_error(Code::invalid_config, text));
}

}  // namespace

std::string Key::hex() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Context context_of(const spec::Annotations& annotations) {
  Context context;
  const auto found = annotations.find("run.oci.seccomp_fail_unknown_syscall");
  context.fail_unknown_syscall =
      found != annotations.end() && found->second != "0" && found->second != "false";
  return context;
}

Key key(const spec::Seccomp& seccomp, const Context& context) {
  Serializer input;
  input.add(std::uint64_t{kGenerator});
  const scmp_version* version = ::seccomp_version();
  input.add(std::uint64_t{version->major});
  input.add(std::uint64_t{version->minor});
  input.add(std::uint64_t{version->micro});
  input.add(std::uint64_t{::seccomp_arch_native()});
  input.add(std::uint64_t{context.fail_unknown_syscall});
  input.add(static_cast<std::uint64_t>(seccomp.default_action));
  input.add(seccomp.default_errno_ret);
  input.add(std::uint64_t{seccomp.architectures.size()});
  for (const std::string& name : seccomp.architectures) input.add(std::string_view(name));
  for (const spec::SeccompRule& rule : seccomp.syscalls) input.add(rule);
  return {sha256(input.bytes())};
}

bool has_listener(const spec::Seccomp& seccomp) {
  if (seccomp.default_action == spec::SeccompAction::notify) return true;
  for (const spec::SeccompRule& rule : seccomp.syscalls)
    if (rule.action == spec::SeccompAction::notify) return true;
  return false;
}

Result<void> check(const spec::Seccomp& seccomp) {
  if (seccomp.default_action == spec::SeccompAction::notify)
    return listener_error(
        seccomp.position, "defaultAction",
        "SCMP_ACT_NOTIFY cannot be used as default action: nothing could reach the listener");
  if (seccomp.listener_path.empty() && has_listener(seccomp))
    return listener_error(seccomp.position, "", "SCMP_ACT_NOTIFY needs a listenerPath");
  for (std::size_t i = 0; i < seccomp.architectures.size(); ++i)
    if (!architecture_token(seccomp.architectures[i])) {
      Error error = make_error(Code::unsupported,
                               "this libseccomp does not know the architecture " + seccomp.architectures[i]);
      return spec::at(seccomp.position, "architectures/" + std::to_string(i), error);
    }
  return {};
}

program::Slot compile_await(features::Compilation& out, const spec::Seccomp& seccomp) {
  program::AwaitHost operation;
  operation.point = program::Point::seccomp;
  operation.slot = out.builder.reserve();
  out.builder.emit(operation, out.origin(seccomp.position));
  out.lasting.push_back(operation.slot);
  return operation.slot;
}

program::LoadSeccomp load(features::Compilation& out, const spec::Seccomp& seccomp, const Filter& filter) {
  program::LoadSeccomp operation;
  operation.flags = kernel_flags(seccomp);
  operation.filter = out.builder.list(std::span<const program::u64>(filter.instructions));
  return operation;
}

program::LoadSeccomp load(const spec::Seccomp& seccomp, program::Slot late) {
  program::LoadSeccomp operation;
  operation.flags = kernel_flags(seccomp);
  operation.late = late;
  return operation;
}

}  // namespace davit::seccomp
