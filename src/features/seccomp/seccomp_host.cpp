// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "davit/features/seccomp.hpp"
#include "davit/spec/names.hpp"
#include "davit/sys/socket.hpp"
#include "names.hpp"

namespace davit::seccomp {
namespace {

/// seccomp(2): a known flag gets as far as the missing filter (EFAULT), an unknown one is EINVAL.
bool is_supported(spec::SeccompFlag flag) {
  unsigned long flags = kernel_flag(flag);
  if (flag == spec::SeccompFlag::wait_killable_recv) flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) < 0 && errno == EFAULT;
}

}  // namespace

Result<void> send_listener(const spec::Seccomp& seccomp, const spec::State& state, pid_t process,
                           sys::FdRef listener) {
  auto socket = sys::connect_path(seccomp.listener_path, SOCK_STREAM);
  if (!socket.ok()) {
    Error error = socket.error();
    error.wrap("failed to connect with seccomp agent");
    error.advise("a seccomp agent must listen there before the container is created");
    return spec::at(seccomp.position, "listenerPath", error);
  }
  const std::string document =
      spec::container_process_state_json(state, {"seccompFd"}, process, seccomp.listener_metadata);
  auto sent = sys::send_with_fd(*socket, document.data(), document.size(), listener);
  if (sent.ok()) return {};
  sent.error().wrap("cannot send the listener to the seccomp agent");
  return spec::at(seccomp.position, "listenerPath", sent.error());
}

void add_support(spec::SeccompFeatures& known) {
  known.enabled = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, nullptr) < 0 && errno == EFAULT;
  known.supported_flags.emplace();
  for (const auto flag : {spec::SeccompFlag::tsync, spec::SeccompFlag::log, spec::SeccompFlag::spec_allow,
                          spec::SeccompFlag::wait_killable_recv})
    if (is_supported(flag)) known.supported_flags->emplace_back(spec::name_of(flag));
}

}  // namespace davit::seccomp
