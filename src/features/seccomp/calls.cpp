// SPDX-License-Identifier: Apache-2.0
#include "davit/features/seccomp_calls.hpp"

#include <seccomp.h>

#include <cstdlib>
#include <memory>

namespace davit::seccomp {

bool is_known_call(const std::string& name) {
  return ::seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR;
}

std::vector<std::string> native_calls() {
  constexpr int kLast = 1024;  // no table of the kernel is that long
  std::vector<std::string> names;
  for (int number = 0; number < kLast; ++number) {
    const std::unique_ptr<char, decltype(&std::free)> name(
        ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &std::free);
    if (name != nullptr) names.emplace_back(name.get());
  }
  return names;
}

}  // namespace davit::seccomp
